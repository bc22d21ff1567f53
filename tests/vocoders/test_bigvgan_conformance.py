"""BigVGAN gives the reference's numbers, and its cards build the published configurations."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from avfake.vocoders.antialias import low_pass
from avfake.vocoders.bigvgan import BigVganConfig, BigVganNetwork, network_keys
from avfake.vocoders.cards import load_cards
from avfake.weights import load_strictly
from tests.vocoders.stepping import vectors_of

pytestmark = pytest.mark.shared


def config_of(words: Mapping[str, Any]) -> BigVganConfig:
    """The network that the reference builds of its own words, where a missing one means yes."""
    return BigVganConfig(
        channels=words["upsample_initial_channel"],
        upsample_scales=tuple(words["upsample_rates"]),
        upsample_kernel_sizes=tuple(words["upsample_kernel_sizes"]),
        tanh_at_final=words["use_tanh_at_final"] is not False,
        bias_at_final=words["use_bias_at_final"] is not False,
    )


@torch.inference_mode()
def test_waveform_of_a_mel(shared: Path) -> None:
    for vectors in vectors_of(shared, "bigvgan*"):
        network = BigVganNetwork(config_of(vectors.config), vectors.config["num_mels"])
        load_strictly(network, network_keys(vectors.state), vectors.name)
        made, wanted = network(vectors["input/mel"]), vectors["output/wave"]
        assert wanted.std() > 100 * vectors.facts["tol"], vectors.name
        torch.testing.assert_close(made, wanted, rtol=0, atol=vectors.facts["tol"], msg=vectors.name)


def test_every_filter_of_the_reference_is_ours(shared: Path) -> None:
    for vectors in vectors_of(shared, "bigvgan*"):
        filters = [vectors[key].flatten() for key in vectors.arrays if key.endswith(".filter")]
        assert filters
        for taps in filters:
            torch.testing.assert_close(low_pass(), taps, rtol=0, atol=1e-7)


def test_cards_build_what_was_published(shared: Path) -> None:
    configs = json.loads((shared / "conformance" / "vocoders" / "bigvgan_nvidia.configs.json").read_text())
    for published, words in configs.items():
        assert (words["activation"], words["snake_logscale"], words["resblock"]) == ("snakebeta", True, "1")
        (card,) = (card for card in load_cards().values() if f"/{published}/" in card.checkpoint.url)
        assert BigVganConfig(**card.model) == config_of(words)
