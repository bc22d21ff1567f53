"""MelGAN gives the reference's numbers, in both layouts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from avfake.vocoders.melgan import MelGanConfig, MelGanNetwork, network_keys
from avfake.weights import load_strictly
from tests.vocoders.stepping import vectors_of

pytestmark = pytest.mark.shared


def config_of(words: Mapping[str, Any]) -> MelGanConfig:
    """The network that either reference builds of its own words."""
    if "ngf" in words:
        return MelGanConfig(
            channels=words["ngf"] * 2 ** len(words["ratios"]),
            upsample_scales=tuple(words["ratios"]),
            n_stacks=words["n_residual_layers"],
        )
    return MelGanConfig(
        layout="kan-bayashi",
        channels=words["channels"],
        upsample_scales=tuple(words["upsample_scales"]),
        n_stacks=words["stacks"],
        n_outputs=words["out_channels"],
    )


@torch.inference_mode()
def test_waveform_of_a_mel(shared: Path) -> None:
    for vectors in vectors_of(shared, "melgan*"):
        config = config_of(vectors.config)
        (mel,) = (vectors[key] for key in vectors.arrays if key.startswith("input/mel"))
        network = MelGanNetwork(config, mel.shape[1])
        load_strictly(network, network_keys(vectors.state, config), vectors.name)
        made = network(mel)
        assert made.std() > 100 * vectors.facts["tol"], vectors.name
        torch.testing.assert_close(
            made, vectors["output/wave"], rtol=0, atol=vectors.facts["tol"], msg=vectors.name
        )
