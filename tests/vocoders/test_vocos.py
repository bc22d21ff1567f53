"""Vocos' own business: both time axes, chosen normalisation, strict weights."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from avfake.errors import AvfakeError
from avfake.vocoders.cards import find_card
from avfake.vocoders.vocos import Vocos, VocosConfig, VocosNetwork, build

SMALL: dict[str, Any] = {"dim": 16, "intermediate_dim": 24, "n_layers": 2}
CARD = replace(find_card("vocos"), model=SMALL)
SAME = replace(CARD, mel=replace(CARD.mel, padding="same"))


def vocoder_of(padding: str = "center", **model: Any) -> Vocos:
    card = SAME if padding == "same" else CARD
    return build(replace(card, model=SMALL | model), None)


@pytest.mark.parametrize(("padding", "n_frames"), [("same", 2), ("center", 2), ("same", 9), ("center", 9)])
def test_clips_of_any_length_do_not_know_their_batch(padding: str, n_frames: int) -> None:
    vocoder = vocoder_of(padding)
    mel = torch.randn(3, 100, n_frames) - 4
    state = torch.get_rng_state()
    made = vocoder(mel)
    assert made.shape == (3, vocoder.mel.n_samples(n_frames))
    assert made.isfinite().all()
    assert torch.equal(made[1:2], vocoder(mel[1:2]))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("padding", ["same", "center"])
def test_a_frame_is_heard_where_it_was_analysed(padding: str) -> None:
    vocoder = vocoder_of(padding, kernel_size=1)
    mel = torch.zeros(2, 100, 15) - 4
    mel[1, :, 7] += 3
    silent, driven = vocoder(mel)
    heard = (silent != driven).nonzero().flatten()
    centre = 7 * 256 + (128 if padding == "same" else 0)
    assert (heard.min() + heard.max() + 1) / 2 == pytest.approx(centre, abs=2)
    assert 1000 < heard.max() - heard.min() < 1024


def test_published_size_is_that_of_the_paper() -> None:
    with torch.device("meta"):
        network = VocosNetwork(VocosConfig(), find_card("vocos").mel)
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    assert n_parameters / 1e6 == pytest.approx(13.5, abs=0.05)


def test_a_loud_bin_is_limited() -> None:
    vocoder = vocoder_of()
    vocoder.network.head.out.bias[:513] = 50.0
    assert vocoder(torch.zeros(1, 100, 9)).isfinite().all()


def test_a_checkpoint_is_loaded_strictly_but_for_its_windows_and_bands() -> None:
    state = dict(vocoder_of().network.state_dict())
    unused = {
        "feature_extractor.mel_spec.spectrogram.window": torch.ones(1024),
        "feature_extractor.mel_spec.mel_scale.fb": torch.ones(513, 100),
        "head.istft.window": torch.ones(1024),
    }
    build(CARD, state | unused)
    with pytest.raises(AvfakeError, match="head.istft.windows is unknown"):
        build(CARD, state | {"head.istft.windows": torch.ones(1)})
    with pytest.raises(AvfakeError, match="backbone.convnext.1.gamma is missing"):
        build(CARD, {key: tensor for key, tensor in state.items() if key != "backbone.convnext.1.gamma"})


def test_conditions_differ_and_must_exist() -> None:
    mel = torch.randn(1, 100, 5)
    state = dict(vocoder_of(n_conditions=3).network.state_dict())
    made = [
        build(replace(CARD, model=SMALL | {"n_conditions": 3, "condition": condition}), state)(mel)
        for condition in range(3)
    ]
    assert (made[0] - made[1]).abs().max() > 1e-3
    assert (made[1] - made[2]).abs().max() > 1e-3
    with pytest.raises(ValueError, match=r"condition=3 must lie in 0\.\.2"):
        VocosConfig(n_conditions=3, condition=3)
