"""Parallel WaveGAN's own business: the same sound however its layers are run, and each clip's own noise."""

import math
import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from avfake.errors import AvfakeError
from avfake.vocoders.cards import find_card, load_cards
from avfake.vocoders.parallel_wavegan import (
    ParallelWaveGan,
    ParallelWaveGanConfig,
    ParallelWaveGanNetwork,
    build,
)
from avfake.vocoders.registry import load_vocoder

SMALL: dict[str, Any] = {"n_layers": 6, "n_stacks": 2, "residual_channels": 8, "gate_channels": 16}
CARD = find_card("parallel-wavegan.ljspeech-v1")


def network_of(**model: Any) -> ParallelWaveGanNetwork:
    torch.manual_seed(0)
    network = ParallelWaveGanNetwork(ParallelWaveGanConfig(**(SMALL | model)), 80)
    for parameter in network.parameters():
        parameter.data.normal_(std=0.3)
    return network.eval().requires_grad_(False)


def vocoder_of(**model: Any) -> ParallelWaveGan:
    return build(replace(CARD, model=SMALL | model), None)


def written_down(network: ParallelWaveGanNetwork, mel: Tensor, noise: Tensor) -> Tensor:
    """The sound of one clip, layer by layer as in the paper."""
    driven = network.upsample_net.upsample["up_layers"](network.upsample_net.conv_in(mel[None]))
    residual = network.first_conv(noise[None, None])
    skips = torch.zeros(1)
    for layer, dilation in zip(network.layers, network.config.dilations, strict=True):
        padding = dilation * (network.config.kernel_size // 2)
        heard = functional.conv1d(residual, layer.conv.weight, layer.conv.bias, 1, padding, dilation)
        first, second = (heard + layer.conv1x1_aux(driven)).chunk(2, dim=1)
        gated = first.tanh() * second.sigmoid()
        skips = skips + layer.conv1x1_skip(gated)
        residual = (layer.conv1x1_out(gated) + residual) * math.sqrt(0.5)
    made: Tensor = network.last_conv_layers(skips * math.sqrt(1 / len(network.layers)))
    return made[0, 0]


@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 5, 19])
@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize("scales", [(4, 4, 4, 4), (4, 5, 3, 5), (2, 3)])
def test_tiles_give_the_network_written_down(
    n_frames: int, kernel_size: int, scales: tuple[int, ...]
) -> None:
    network = network_of(kernel_size=kernel_size, upsample_scales=scales, skip_channels=12)
    mel = torch.randn(80, n_frames + 4)
    noise = torch.randn(n_frames * math.prod(scales))
    wanted = written_down(network, mel, noise)
    torch.testing.assert_close(network(mel, noise), wanted, rtol=0, atol=1e-5 * float(wanted.abs().max()))


def test_each_clip_draws_its_own_noise_and_always_the_same() -> None:
    vocoder = vocoder_of()
    mel = torch.full((1, 80, 5), -3.0)
    torch.manual_seed(1)
    first = vocoder(mel)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, vocoder(mel))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())
    nearly = mel.clone()
    nearly[0, 0, 0] += 1e-6
    assert (vocoder(nearly) - first).abs().max() > 0.1 * first.std()


def test_statistics_standardise_the_mel() -> None:
    vocoder = vocoder_of()
    state = dict(vocoder.network.state_dict())
    mean, scale = torch.randn(80), torch.rand(80) + 0.5
    told = build(replace(CARD, model=SMALL), state | {"mean": mean, "scale": scale})
    mel = torch.randn(1, 80, 3)
    torch.testing.assert_close(
        told._make(told._scale(mel), mel), vocoder._make((mel - mean[:, None]) / scale[:, None], mel)
    )


def test_a_checkpoint_is_loaded_strictly() -> None:
    state = dict(vocoder_of().network.state_dict()) | {"mean": torch.zeros(80), "scale": torch.ones(80)}
    build(replace(CARD, model=SMALL), state)
    for broken in ("mean", "first_conv.bias", "conv_layers.5.conv1x1_skip.weight"):
        with pytest.raises(AvfakeError, match=re.escape(broken)):
            build(replace(CARD, model=SMALL), {key: tensor for key, tensor in state.items() if key != broken})


@pytest.mark.parametrize("name", [name for name in load_cards() if name.startswith("parallel-wavegan.")])
def test_every_card_makes_as_many_samples_as_its_mel_says(name: str) -> None:
    vocoder = load_vocoder(name, weights=False)
    made = vocoder(torch.full((1, 80, 2), -3.0))
    assert made.shape == (1, vocoder.mel.hop_length)
    assert made.isfinite().all()


@pytest.mark.parametrize("model", [{"n_stacks": 4}, {"kernel_size": 4}])
def test_impossible_shapes_are_refused(model: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(model))):
        ParallelWaveGanConfig(**(SMALL | model))
