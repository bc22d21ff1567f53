import numpy as np
import pytest

from avfake.audio.filters import TRANSITION_HZ, low_pass, rumble, split_bands, with_average_spectrum
from avfake.audio.measure import average_spectrum_db, bandwidth_hz
from tests.dummies import Waveform, speech_like, tone

RATE = 22_050


def noise(peak: float = 0.05) -> Waveform:
    return (peak * np.random.default_rng(0).standard_normal(3 * RATE)).astype(np.float32)


@pytest.mark.parametrize("cutoff_hz", [2_000, 5_000, 9_000])
def test_a_low_pass_keeps_what_is_below_without_delay_and_stops_what_is_above(cutoff_hz: float) -> None:
    below, above = tone(cutoff_hz - TRANSITION_HZ - 100, 1.0), tone(cutoff_hz + 100, 1.0)
    inner = slice(1000, -1000)  # the filter rings where a tone starts and stops
    assert np.abs(low_pass(below, cutoff_hz, RATE) - below)[inner].max() < 1e-4
    assert np.abs(low_pass(above, cutoff_hz, RATE))[inner].max() < 1e-4


def test_a_low_pass_neither_delays_nor_shortens() -> None:
    pulse = np.zeros(2_001, np.float32)
    pulse[1_000] = 0.5
    filtered = low_pass(pulse, 8_000, RATE)
    assert len(filtered) == len(pulse)
    assert filtered.argmax() == 1_000
    assert filtered == pytest.approx(filtered[::-1], abs=1e-7)


@pytest.mark.parametrize("n_samples", [1, 100, 500])
def test_sound_shorter_than_the_filter_keeps_its_length(n_samples: int) -> None:
    assert len(low_pass(noise()[:n_samples], 8_000, RATE)) == n_samples


def test_a_cut_off_at_half_the_sample_rate_changes_nothing() -> None:
    assert np.array_equal(low_pass(noise(), RATE / 2, RATE), noise())


def test_a_band_edge_is_taken_over() -> None:
    model = low_pass(noise(), 6_000, RATE)
    edged = with_average_spectrum(noise(), average_spectrum_db(model))
    assert bandwidth_hz(edged, RATE) == pytest.approx(bandwidth_hz(model, RATE), abs=250)
    band = slice(20, 260)  # up to 5.6 kHz
    difference = average_spectrum_db(edged)[band] - average_spectrum_db(noise())[band]
    assert np.abs(difference).max() < 0.5


@pytest.mark.parametrize(("tint_db", "left_db"), [(6.0, 0.0), (20.0, 8.0)])
def test_a_tint_within_the_band_is_taken_away_up_to_a_limit(tint_db: float, left_db: float) -> None:
    bass = low_pass(noise(), 3_000, RATE)
    tinted = noise() + np.float32(10 ** (tint_db / 20) - 1) * bass
    untinted = with_average_spectrum(tinted, average_spectrum_db(noise()))
    difference = average_spectrum_db(untinted) - average_spectrum_db(noise())
    assert np.abs(difference[10:100] - left_db).max() < 0.5


def test_bands_add_up_and_hold_what_is_theirs() -> None:
    sound = tone(100, 1.0) + tone(900, 1.0) + tone(6_000, 1.0)
    bands = split_bands(sound, (300.0, 2_000.0), RATE)
    np.testing.assert_allclose(sum(bands), sound, atol=1e-6)
    for band, frequency_hz in zip(bands, (100, 900, 6_000), strict=True):
        np.testing.assert_allclose(band[2000:-2000], tone(frequency_hz, 1.0)[2000:-2000], atol=1e-4)


def test_rumble_is_what_lies_below_the_voice() -> None:
    voice, low = tone(200, 3.0), tone(25, 3.0, peak=0.1)
    middle = slice(RATE // 2, -RATE // 2)
    np.testing.assert_allclose(rumble(voice + low, RATE)[middle], low[middle], atol=1e-4)


def test_a_sound_cut_off_at_its_highest_does_not_ring() -> None:
    humming = np.cos(2 * np.pi * 100 * np.arange(RATE + 1) / RATE).astype(np.float32)
    assert np.abs(rumble(humming, RATE)).max() < 1e-3


@pytest.mark.parametrize("n_samples", [1, 50])
def test_a_sound_shorter_than_the_filters_keeps_its_length(n_samples: int) -> None:
    sound = speech_like(1.0)[5_000 : 5_000 + n_samples]
    assert len(rumble(sound, RATE)) == n_samples
    assert [len(band) for band in split_bands(sound, (300.0,), RATE)] == [n_samples, n_samples]
