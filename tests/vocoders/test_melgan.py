"""MelGAN's own business: its shapes, two layouts of one network, training."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from avfake.errors import AvfakeError
from avfake.vocoders.cards import find_card
from avfake.vocoders.melgan import MelGanConfig, MelGanNetwork, build

DESCRIPT = replace(find_card("melgan"), model={"channels": 32})
KAN_BAYASHI = replace(
    find_card("melgan.kan-bayashi-ljspeech-v1"), model={"layout": "kan-bayashi", "channels": 32}
)


def network_of(**model: Any) -> MelGanNetwork:
    torch.manual_seed(0)
    return MelGanNetwork(MelGanConfig(**({"channels": 32} | model)), 80)


@pytest.mark.parametrize("n_stacks", [1, 3, 4])
@pytest.mark.parametrize("scales", [(8, 8, 2, 2), (4, 4, 4, 2, 2), (8, 8, 4), (5, 5, 3), (2, 3)])
def test_every_frame_becomes_a_hop_from_the_shortest_clip_on(scales: tuple[int, ...], n_stacks: int) -> None:
    network = network_of(upsample_scales=scales, n_stacks=n_stacks, n_outputs=2)
    for n_frames in (network.n_least, network.n_least + 1, 20):
        assert network(torch.rand(1, 80, n_frames)).shape == (1, 2, n_frames * network.hop_length)
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 80, network.n_least - 1))


def test_published_sizes_have_the_parameters_of_the_paper() -> None:
    with torch.device("meta"):
        network = MelGanNetwork(MelGanConfig(), 80)
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    assert n_parameters / 1e6 == pytest.approx(4.26, abs=0.01)


def test_every_parameter_learns() -> None:
    network = network_of(upsample_scales=(4, 2))
    waveform = network(torch.randn(2, 80, 12))
    waveform.square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())  # type: ignore[union-attr]


def kan_bayashis(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state as the other repository calls its keys, with statistics of the Mel."""
    theirs = {
        key.replace("model.", "melgan.").replace("block", "stack").replace("shortcut", "skip_layer"): tensor
        for key, tensor in state.items()
    }
    return theirs | {"mean": torch.linspace(-3, -1, 80), "scale": torch.linspace(0.5, 1, 80)}


def test_a_checkpoint_of_kan_bayashi_loads_whole_and_strictly() -> None:
    state = network_of().state_dict()
    theirs = kan_bayashis(state)
    assert "melgan.21.skip_layer.weight" in theirs
    own = build(KAN_BAYASHI, theirs).network.state_dict()
    assert list(own) == list(state)
    assert all(torch.equal(own[key], state[key]) for key in state)
    for broken in ("melgan.1.bias", "melgan.21.stack.4.weight"):
        with pytest.raises(AvfakeError, match="do not fit vocoder"):
            build(KAN_BAYASHI, {key: tensor for key, tensor in theirs.items() if key != broken})


def test_the_mel_is_standardised_with_the_statistics_of_the_weights() -> None:
    state = network_of().state_dict()
    theirs = kan_bayashis(state)
    plain, scaled = build(DESCRIPT, state), build(KAN_BAYASHI, theirs)
    mel = torch.rand(1, 80, 9) - 2
    wanted = plain((mel - theirs["mean"][:, None]) / theirs["scale"][:, None])
    torch.testing.assert_close(scaled(mel), wanted[:, : 8 * 256])
    with pytest.raises(AvfakeError, match=r"come without mean and scale .* put stats\.h5"):
        build(KAN_BAYASHI, {key: tensor for key, tensor in theirs.items() if key != "mean"})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"channels": 24}, "channels=24 must be a multiple of 16"),
        ({"upsample_scales": (8, 1)}, r"upsample_scales=\(8, 1\) must be numbers of at least 2"),
        ({"layout": "other"}, "layout='other' must be 'descript' or 'kan-bayashi'"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(model: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_of(**model)


def test_a_front_end_of_another_hop_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hop_length=256 of the Mel must be 128"):
        build(replace(DESCRIPT, model={"channels": 32, "upsample_scales": (8, 8, 2)}), None)
