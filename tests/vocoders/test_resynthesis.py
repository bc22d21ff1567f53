"""Resynthesis keeps time and length for every kind of vocoder, and bounds its memory."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from avfake.audio.blur import Blur
from avfake.audio.mel import MelConfig
from avfake.errors import ClipError, ErrorKind
from avfake.vocoders import pieces
from avfake.vocoders.resynthesis import resynthesize
from tests.dummies import speech_like

Waveform = NDArray[np.float32]
SPEECH = speech_like(4.0)


class ThroughWaveform:
    """Hands the waveform back, changed by a function."""

    name = "through"
    checkpoint_sha256 = None

    def __init__(self, change: Callable[[Waveform], Waveform], sample_rate: int = 22_050) -> None:
        self.change, self.sample_rate = change, sample_rate
        self.lengths: list[int] = []

    def __call__(self, waveform: Waveform, blur: Blur) -> Waveform:
        self.lengths.append(len(waveform))
        return self.change(waveform)


class LoudnessAsNoise:
    """Noise that is as loud as the Mel, frame by frame, on the frames' own time axis."""

    name = "noise"
    checkpoint_sha256 = None

    def __init__(self, mel: MelConfig) -> None:
        self.mel = mel

    def __call__(self, mel: Tensor) -> Tensor:
        loudness = mel.exp().mean(1)
        n_samples, hop = self.mel.n_samples(mel.shape[2]), self.mel.hop_length
        centres = torch.arange(mel.shape[2]) * hop + (hop / 2 if self.mel.padding == "same" else 0)
        envelope = np.interp(np.arange(n_samples), centres, loudness[0])
        return torch.from_numpy(envelope * np.random.default_rng(0).standard_normal(n_samples)).float()[None]


def _unchanged(waveform: Waveform) -> Waveform:
    return waveform


@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 24_000])
def test_other_sample_rates_keep_length_and_time(sample_rate: int) -> None:
    made = resynthesize(ThroughWaveform(_unchanged, sample_rate), SPEECH, Blur())
    assert made.shape == SPEECH.shape
    assert np.corrcoef(made, SPEECH)[0, 1] > 0.999


@pytest.mark.parametrize(
    "mel",
    [
        MelConfig(),
        MelConfig(padding="center"),
        MelConfig(padding="center", sample_rate=24_000, n_fft=2048, hop_length=300, win_length=1200),
    ],
)
@pytest.mark.parametrize("n_samples", [1, 255, 256, 30_001, 88_200])
def test_both_paddings_keep_length_and_time(mel: MelConfig, n_samples: int) -> None:
    made = resynthesize(LoudnessAsNoise(mel), SPEECH[:n_samples], Blur())
    assert made.shape == (n_samples,)
    if n_samples > 80_000:
        levels = [np.convolve(np.abs(sound), np.ones(1024), "same") for sound in (SPEECH, made)]
        assert np.corrcoef(*levels)[0, 1] > 0.9


@pytest.mark.parametrize("delay", [-60, 25, 90])
def test_lag_is_taken_back(delay: int) -> None:
    made = resynthesize(ThroughWaveform(lambda sound: np.roll(sound, delay)), SPEECH, Blur())
    assert np.corrcoef(made, SPEECH)[0, 1] > 0.95


def test_long_clip_is_made_in_pieces_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_PIECE_S", 1.0)
    monkeypatch.setattr(pieces, "_CONTEXT_S", 0.3)
    vocoder = ThroughWaveform(_unchanged)
    made = resynthesize(vocoder, SPEECH, Blur())
    assert len(vocoder.lengths) == 4
    assert max(vocoder.lengths) <= round(1.7 * 22_050)
    np.testing.assert_allclose(made, SPEECH, atol=1e-6)


@pytest.mark.parametrize(
    ("sound", "kind"),
    [(np.zeros(0), ErrorKind.TOO_SHORT), (np.array([0.1, np.nan]), ErrorKind.NOT_FINITE)],
)
def test_unusable_sound_fails_the_clip(sound: NDArray[np.float64], kind: ErrorKind) -> None:
    with pytest.raises(ClipError) as caught:
        resynthesize(ThroughWaveform(_unchanged), sound.astype(np.float32), Blur())
    assert caught.value.kind is kind


def test_broken_vocoder_fails_the_clip() -> None:
    with pytest.raises(ClipError, match="through made NaN"):
        resynthesize(ThroughWaveform(lambda sound: sound * np.float32(np.nan)), SPEECH, Blur())
