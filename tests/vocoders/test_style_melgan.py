"""StyleMelGAN's own business: vectors of noise, what lies beyond the clip, its gates, training."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from avfake.errors import AvfakeError
from avfake.vocoders.cards import find_card
from avfake.vocoders.noise import clip_noise
from avfake.vocoders.style_melgan import StyleMelGan, StyleMelGanConfig, StyleMelGanNetwork, build

SMALL: dict[str, Any] = {"channels": 8, "noise_channels": 12}
CARD = replace(find_card("style-melgan.ljspeech-v1"), model=SMALL)


def network_of(**model: Any) -> StyleMelGanNetwork:
    torch.manual_seed(0)
    return StyleMelGanNetwork(StyleMelGanConfig(**(SMALL | model)), 80)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("n_vectors", [1, 3])
@pytest.mark.parametrize(
    ("noise_scales", "scales"), [((11, 2, 2, 2), (2, 2, 2, 1)), ((10, 2), (5, 1, 3, 1, 2)), ((5,), (4,))]
)
def test_a_vector_of_noise_becomes_the_sound_of_many_frames(
    noise_scales: tuple[int, ...], scales: tuple[int, ...], n_vectors: int
) -> None:
    network = network_of(noise_upsample_scales=noise_scales, upsample_scales=scales)
    n_frames = n_vectors * network.n_least
    made = network(random(2, 80, n_frames), random(2, 12, n_vectors))
    assert made.shape == (2, 1, n_frames * network.hop_length)


@pytest.mark.parametrize("n_frames", [2, 88, 89, 180])
def test_the_last_frame_lasts_until_the_noise_ends(n_frames: int) -> None:
    vocoder: StyleMelGan = build(CARD, None)
    mel = random(1, 80, n_frames)
    n_vectors = -(-n_frames // 88)
    padded = torch.cat([mel, mel[..., -1:].expand(-1, -1, 88 * n_vectors - n_frames)], dim=2)
    whole = vocoder.network(padded, clip_noise(mel, (12, n_vectors)))[0]
    assert torch.equal(vocoder(mel), whole[:, : (n_frames - 1) * 256])


def test_the_noise_is_heard() -> None:
    network = network_of()
    mel = random(1, 80, 88)
    first, second = (network(mel, random(1, 12, 1, seed=seed)) for seed in (1, 2))
    assert (first - second).std() > 0.01 * first.std()


def test_symmetric_layers_make_a_mirrored_sound_of_mirrored_input() -> None:
    network = network_of(noise_upsample_scales=(4, 2, 2)).double()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 3:
                parameter.copy_((parameter + parameter.flip(2)) / 2)
    mel, noise = random(1, 80, 48).double(), random(1, 12, 3).double()
    made, mirrored = network(mel, noise), network(mel.flip(2), noise.flip(2))
    torch.testing.assert_close(mirrored.flip(2), made, rtol=0, atol=1e-9)
    assert (mirrored - made).std() > 0.1 * made.std()


def test_a_level_of_the_noise_is_not_heard() -> None:
    network = network_of(noise_upsample_scales=(2,), upsample_scales=(2, 2)).double()
    mel, hidden = random(1, 80, 16).double(), random(1, 8, 16).double()
    tade = network.blocks[0].tade1
    first, second = (tade(values, mel)[0] for values in (hidden, 3 * hidden + 5))
    torch.testing.assert_close(first, second, rtol=0, atol=1e-4)
    assert (tade(hidden, mel + random(1, 80, 16, seed=1))[0] - first).std() > 0.1 * first.std()


def test_gates_share_what_is_there_or_stand_alone() -> None:
    both = torch.cat([random(1, 8, 5), torch.full((1, 8, 5), 20.0)], dim=1)
    shared, alone = (network_of(gate=gate).blocks[0]._gated(both) for gate in ("softmax", "sigmoid"))
    torch.testing.assert_close(shared.sum(1), torch.ones(1, 5))
    torch.testing.assert_close(alone, both[:, :8].sigmoid())


def test_every_parameter_learns() -> None:
    network = network_of(upsample_scales=(2, 2))
    network(random(2, 80, 88), random(2, 12, 1)).square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())  # type: ignore[union-attr]


def test_weights_must_fit_and_bring_statistics() -> None:
    state = dict(network_of().state_dict())
    statistics = {"mean": torch.linspace(-3, -1, 80), "scale": torch.linspace(0.5, 1, 80)}
    vocoder = build(CARD, state | statistics)
    assert vocoder.statistics is not None
    assert torch.equal(vocoder.statistics.mean, statistics["mean"])
    with pytest.raises(AvfakeError, match="come without mean and scale"):
        build(CARD, state)
    del state["blocks.8.tade2.aux_conv.0.bias"]
    with pytest.raises(AvfakeError, match=r"blocks\.8\.tade2\.aux_conv\.0\.bias is missing"):
        build(CARD, state | statistics)


@pytest.mark.parametrize(
    ("model", "message"),
    [({"kernel_size": 8}, "kernel_size=8 must be odd"), ({"gate": "relu"}, "gate='relu' must be 'softmax'")],
)
def test_a_shape_that_cannot_be_is_refused(model: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_of(**model)
