"""Multi-band MelGAN's own business: rates of its bands, filters of its checkpoints, training."""

from typing import Any

import pytest
import torch

from avfake.errors import AvfakeError
from avfake.vocoders.cards import find_card
from avfake.vocoders.multiband_melgan import MultibandMelGanConfig, MultibandMelGanNetwork, build


def network_of(**model: Any) -> MultibandMelGanNetwork:
    torch.manual_seed(0)
    return MultibandMelGanNetwork(MultibandMelGanConfig(**({"channels": 16} | model)), 80)


@pytest.mark.parametrize("n_outputs", [2, 4, 8])
@pytest.mark.parametrize("scales", [(8, 4, 2), (5, 5, 3)])
def test_bands_run_at_a_fraction_of_the_rate(scales: tuple[int, ...], n_outputs: int) -> None:
    network = network_of(upsample_scales=scales, n_outputs=n_outputs)
    mel = torch.rand(1, 80, 9)
    bands = network.bands(mel)
    assert bands.shape[:2] == (1, n_outputs)
    assert bands.shape[2] * n_outputs == 9 * network.hop_length
    assert network(mel).shape == (1, 1, 9 * network.hop_length)


def test_a_sound_of_one_band_keeps_to_its_frequencies() -> None:
    network = network_of()
    bands = torch.zeros(1, 4, 500)
    bands[:, 2] = torch.randn(500, generator=torch.Generator().manual_seed(2))
    power = torch.fft.rfft(network.pqmf.synthesise(bands)[0, 0]).abs().square()
    quarter = len(power) // 4
    within = power[2 * quarter - quarter // 2 : 3 * quarter + quarter // 2].sum()
    assert within > 0.999 * power.sum()


def test_every_parameter_learns() -> None:
    network = network_of()
    network(torch.randn(2, 80, 12)).square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())  # type: ignore[union-attr]


def test_weights_must_fit_and_bring_statistics() -> None:
    card = find_card("multiband-melgan")
    with torch.device("meta"):
        keys = MultibandMelGanNetwork(MultibandMelGanConfig(**card.model), 80).state_dict()
    names = {key: key.replace("model.", "melgan.").replace("block", "stack") for key in keys}
    state = {names[key].replace("shortcut", "skip_layer"): torch.zeros(keys[key].shape) for key in keys}
    statistics = {"mean": torch.zeros(80), "scale": torch.ones(80)}
    build(card, state | statistics)
    with pytest.raises(AvfakeError, match="come without mean and scale"):
        build(card, state)
    del state["melgan.22.bias"]
    with pytest.raises(AvfakeError, match=r"do not fit vocoder .*model\.22\.bias is missing"):
        build(card, state | statistics)
