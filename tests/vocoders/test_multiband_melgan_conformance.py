"""Multi-band MelGAN and its filter bank give the reference's numbers."""

from pathlib import Path

import pytest
import torch

from avfake.vocoders.melgan import network_keys
from avfake.vocoders.multiband_melgan import MultibandMelGanConfig, MultibandMelGanNetwork
from avfake.weights import load_strictly
from tests.vocoders.stepping import Vectors, vectors_of

pytestmark = pytest.mark.shared


def network_of(vectors: Vectors) -> MultibandMelGanNetwork:
    words, filters = vectors.config, vectors.facts["pqmf"]
    assert filters["subbands"] == words["out_channels"]
    config = MultibandMelGanConfig(
        channels=words["channels"],
        upsample_scales=tuple(words["upsample_scales"]),
        n_stacks=words["stacks"],
        n_outputs=words["out_channels"],
        taps=filters["taps"],
        cutoff_ratio=filters["cutoff_ratio"],
        beta=filters["beta"],
    )
    network = MultibandMelGanNetwork(config, words["in_channels"])
    load_strictly(network, network_keys(vectors.state, config), vectors.name)
    return network


def test_bands_and_waveform_of_a_mel(shared: Path) -> None:
    for vectors in vectors_of(shared, "mb_melgan*"):
        network, mel = network_of(vectors), vectors["input/mel_normalised"]
        with torch.inference_mode():
            for made, key in ((network.bands(mel), "output/subbands"), (network(mel), "output/wave")):
                assert made.std() > 100 * vectors.facts["tol"], vectors.name
                torch.testing.assert_close(
                    made, vectors[key], rtol=0, atol=vectors.facts["tol"], msg=f"{vectors.name} {key}"
                )


def test_filters_and_bands_of_a_waveform(shared: Path) -> None:
    for vectors in vectors_of(shared, "mb_melgan*"):
        bank = network_of(vectors).pqmf
        torch.testing.assert_close(bank.analysis, vectors["pqmf/analysis_filter"], rtol=0, atol=1e-7)
        torch.testing.assert_close(
            bank.synthesis[:, 0], vectors["pqmf/synthesis_filter"][0], rtol=0, atol=1e-7
        )
        torch.testing.assert_close(
            bank.analyse(vectors["output/wave"]),
            vectors["output/pqmf_analysis_of_wave"],
            rtol=0,
            atol=vectors.facts["tol"],
            msg=vectors.name,
        )
