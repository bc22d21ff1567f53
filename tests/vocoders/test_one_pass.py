"""The vocoder around a network of one pass: timing, edges, and independence of whatever is beside a clip."""

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from avfake.audio.blur import Blur
from avfake.vocoders import melgan, multiband_melgan, style_melgan
from avfake.vocoders.base import MelVocoder
from avfake.vocoders.cards import find_card
from avfake.vocoders.one_pass import OnePassVocoder
from avfake.vocoders.resynthesis import resynthesize
from tests.dummies import speech_like

SMALL: dict[str, tuple[ModuleType, dict[str, Any]]] = {  # card -> its family, and a narrower network
    "melgan.ljspeech": (melgan, {"channels": 32}),
    "melgan.kan-bayashi-ljspeech-v1": (melgan, {"channels": 32}),
    "melgan.kan-bayashi-ljspeech-large-v1": (melgan, {"channels": 64}),
    "multiband-melgan.ljspeech-v2": (multiband_melgan, {"channels": 32}),
    "multiband-melgan.vctk-v2": (multiband_melgan, {"channels": 32}),
    "style-melgan.ljspeech-v1": (style_melgan, {"channels": 8, "noise_channels": 16}),
    "style-melgan.vctk-v1": (style_melgan, {"channels": 8, "noise_channels": 16}),
}
LOCAL = [name for name in SMALL if not name.startswith("style-melgan")]  # whose sound depends on near frames
SPEECH = speech_like(0.6)


def small(name: str, model: Mapping[str, Any] | None = None) -> OnePassVocoder:
    """A card's vocoder with a narrow and lively network."""
    family, narrow = SMALL[name]
    card = find_card(name)
    vocoder: OnePassVocoder = family.build(
        replace(card, model={**card.model, **narrow, **(model or {})}), None
    )
    assert isinstance(vocoder.network, nn.Module)
    for parameter in vocoder.network.parameters():
        parameter.mul_(1.7 if parameter.ndim > 1 else 0.1)  # so that every layer hands on what it gets
    return vocoder


@pytest.fixture(params=SMALL)
def vocoder(request: pytest.FixtureRequest) -> OnePassVocoder:
    return small(request.param)


def mel_of(vocoder: OnePassVocoder, n_clips: int, n_frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    return 4 * torch.rand(n_clips, vocoder.mel.n_mels, n_frames, generator=generator) - 4


def test_vocoder_keeps_its_protocol(vocoder: OnePassVocoder) -> None:
    assert isinstance(vocoder, MelVocoder)
    assert vocoder.name in SMALL
    assert vocoder.checkpoint_sha256 is None


@pytest.mark.parametrize("n_frames", [1, 2, 3, 7, 20])
def test_every_length_is_made(vocoder: OnePassVocoder, n_frames: int) -> None:
    if vocoder.mel.n_samples(n_frames) < 1:
        pytest.skip("no whole hop")
    made = vocoder(mel_of(vocoder, 2, n_frames))
    assert made.shape == (2, vocoder.mel.n_samples(n_frames))
    assert made.isfinite().all()
    assert made.std() > 1e-3


def test_a_clip_gives_the_same_samples_alone_and_among_others(vocoder: OnePassVocoder) -> None:
    mel = mel_of(vocoder, 5, 12)
    together = vocoder(mel)
    assert torch.equal(vocoder(mel[3:4]), together[3:4])
    assert torch.equal(vocoder(mel.transpose(1, 2).contiguous().transpose(1, 2)), together)
    assert not torch.equal(together[0], together[1])
    assert vocoder(mel[:0]).shape == (0, together.shape[1])


def test_the_global_random_state_is_neither_read_nor_touched() -> None:
    for name in SMALL:
        torch.manual_seed(1)
        state = torch.get_rng_state()
        vocoder = small(name)
        first = vocoder(mel_of(vocoder, 1, 6))
        assert torch.equal(state, torch.get_rng_state())
        torch.manual_seed(2)
        assert torch.equal(first, small(name)(mel_of(vocoder, 1, 6)))


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


@pytest.mark.parametrize("name", [name for name in SMALL if name.startswith("melgan")])
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


def test_mel_of_another_shape_is_refused(vocoder: OnePassVocoder) -> None:
    least = 1 + (vocoder.mel.padding == "center")
    for shape in ((80, 20), (1, 70, 20), (1, 80, least - 1)):
        with pytest.raises(ValueError, match=f"wanted .* of at least {least} frames"):
            vocoder(torch.zeros(shape))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_mel_that_is_not_finite_is_refused(vocoder: OnePassVocoder, value: float) -> None:
    mel = mel_of(vocoder, 2, 8)
    mel[1, 5, 3] = value
    with pytest.raises(ValueError, match="NaN or infinite"):
        vocoder(mel)


@pytest.mark.parametrize("n_samples", [1, 1023, 13_000])
def test_a_clip_made_anew_keeps_its_length(vocoder: OnePassVocoder, n_samples: int) -> None:
    made = resynthesize(vocoder, SPEECH[:n_samples], Blur(1.0, 1.0))
    assert made.shape == (n_samples,)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert np.array_equal(made, resynthesize(vocoder, SPEECH[:n_samples], Blur(1.0, 1.0)))


def test_blur_changes_the_sound(vocoder: OnePassVocoder) -> None:
    sharp, blurred = (resynthesize(vocoder, SPEECH, blur) for blur in (Blur(), Blur(2.0, 2.0)))
    assert np.abs(sharp - blurred).max() > 0.01


@pytest.mark.parametrize("sound", [np.zeros(8000), np.full(8000, 0.5), np.eye(1, 8000, 4000)[0]])
def test_sound_that_is_no_speech_stays_finite_and_bounded(vocoder: OnePassVocoder, sound: np.ndarray) -> None:
    made = resynthesize(vocoder, sound.astype(np.float32), Blur(1.0, 1.0))
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 6  # every band of a filter bank at its limit
