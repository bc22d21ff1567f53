"""WaveGlow gives the reference's numbers, and undoes what it does in the other direction."""

from pathlib import Path

import pytest
import torch

from avfake.vocoders.waveglow import WaveGlowConfig, WaveGlowNetwork
from avfake.weights import load_strictly
from tests.vocoders.stepping import Vectors, vectors_of

HOP_LENGTH = 256  # fixed in the reference
SIGMA = 0.6  # of the waveform's name

pytestmark = pytest.mark.shared


def network_of(vectors: Vectors) -> WaveGlowNetwork:
    words = vectors.config
    config = WaveGlowConfig(
        n_flows=words["n_flows"],
        n_group=words["n_group"],
        n_early_every=words["n_early_every"],
        n_early_size=words["n_early_size"],
        **words["WN_config"],
    )
    network = WaveGlowNetwork(config, words["n_mel_channels"], HOP_LENGTH)
    load_strictly(network, vectors.state, vectors.name)
    network.invert()
    return network.eval()


@torch.inference_mode()
def test_waveform_of_a_mel_and_noise(shared: Path) -> None:
    for vectors in vectors_of(shared, "waveglow*"):
        network, mel = network_of(vectors), vectors["input/mel"][0]
        early = sorted(key for key in vectors.arrays if key.startswith("input/noise_early"))
        noise = torch.cat([vectors[key][0] for key in (*early, "input/noise_z0")])
        for sigma, name in ((SIGMA, f"output/wave_sigma{SIGMA}"), (0, "output/wave_zero_noise")):
            wanted = vectors[name][0]
            assert wanted.std() > 100 * vectors.facts["tol"]
            torch.testing.assert_close(
                network(mel, sigma * noise), wanted, rtol=0, atol=vectors.facts["tol"], msg=name
            )


@torch.inference_mode()
def test_what_the_reference_makes_of_a_waveform_becomes_that_waveform(shared: Path) -> None:
    for vectors in vectors_of(shared, "waveglow*"):
        made = network_of(vectors)(vectors["input/mel"][0], vectors["output/forward_z_of_wave"][0])
        wanted = vectors[f"output/wave_sigma{SIGMA}"][0]
        torch.testing.assert_close(made, wanted, rtol=0, atol=vectors.facts["tol"], msg=vectors.name)
