"""StyleMelGAN gives the reference's numbers for the reference's noise.

With random weights it is chaotic: each block enlarges what rounding did before, until single precision is
up to 0.6 away from double, and the same code on two processors as much apart. So an output is held to the
reference as closely as to itself in double precision. With another dilation or gate it is a thousand times
further off.
"""

from pathlib import Path

import pytest
import torch

from avfake.vocoders.style_melgan import StyleMelGanConfig, StyleMelGanNetwork
from avfake.weights import load_strictly
from tests.vocoders.stepping import vectors_of

pytestmark = pytest.mark.shared


@torch.inference_mode()
def test_waveform_of_a_mel_and_noise(shared: Path) -> None:
    for vectors in vectors_of(shared, "style_melgan*"):
        words = vectors.config
        config = StyleMelGanConfig(
            noise_channels=words["in_channels"],
            channels=words["channels"],
            kernel_size=words["kernel_size"],
            dilation=words["dilation"],
            noise_upsample_scales=tuple(words["noise_upsample_scales"]),
            upsample_scales=tuple(words["upsample_scales"]),
            gate=words["gated_function"],
        )
        network = StyleMelGanNetwork(config, words["aux_channels"])
        load_strictly(network, vectors.state, vectors.name)
        given = vectors["input/mel_normalised"], vectors["input/noise"]
        made, exact = network(*given), network.double()(*(tensor.double() for tensor in given))
        error = (made - vectors["output/wave"]).abs()
        assert made.std() > 0.1, vectors.name
        assert error.median() < 1e-3 * made.std(), vectors.name
        assert error.median() < (made - exact).abs().median(), vectors.name
