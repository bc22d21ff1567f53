"""WORLD: pitch survives, blur acts as on a Mel, odd input does no harm."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from avfake.audio.blur import Blur
from avfake.audio.io import resample
from avfake.audio.mel import MelConfig, log_mel
from avfake.vocoders import world
from avfake.vocoders.world import World, _blurred
from tests.dummies import speech_like

VOCODER = World()
SPEECH = speech_like(1.5)


def _pitch(waveform: NDArray[np.float32]) -> NDArray[np.float64]:
    return world.pyworld.harvest(waveform.astype(np.float64), 22_050)[0]


def _envelope() -> NDArray[np.float64]:
    return np.exp(np.random.default_rng(0).normal(-8, 3, (60, 513)))


def test_pitch_survives() -> None:
    before, after = _pitch(SPEECH), _pitch(VOCODER(SPEECH, Blur()))
    voiced = (before > 0) & (after > 0)
    assert voiced.mean() > 0.4
    assert np.median(np.abs(after[voiced] / before[voiced] - 1)) < 0.01


def test_copy_synthesis_is_near_its_mel() -> None:
    pair = torch.from_numpy(np.stack([SPEECH, VOCODER(SPEECH, Blur())]))
    before, after = log_mel(pair, MelConfig())
    assert (after - before).abs().mean() < 0.7


def test_envelope_is_untouched_by_a_blur_of_zero() -> None:
    envelope = _envelope()
    assert np.array_equal(_blurred(envelope, Blur()), envelope)


@pytest.mark.parametrize("blur", [Blur(1e-4, 0.0), Blur(0.0, 1e-4)])
def test_vanishing_blur_vanishes(blur: Blur) -> None:
    envelope = _envelope()
    np.testing.assert_allclose(_blurred(envelope, blur), envelope, rtol=1e-9)


@pytest.mark.parametrize("blur", [Blur(2.0, 0.0), Blur(0.0, 2.0), Blur(1.0, 1.0)])
def test_blur_keeps_a_constant_and_smooths_the_rest(blur: Blur) -> None:
    constant = np.full((30, 513), 1e-4)
    np.testing.assert_allclose(_blurred(constant, blur), constant, rtol=1e-9)
    envelope = _envelope()
    assert np.log(_blurred(envelope, blur)).std() < 0.9 * np.log(envelope).std()


def test_mel_blur_has_one_width_in_bands() -> None:
    width_hz = []
    for hz in (2000.0, 8000.0):
        envelope = np.ones((1, 513))
        peak = round(hz / 22_050 * 1024)
        envelope[0, peak] = np.e
        response = np.log(_blurred(envelope, Blur(mel_sigma=2.0)))[0]
        offsets = np.arange(513) - peak
        width_hz.append(np.sqrt((response * offsets**2).sum() / response.sum()))
    assert width_hz[1] / width_hz[0] == pytest.approx(4, rel=0.15)  # Mel is logarithmic up there


def test_telephone_sound_and_noise_do_not_blow_up() -> None:
    telephone = resample(resample(SPEECH, 22_050, 8000), 8000, 22_050)
    noise = 0.1 * np.random.default_rng(0).standard_normal(22_050).astype(np.float32)
    for sound in (telephone, noise, 1e-4 * SPEECH):
        made = VOCODER(sound, Blur(1.0, 1.0))
        assert np.isfinite(made).all()
        assert np.sqrt(np.mean(made**2)) < 2 * np.sqrt(np.mean(sound**2))
