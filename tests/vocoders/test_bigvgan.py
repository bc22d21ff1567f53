"""BigVGAN's own business: activations that do not alias, both ways to end, pieces of a clip."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import upfirdn

from avfake.vocoders.antialias import ACTIVATION_REACH, AntiAliasedSnake, low_pass
from avfake.vocoders.bigvgan import BigVganConfig, BigVganNetwork, build
from avfake.vocoders.cards import find_card
from avfake.vocoders.channels_last import to_channels_last
from avfake.vocoders.one_pass import OnePassVocoder

CARDS = ["bigvgan.base-22khz-80band", "bigvgan.v2-44khz-128band-512x"]


@pytest.fixture(params=CARDS)
def vocoder(request: pytest.FixtureRequest) -> OnePassVocoder:
    card = find_card(request.param)
    vocoder = build(replace(card, model={**card.model, "channels": 64}), None)
    for parameter in vocoder.network.parameters():  # type: ignore[attr-defined]
        parameter.mul_(1.5)  # random weights are faint
    return vocoder


def test_clips_are_as_long_as_promised_and_independent(vocoder: OnePassVocoder) -> None:
    mel = torch.randn(2, vocoder.mel.n_mels, 9) - 3
    made = vocoder(mel)
    assert made.shape == (2, vocoder.mel.n_samples(9))
    assert made.std() > 1e-3
    assert made.abs().max() <= 1
    assert torch.equal(made[1:], vocoder(mel[1:]))


def test_pieces_sound_as_the_whole(vocoder: OnePassVocoder) -> None:
    mel = torch.randn(1, vocoder.mel.n_mels, 120) - 3
    whole = vocoder(mel)
    vocoder.piece_frames = 50
    torch.testing.assert_close(vocoder(mel), whole, rtol=0, atol=2e-5)


@torch.inference_mode()
@pytest.mark.parametrize("scales", [(4, 2), (8, 2)])
def test_a_sample_depends_on_no_frame_beyond_the_reach(scales: tuple[int, ...]) -> None:
    kernel_sizes = tuple(2 * scale for scale in scales)
    config = BigVganConfig(channels=8, upsample_scales=scales, upsample_kernel_sizes=kernel_sizes)
    network = BigVganNetwork(config, 4).double()
    mel = torch.randn(1, 4, 161, dtype=torch.float64)
    other = mel.clone()
    other[..., 80] += 1
    changed = (network(other) - network(mel)).view(161, network.hop_length).abs().amax(1)
    touched = torch.nonzero(changed > 1e-14)
    assert 80 - network.reach <= touched.min() < 80 < touched.max() <= 80 + network.reach


@pytest.mark.parametrize("ending", [{"tanh_at_final": False}, {"bias_at_final": False}, {}])
def test_both_ways_to_end(ending: dict[str, Any]) -> None:
    sizes: dict[str, Any] = {"channels": 8, "upsample_scales": (2,), "upsample_kernel_sizes": (4,)}
    network = BigVganNetwork(BigVganConfig(**sizes, **ending), 4).requires_grad_(False)
    assert (network.conv_post.bias is None) == ("bias_at_final" in ending)
    network.conv_post.weight.mul_(100)
    loudest = float(network(torch.randn(1, 4, 50)).abs().max())
    assert loudest == 1 if "tanh_at_final" in ending else 0.9 < loudest <= 1


@torch.inference_mode()
def test_activation_is_the_formula_at_twice_the_rate() -> None:
    activation, signal = AntiAliasedSnake(2), torch.randn(2, 200)
    activation.act.alpha.copy_(torch.tensor([0.3, -0.2]))
    activation.act.beta.copy_(torch.tensor([-0.5, 0.4]))
    alpha, beta = (row.exp()[:, None].numpy() for row in (activation.act.alpha, activation.act.beta))
    taps = low_pass().numpy()
    doubled = upfirdn(2 * taps, np.pad(signal.numpy(), [(0, 0), (9, 9)], "edge"), up=2)
    doubled += np.sin(alpha * doubled) ** 2 / beta
    delayed = np.pad(
        doubled, [(0, 0), (1, 0)]
    )  # by 11 taps in each filter, 9 samples and this one: 15 in all
    wanted = upfirdn(taps, delayed, down=2)[:, 15:215]
    made = activation(to_channels_last(signal[None]))[0, :, 0]
    torch.testing.assert_close(made[:, 9:-9], torch.from_numpy(wanted)[:, 9:-9], rtol=0, atol=1e-5)


@torch.inference_mode()
def test_overtones_do_not_fold_back() -> None:
    activation = AntiAliasedSnake(1)
    activation.act.alpha.fill_(math.log(4.0))
    wave = torch.sin(2 * math.pi * 0.11 * torch.arange(4096.0))  # its eighth harmonic, 0.88, folds to 0.12
    made = activation(wave.view(1, 1, 1, -1)).flatten()
    bare = wave + torch.sin(4 * wave).square()
    spectra = [torch.fft.rfft(sound * torch.hann_window(4096)).abs() for sound in (made, bare)]
    folded = [float(spectrum[485:498].max()) for spectrum in spectra]
    assert folded[0] < 0.05 * folded[1]


@torch.inference_mode()
def test_a_constant_stays_one_to_the_very_ends() -> None:
    made = AntiAliasedSnake(3)(torch.full((1, 3, 1, 40), 0.7))
    torch.testing.assert_close(made, torch.full_like(made, 0.7 + math.sin(0.7) ** 2))


@torch.inference_mode()
def test_an_impulse_reaches_as_far_as_said() -> None:
    made = AntiAliasedSnake(1)(torch.eye(1, 61).roll(30).view(1, 1, 1, 61)).flatten()
    touched = torch.nonzero(made).flatten()
    assert max(30 - touched.min(), touched.max() - 30) <= ACTIVATION_REACH
