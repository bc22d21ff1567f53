"""Turning phases moves the peaks, and neither spectrum, loudness nor time."""

import numpy as np
import pytest

from avfake.audio.align import measure_lag
from avfake.audio.filters import low_pass, rumble
from avfake.audio.measure import average_spectrum_db, loudness_db
from avfake.audio.phases import Peaks, peaks_of, turn_to_peaks
from tests.dummies import Waveform, speech_like, tone

RATE = 22_050


def voice(duration_s: float = 3.0) -> Waveform:
    waveform = speech_like(duration_s)
    return waveform - rumble(waveform, RATE)


def turned(waveform: Waveform, wanted: Peaks, **options: tuple[float, ...]) -> Waveform:
    return turn_to_peaks(waveform, wanted, below=np.zeros_like(waveform), sample_rate=RATE, **options)


@pytest.mark.parametrize("change", [0.85, 1.0, 1.1])
def test_the_peak_is_met_and_spectrum_loudness_and_time_stay(change: float) -> None:
    waveform = voice()
    wanted = Peaks(*(change * peak for peak in peaks_of(waveform)))
    found = turned(waveform, wanted)
    assert max(peaks_of(found)) == pytest.approx(max(wanted), rel=0.03)
    assert loudness_db(found) == pytest.approx(loudness_db(waveform), abs=0.05)
    assert abs(measure_lag(waveform, found, RATE) or 0.0) < 5e-4
    spectra = average_spectrum_db(found), average_spectrum_db(waveform)
    assert np.abs(spectra[0] - spectra[1])[10:-10].max() < 1.0


def test_a_waveform_with_its_peaks_stays_as_it_is() -> None:
    waveform = voice()
    np.testing.assert_allclose(turned(waveform, peaks_of(waveform)), waveform, atol=2e-3)


def test_a_waveform_upside_down_is_turned_over() -> None:
    waveform = voice() ** 2
    waveform -= rumble(waveform, RATE)
    wanted = peaks_of(waveform)
    assert wanted.highest > 1.2 * wanted.lowest
    found = peaks_of(turned(-waveform, wanted))
    assert found == pytest.approx(wanted, rel=0.05)


def test_low_frequencies_turned_against_high_ones_reach_what_one_angle_cannot() -> None:
    time_s = np.arange(RATE) / RATE
    harmonics = [np.cos(2 * np.pi * 120 * k * time_s) / 40 for k in range(1, 20)]
    pulses = np.sum(harmonics, axis=0).astype(np.float32)
    wanted = Peaks(0.65 * float(pulses.max()), 0.65 * float(pulses.max()))
    with_steps, without = (max(peaks_of(turned(pulses, wanted, **how))) for how in ({}, {"steps_hz": ()}))
    assert without > 1.1 * max(wanted)
    assert with_steps == pytest.approx(max(wanted), rel=0.03)


def test_what_will_be_added_below_the_voice_counts() -> None:
    waveform, hum = voice(), tone(30, 3.0, peak=0.2)
    wanted = peaks_of(waveform + hum)
    assert max(peaks_of(turned(-waveform, wanted) + hum)) > 1.05 * max(wanted)
    found = turn_to_peaks(-waveform, wanted, below=hum, sample_rate=RATE) + hum
    assert max(peaks_of(found)) == pytest.approx(max(wanted), rel=0.03)


def test_a_clip_cut_off_in_mid_word_does_not_ring_at_the_nyquist_frequency() -> None:
    waveform = low_pass(speech_like(3.0), 8_000, RATE)[RATE // 2 : RATE]
    found = turned(waveform, Peaks(*(0.9 * peak for peak in peaks_of(waveform))))
    assert average_spectrum_db(found)[-1] < average_spectrum_db(waveform).max() - 75


@pytest.mark.parametrize("n_samples", [1, 100, 2_048])
def test_short_sounds_keep_their_length(n_samples: int) -> None:
    waveform = voice()[8_000 : 8_000 + n_samples]
    assert len(turned(waveform, Peaks(0.1, 0.2))) == n_samples
    assert not turned(np.zeros_like(waveform), Peaks(0.1, 0.2)).any()
