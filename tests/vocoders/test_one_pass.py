"""The vocoder around a network of one pass: lengths, pieces, and the time at which a frame is heard."""

import pytest
import torch
from torch import Tensor, nn

from avfake.vocoders.one_pass import OnePassVocoder
from tests.small_vocoders import SMALL, small_vocoder

NAMES = [name for name in SMALL if name.startswith(("melgan.", "multiband-melgan.", "style-melgan."))]
LOCAL = [name for name in NAMES if not name.startswith("style-melgan")]  # whose sound depends on near frames


def small(name: str) -> OnePassVocoder:
    """A card's vocoder with a narrow and lively network."""
    vocoder = small_vocoder(name)
    assert isinstance(vocoder, OnePassVocoder)
    assert isinstance(vocoder.network, nn.Module)
    for parameter in vocoder.network.parameters():
        parameter.mul_(1.7 if parameter.ndim > 1 else 0.1)  # so that every layer hands on what it gets
    return vocoder


@pytest.fixture(params=NAMES)
def vocoder(request: pytest.FixtureRequest) -> OnePassVocoder:
    return small(request.param)


def mel_of(vocoder: OnePassVocoder, n_clips: int, n_frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    return 4 * torch.rand(n_clips, vocoder.mel.n_mels, n_frames, generator=generator) - 4


@pytest.mark.parametrize("n_frames", [2, 3, 7, 20])
def test_every_length_is_made(vocoder: OnePassVocoder, n_frames: int) -> None:
    made = vocoder(mel_of(vocoder, 2, n_frames))
    assert made.shape == (2, vocoder.mel.n_samples(n_frames))
    assert made.isfinite().all()
    assert made.std() > 1e-3


@pytest.mark.parametrize("name", LOCAL)
def test_a_long_clip_in_pieces_sounds_as_if_made_whole(name: str) -> None:
    vocoder = small(name)
    mel = mel_of(vocoder, 1, 101)
    whole = vocoder(mel)
    vocoder.piece_frames = 34
    torch.testing.assert_close(vocoder(mel), whole, rtol=0, atol=1e-5)
    vocoder.network.reach //= 3
    assert (vocoder(mel) - whole).abs().max() > 1e-5


@pytest.mark.parametrize("n_frames", [40, 41])
@pytest.mark.parametrize("name", LOCAL)
def test_a_frame_is_heard_around_the_middle_of_its_hop(name: str, n_frames: int) -> None:
    vocoder = small(name)
    mel = mel_of(vocoder, 1, n_frames)
    changed = mel.clone()
    changed[:, :, 20] += 1
    difference = (vocoder(mel) - vocoder(changed))[0].abs()
    heard = (difference > difference.max() / 1e6).nonzero().flatten()
    middle = 20.5 * vocoder.mel.hop_length - 0.5
    assert abs((heard[0] + heard[-1]) / 2 - middle) < vocoder.mel.hop_length / 4


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("melgan")])
def test_symmetric_layers_make_a_mirrored_sound_of_a_mirrored_mel(name: str) -> None:
    vocoder = small(name)
    assert isinstance(vocoder.network, nn.Module)
    for parameter in vocoder.network.parameters():
        if parameter.ndim == 3:
            parameter.copy_((parameter + parameter.flip(2)) / 2)
    mel, hop = mel_of(vocoder, 1, 24), vocoder.mel.hop_length
    made, mirrored = vocoder(mel)[0], vocoder(mel.flip(2))[0]
    if vocoder.mel.padding == "center":  # the hop that follows its last frame is not made
        made, mirrored = made[hop:], mirrored[hop:]
    loud = (made - made.mean()).abs().max()
    assert (mirrored.flip(0) - made).abs().max() < 1e-3 * loud
    assert (mirrored - made).abs().max() > 0.1 * loud
