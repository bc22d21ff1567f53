import numpy as np
import pytest

from avfake.audio import measure
from avfake.audio.filters import low_pass
from avfake.audio.measure import (
    FLOOR_DB,
    active_speech,
    bandwidth_hz,
    edge_silence,
    log_spectral_distance_db,
    loudness_db,
)
from tests.dummies import speech_like, tone

RATE = 22_050


def test_loudness_of_a_sine_is_3_db_under_its_peak() -> None:
    assert loudness_db(tone(441, 1.0, peak=0.5)) == pytest.approx(20 * np.log10(0.5) - 3.01, abs=0.01)
    assert loudness_db(np.zeros(10, np.float32)) == FLOOR_DB
    assert loudness_db(np.zeros(0, np.float32)) == FLOOR_DB


@pytest.mark.parametrize(("lead_s", "trail_s"), [(0.0, 0.0), (0.5, 0.2), (0.1, 1.0)])
def test_edge_silence_is_found_to_one_frame(lead_s: float, trail_s: float) -> None:
    silence = [1e-5 * np.random.default_rng(0).standard_normal(round(s * RATE)) for s in (lead_s, trail_s)]
    waveform = np.concatenate([silence[0], tone(300, 1.0), silence[1]]).astype(np.float32)
    assert edge_silence(waveform, RATE) == pytest.approx((lead_s, trail_s), abs=0.021)


def test_speech_is_active_where_it_is_loud() -> None:
    waveform = np.concatenate([np.zeros(RATE // 2, np.float32), tone(300, 0.5)])
    active = active_speech(waveform, RATE)
    assert not active[: RATE // 2 - 500].any()
    assert active[RATE // 2 + 500 :].all()
    assert not active_speech(np.zeros(1000, np.float32), RATE).any()


@pytest.mark.parametrize("cutoff_hz", [3_000, 5_500, 8_000])
def test_bandwidth_is_where_a_low_pass_cuts(cutoff_hz: float) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    assert bandwidth_hz(noise, RATE) == pytest.approx(RATE / 2, rel=0.01)
    assert bandwidth_hz(low_pass(noise, cutoff_hz, RATE), RATE) == pytest.approx(cutoff_hz, abs=400)


def test_log_spectral_distance_counts_decibels() -> None:
    waveform = speech_like(2.0)
    assert log_spectral_distance_db(waveform, waveform) == 0
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    assert log_spectral_distance_db(noise, noise * np.float32(0.5)) == pytest.approx(6.02, abs=0.01)


def test_a_long_clip_is_measured_as_its_parts_are(monkeypatch: pytest.MonkeyPatch) -> None:
    speech, other = speech_like(4.0), speech_like(4.0, seed=1)
    whole = log_spectral_distance_db(speech, other), bandwidth_hz(speech, RATE)
    monkeypatch.setattr(measure, "_FRAMES_AT_ONCE", 7)
    assert (log_spectral_distance_db(speech, other), bandwidth_hz(speech, RATE)) == pytest.approx(whole)
