"""Every learned family under a shipped card's front-end, with a network narrow enough for a test."""

from dataclasses import replace
from importlib import import_module
from typing import Any

from avfake.vocoders.base import MelVocoder
from avfake.vocoders.cards import find_card
from avfake.vocoders.registry import LEARNED

SMALL: dict[str, dict[str, Any]] = {  # card -> what makes its network narrow
    "bigvgan.base-22khz-80band": {"channels": 64},
    "bigvgan.v2-44khz-128band-512x": {"channels": 64},
    "hifigan.kan-bayashi-vctk-v1": {"channels": 32},
    "hifigan.ljspeech-v2": {"channels": 32},
    "hifigan.ljspeech-v3": {"channels": 32},
    "melgan.kan-bayashi-ljspeech-large-v1": {"channels": 64},
    "melgan.kan-bayashi-ljspeech-v1": {"channels": 32},
    "melgan.ljspeech": {"channels": 32},
    "multiband-melgan.ljspeech-v2": {"channels": 32},
    "multiband-melgan.vctk-v2": {"channels": 32},
    "parallel-wavegan.ljspeech-v1": {
        "n_layers": 6,
        "n_stacks": 2,
        "residual_channels": 8,
        "gate_channels": 16,
    },
    "style-melgan.ljspeech-v1": {"channels": 8, "noise_channels": 16},
    "style-melgan.vctk-v1": {"channels": 8, "noise_channels": 16},
    "vocos.mel-24khz": {"dim": 16, "intermediate_dim": 24, "n_layers": 2},
    "waveglow.universal-v5": {"n_layers": 3, "n_channels": 8},
    "wavenet.ljspeech-mol": {
        "n_layers": 8,
        "n_stacks": 2,
        "residual_channels": 24,
        "gate_channels": 32,
        "skip_channels": 16,
    },
    "wavernn.ljspeech-mol": {
        "rnn_channels": 48,
        "fc_channels": 32,
        "res_channels": 16,
        "n_res_blocks": 2,
    },
}


def small_vocoder(name: str) -> MelVocoder:
    """The vocoder of a card in SMALL, its weights random and always the same."""
    card = find_card(name)
    narrow = replace(card, model={**card.model, **SMALL[name]})
    vocoder: MelVocoder = import_module(LEARNED[card.family]).build(narrow, None)
    return vocoder
