"""Vocos gives the reference's numbers, on both time axes and with chosen normalisation."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from avfake.audio.mel import MelConfig
from avfake.vocoders.cards import find_card
from avfake.vocoders.vocos import VocosNetwork, build
from tests.vocoders.stepping import Vectors, vectors_of

pytestmark = pytest.mark.shared


def network_of(vectors: Vectors) -> VocosNetwork:
    backbone, head = vectors.config["backbone"], vectors.config["head"]
    n_conditions = backbone.get("adanorm_num_embeddings", 0)
    mel = MelConfig(
        n_fft=head["n_fft"],
        hop_length=head["hop_length"],
        win_length=head["n_fft"],
        n_mels=backbone["input_channels"],
        padding=head["padding"],
    )
    model = {
        "dim": backbone["dim"],
        "intermediate_dim": backbone["intermediate_dim"],
        "n_layers": backbone["num_layers"],
        "n_conditions": n_conditions,
        "condition": int(vectors["input/bandwidth_id"]) if n_conditions else 0,
    }
    network = build(replace(find_card("vocos"), mel=mel, model=model), vectors.state).network
    assert isinstance(network, VocosNetwork)
    return network


@torch.inference_mode()
def test_waveform_of_a_mel(shared: Path) -> None:
    for vectors in vectors_of(shared, "vocos*"):
        network = network_of(vectors)
        tolerance, wanted = vectors.facts["tol"], vectors["output/wave"]
        mel = vectors["input/mel" if "input/mel" in vectors else "input/features"]
        made = network(mel)[:, 0]
        assert wanted.std() > 100 * tolerance, vectors.name
        torch.testing.assert_close(made, wanted, rtol=0, atol=tolerance, msg=vectors.name)
        if "intermediate/backbone" in vectors:
            torch.testing.assert_close(
                network.backbone(mel), vectors["intermediate/backbone"], rtol=0, atol=tolerance
            )
