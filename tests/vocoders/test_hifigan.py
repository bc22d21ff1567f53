"""HiFi-GAN's own business: two layouts of one network, pieces of a clip, convolutions channels last."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from avfake.audio.blur import Blur
from avfake.errors import AvfakeError
from avfake.vocoders.cards import find_card
from avfake.vocoders.channels_last import Conv, TransposedConv, to_channels_last
from avfake.vocoders.hifigan import HiFiGanConfig, HiFiGanNetwork, build, network_keys
from avfake.vocoders.one_pass import OnePassVocoder
from avfake.vocoders.resynthesis import resynthesize
from tests.dummies import speech_like

CARDS = [
    "hifigan.ljspeech-v2",
    "hifigan.ljspeech-v3",
    "hifigan.kan-bayashi-vctk-v1",
]  # V1 has the shape of V2


def small(name: str) -> OnePassVocoder:
    """The card's vocoder with few channels, and weights that are random but not faint."""
    card = find_card(name)
    vocoder = build(replace(card, model={**card.model, "channels": 32}), None)
    for parameter in vocoder.network.parameters():  # type: ignore[attr-defined]
        parameter.mul_(2)
    return vocoder


@pytest.fixture(params=CARDS)
def vocoder(request: pytest.FixtureRequest) -> OnePassVocoder:
    return small(request.param)


def test_clips_are_as_long_as_promised_and_independent(vocoder: OnePassVocoder) -> None:
    mel = torch.randn(2, vocoder.mel.n_mels, 9) - 3
    made = vocoder(mel)
    assert made.shape == (2, vocoder.mel.n_samples(9))
    assert made.std() > 1e-3
    assert made.abs().max() <= 1
    assert torch.equal(made[1:], vocoder(mel[1:]))
    assert torch.equal(made, vocoder(mel))


def test_pieces_sound_as_the_whole(vocoder: OnePassVocoder) -> None:
    mel = torch.randn(1, vocoder.mel.n_mels, 60) - 3
    whole = vocoder(mel)
    vocoder.piece_frames = 13
    torch.testing.assert_close(vocoder(mel), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("layout", ["jik876", "kan-bayashi"])
@pytest.mark.parametrize("sizes", [{"channels": 16}, {"channels": 16, "upsample_scales": (3, 2)}])
def test_a_sample_depends_on_no_frame_beyond_the_reach(layout: Any, sizes: dict[str, Any]) -> None:
    kernels = tuple(2 * scale for scale in sizes.get("upsample_scales", (8, 8, 2, 2)))
    network = HiFiGanNetwork(HiFiGanConfig(layout=layout, upsample_kernel_sizes=kernels, **sizes), 4)
    mel = torch.zeros(1, 4, 81, requires_grad=True)
    hop = network.hop_length
    with torch.enable_grad():
        network.double()(mel.double())[0, 0, 40 * hop : 41 * hop].square().sum().backward()
    assert mel.grad is not None
    (touched,) = torch.nonzero(mel.grad.abs().sum(dim=(0, 1)), as_tuple=True)
    assert 40 - network.reach <= touched.min() < 40 < touched.max() <= 40 + network.reach


def test_length_time_and_determinism_of_resynthesis(vocoder: OnePassVocoder) -> None:
    speech = speech_like(1.0)
    for n_samples in (1, 100, 1023, 22_050):
        made = resynthesize(vocoder, speech[:n_samples], Blur(1.0, 1.0))
        assert made.shape == (n_samples,)
        assert np.isfinite(made).all()
        torch.manual_seed(n_samples)
        assert np.array_equal(made, resynthesize(vocoder, speech[:n_samples], Blur(1.0, 1.0)))


def test_statistics_standardise_the_mel() -> None:
    card = find_card("hifigan.kan-bayashi-ljspeech-v1")
    card = replace(card, model={**card.model, "channels": 32})
    state = build(card, None).network.state_dict()  # type: ignore[attr-defined]
    theirs = {_kan_bayashi(key): tensor for key, tensor in state.items()}
    assert network_keys(theirs, HiFiGanConfig(layout="kan-bayashi")).keys() == state.keys()
    mean, scale = torch.linspace(-3, -2, 80), torch.linspace(0.5, 1, 80)
    mel = torch.randn(1, 80, 9) - 2
    made = build(card, theirs | {"mean": mean, "scale": scale})(mel)
    assert torch.equal(made, build(card, None)((mel - mean[:, None]) / scale[:, None]))
    with pytest.raises(AvfakeError, match=r"mean and scale .* stats\.h5"):
        build(card, theirs)


def _kan_bayashi(key: str) -> str:
    head, *rest = key.split(".")
    match head:
        case "conv_pre":
            return ".".join(["input_conv", *rest])
        case "conv_post":
            return ".".join(["output_conv", "1", *rest])
        case "ups":
            return ".".join(["upsamples", rest[0], "1", *rest[1:]])
    return ".".join(["blocks", *rest[:3], "1", *rest[3:]])


@pytest.mark.parametrize(("kernel_size", "dilation"), [(3, 1), (7, 3), (11, 5)])
def test_convolutions_are_torch_s(kernel_size: int, dilation: int) -> None:
    conv, hidden = Conv(6, 5, kernel_size, dilation=dilation), torch.randn(2, 6, 40)
    padding = dilation * (kernel_size // 2)
    wanted = functional.conv1d(hidden, conv.weight, conv.bias, 1, padding, dilation)
    torch.testing.assert_close(conv(to_channels_last(hidden))[:, :, 0], wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("kernel_size", "scale"), [(16, 8), (10, 5), (6, 3), (4, 2)])
def test_transposed_convolutions_are_torch_s(kernel_size: int, scale: int) -> None:
    conv, hidden = TransposedConv(6, 5, kernel_size, scale), torch.randn(2, 6, 12)
    padding, spare = scale // 2 + scale % 2, scale % 2
    wanted = functional.conv_transpose1d(hidden, conv.weight, conv.bias, scale, padding, spare)
    assert wanted.shape[2] == 12 * scale
    torch.testing.assert_close(conv(to_channels_last(hidden))[:, :, 0], wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"layout": "espnet"}, {"resblock": "3"}, {"channels": 24}])
def test_other_words_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.* must be"):
        HiFiGanConfig(**wrong)
