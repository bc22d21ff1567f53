"""Pauses of a resynthesis are as loud as its source's, band by band, and speech keeps its dynamics."""

import numpy as np
import pytest

from avfake.audio.filters import split_bands
from avfake.audio.measure import loudness_db
from avfake.audio.pauses import digital_silence, level_pauses, measure_levels
from tests.dummies import Waveform, speech_like, tone

RATE = 22_050
PAUSE = slice(0, round(0.1 * RATE))  # of speech_like


def hiss(level: float) -> Waveform:
    return (level * np.random.default_rng(1).standard_normal(3 * RATE)).astype(np.float32)


@pytest.mark.parametrize("gain_db", [0.0, 6.0])
def test_each_band_of_a_pause_gets_its_own_level(gain_db: float) -> None:
    source = speech_like(3.0) + tone(220, 3.0, peak=0.002)
    fake = (speech_like(3.0) + hiss(0.002)) * np.float32(10 ** (-gain_db / 20))
    levelled = level_pauses(fake, measure_levels(source, RATE), gain_db, RATE, limit_db=40.0)
    edges_hz = (500.0, 4_000.0)
    for band, model in zip(
        split_bands(levelled, edges_hz, RATE), split_bands(source, edges_hz, RATE), strict=True
    ):
        assert loudness_db(band[PAUSE]) == pytest.approx(loudness_db(model[PAUSE]), abs=1.5)


def test_a_pause_is_moved_no_further_than_the_limit() -> None:
    fake = speech_like(3.0) + hiss(0.01)
    levelled = level_pauses(fake, measure_levels(speech_like(3.0), RATE), 0.0, RATE, limit_db=5.0)
    assert loudness_db(levelled[PAUSE]) == pytest.approx(loudness_db(fake[PAUSE]) - 5, abs=0.2)


def test_speech_keeps_its_dynamics() -> None:
    source = tone(200, 3.0)
    fake = source * np.repeat(np.array([1.0, 0.5, 1.0], np.float32), RATE)
    levelled = level_pauses(fake, measure_levels(source, RATE), 0.0, RATE, limit_db=40.0)
    np.testing.assert_allclose(levelled, fake, atol=1e-5)


def test_a_last_frame_that_is_not_full_moves_no_earlier_one() -> None:
    source, fake = speech_like(3.0, RATE), speech_like(3.0, RATE, seed=1)
    whole, shorter = (
        level_pauses(fake[:n_samples], measure_levels(source[:n_samples], RATE), 0.0, RATE, limit_db=40.0)
        for n_samples in (3 * RATE, 3 * RATE - 440)  # a frame is 441 samples
    )
    earlier = slice(0, 2 * RATE)
    np.testing.assert_allclose(shorter[earlier], whole[earlier], rtol=0, atol=1e-6)


def test_digital_silence_is_a_run_of_zeros_and_not_a_zero_crossing() -> None:
    source = np.ones(1_000, np.float32)
    source[100] = source[200:300] = source[990:] = 0
    assert np.array_equal(np.flatnonzero(digital_silence(source, RATE)), np.arange(200, 300))
