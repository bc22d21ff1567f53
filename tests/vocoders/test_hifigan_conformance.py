"""HiFi-GAN gives the reference's numbers, in both layouts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from avfake.vocoders.checkpoint import load_strictly
from avfake.vocoders.hifigan import HiFiGanConfig, HiFiGanNetwork, network_keys
from tests.vocoders.stepping import vectors_of

pytestmark = pytest.mark.shared


def config_of(words: Mapping[str, Any]) -> HiFiGanConfig:
    """The network that either reference builds of its own words."""
    shared: dict[str, Any] = {
        "upsample_kernel_sizes": tuple(words["upsample_kernel_sizes"]),
        "resblock_kernel_sizes": tuple(words["resblock_kernel_sizes"]),
    }
    if "upsample_initial_channel" in words:
        return HiFiGanConfig(
            channels=words["upsample_initial_channel"],
            upsample_scales=tuple(words["upsample_rates"]),
            resblock=words["resblock"],
            resblock_dilations=tuple(map(tuple, words["resblock_dilation_sizes"])),
            **shared,
        )
    return HiFiGanConfig(
        layout="kan-bayashi",
        channels=words["channels"],
        upsample_scales=tuple(words["upsample_scales"]),
        resblock="1" if words["use_additional_convs"] else "2",
        resblock_dilations=tuple(map(tuple, words["resblock_dilations"])),
        **shared,
    )


@torch.inference_mode()
def test_waveform_of_a_mel(shared: Path) -> None:
    for vectors in vectors_of(shared, "hifigan*"):
        config = config_of(vectors.config)
        (mel,) = (vectors[key] for key in vectors.arrays if key.startswith("input/mel"))
        network = HiFiGanNetwork(config, mel.shape[1])
        load_strictly(network, network_keys(vectors.state, config), vectors.name)
        made = network(mel)
        wanted = vectors["output/wave"].view(made.shape)
        assert wanted.std() > 100 * vectors.facts["tol"], vectors.name
        torch.testing.assert_close(made, wanted, rtol=0, atol=vectors.facts["tol"], msg=vectors.name)
