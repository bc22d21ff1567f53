"""Inverse Mel: not negative, and nearer to the Mel bands than librosa's solver."""

import librosa
import numpy as np
import pytest
import torch

from avfake.audio.blur import Blur, blur_mel
from avfake.audio.inverse_mel import invert_mel
from avfake.audio.mel import MelConfig, log_mel, mel_amplitude, mel_filters, mel_to_amplitude
from tests.dummies import speech_like

CONFIGS = [MelConfig(), MelConfig(fmin=80.0, fmax=7600.0, padding="center")]


def _residual(magnitude: np.ndarray, amplitude: np.ndarray, config: MelConfig) -> float:
    """Share of the Mel bands that the magnitudes, [bins, frames], leave unexplained."""
    error = mel_filters(config) @ magnitude - amplitude
    return float(np.linalg.norm(error) / np.linalg.norm(amplitude))


def _speech() -> torch.Tensor:
    return torch.from_numpy(speech_like(1.0))[None]


@pytest.mark.parametrize("config", CONFIGS)
def test_bands_of_a_sound_are_met(config: MelConfig) -> None:
    amplitude = mel_amplitude(_speech(), config)
    magnitude = invert_mel(amplitude, config)
    assert magnitude.shape == (1, 513, amplitude.shape[2])
    assert magnitude.min() >= 0
    assert _residual(magnitude[0].numpy(), amplitude[0].numpy(), config) < 2e-3


@pytest.mark.parametrize("blur", [Blur(), Blur(1.0, 1.0)])
def test_residual_is_no_larger_than_that_of_librosa(blur: Blur) -> None:
    config = MelConfig()
    amplitude = mel_to_amplitude(blur_mel(log_mel(_speech(), config), blur), config)
    ours = invert_mel(amplitude, config)[0].numpy()
    theirs = librosa.util.nnls(mel_filters(config), amplitude[0].double().numpy())
    target = amplitude[0].numpy()
    assert _residual(ours, target, config) <= 1.001 * _residual(theirs, target, config) + 1e-5


def test_nothing_is_put_where_no_band_sees_it() -> None:
    config = MelConfig(fmax=7600.0)
    magnitude = invert_mel(mel_amplitude(_speech(), config), config)
    assert not magnitude[:, round(7600 / 22_050 * 1024) + 1 :].any()


def test_silence_stays_silent() -> None:
    assert not invert_mel(torch.zeros(1, 80, 3), MelConfig()).any()


def test_frames_do_not_know_their_batch() -> None:
    amplitude = mel_amplitude(_speech(), MelConfig())
    both = invert_mel(torch.cat([amplitude, amplitude.flip(2)]), MelConfig())
    torch.testing.assert_close(both[:1], invert_mel(amplitude, MelConfig()), atol=1e-5, rtol=1e-4)
