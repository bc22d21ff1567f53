import numpy as np
import pytest

from avfake.audio.align import measure_lag
from tests.dummies import speech_like

RATE = 22_050


@pytest.mark.parametrize("n_samples", [-300, -22, -1, 0, 1, 11, 40, 500])
def test_a_known_shift_is_found_to_a_tenth_of_a_millisecond(n_samples: int) -> None:
    waveform = speech_like(3.0)
    lag_s = measure_lag(waveform, np.roll(waveform, n_samples), RATE)
    assert lag_s is not None
    assert abs(lag_s - n_samples / RATE) < 1e-4


def test_other_phases_do_not_hide_the_shift() -> None:
    waveform = speech_like(3.0)
    spectrum = np.fft.rfft(waveform)
    dispersed = np.fft.irfft(spectrum * np.exp(0.5j * np.pi), len(waveform)).astype(np.float32)
    lag_s = measure_lag(waveform, np.roll(dispersed, 33), RATE)
    assert lag_s is not None
    assert abs(lag_s - 33 / RATE) < 3e-4


def test_a_constant_lag_of_a_long_clip_is_found_in_pieces_of_it() -> None:
    waveform = speech_like(50.0)
    lag_s = measure_lag(waveform, np.roll(waveform, 44), RATE)
    assert lag_s is not None
    assert abs(lag_s - 44 / RATE) < 1e-4


def test_unlike_sounds_have_no_lag() -> None:
    noise = np.random.default_rng(0).standard_normal((2, RATE)).astype(np.float32)
    assert measure_lag(noise[0], noise[1], RATE) is None
    assert measure_lag(np.zeros(RATE, np.float32), noise[1], RATE) is None


@pytest.mark.parametrize("n_samples", [1, 100, 1000])
def test_a_very_short_sound_does_not_break_it(n_samples: int) -> None:
    waveform = speech_like(1.0)[5000 : 5000 + n_samples]
    lag_s = measure_lag(waveform, waveform, RATE)
    assert lag_s is None or abs(lag_s) < 1e-4
