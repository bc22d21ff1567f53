from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.audio import blocks
from avfake.audio.blocks import by_blocks, cut_blocks
from avfake.audio.filters import low_pass, rumble, with_average_spectrum
from avfake.audio.measure import average_spectrum_db, frame_levels_db, loudness_db
from avfake.audio.pauses import level_pauses, measure_levels
from avfake.audio.phases import Peaks, turn_to_peaks
from tests.dummies import Waveform, speech_like

RATE = 22_050


@pytest.mark.parametrize("n_samples", [0, 1, 99, 100, 101, 1_000, 1_234])
@pytest.mark.parametrize(("reach", "multiple"), [(0, 1), (37, 1), (37, 30), (500, 7)])
def test_blocks_cover_a_sound_once_and_know_their_neighbourhood(
    monkeypatch: pytest.MonkeyPatch, n_samples: int, reach: int, multiple: int
) -> None:
    monkeypatch.setattr(blocks, "_BLOCK", 100)
    sound, end = np.arange(n_samples), 0
    for heard, place, kept in cut_blocks(n_samples, reach=reach, multiple=multiple):
        assert place.start == end
        end = place.stop
        assert np.array_equal(sound[heard][kept], sound[place])
        assert heard.start % multiple == place.start % multiple == 0
        assert heard.start <= max(0, place.start - reach)
        assert heard.stop >= min(n_samples, place.stop + reach)
    assert end == n_samples


def test_a_moving_average_does_not_see_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = speech_like(0.1)
    average = partial(np.convolve, v=np.full(9, 1 / 9, np.float32), mode="same")
    monkeypatch.setattr(blocks, "_BLOCK", 100)
    np.testing.assert_allclose(by_blocks(average, sound, reach=4), average(sound), atol=1e-7)


def everything(sound: Waveform, other: Waveform) -> list[Waveform]:
    """All that is done to a sound on its way to be matched."""
    return [
        low_pass(sound, 5_000, RATE),
        rumble(sound, RATE),
        with_average_spectrum(sound, average_spectrum_db(other)),
        level_pauses(sound, measure_levels(other, RATE), 3.0, RATE, limit_db=40.0),
        turn_to_peaks(sound, Peaks(0.4, 0.5), below=rumble(other, RATE), sample_rate=RATE),
    ]


def every_level(sound: Waveform) -> list[NDArray[np.float64]]:
    """All levels in decibels that are measured of a sound by blocks."""
    loudness = np.array([loudness_db(sound), loudness_db(sound, sound > 0)])
    return [*measure_levels(sound, RATE), frame_levels_db(sound, RATE), loudness]


@pytest.mark.parametrize("n_samples", [RATE * 2, RATE * 2 + 1, 2 * 9_702 + 5])
def test_what_is_done_by_blocks_is_what_is_done_at_once(
    monkeypatch: pytest.MonkeyPatch, n_samples: int
) -> None:
    sounds = [speech_like(2.5, seed=seed)[3_000:][:n_samples] for seed in (0, 1)]
    whole, levels = everything(*sounds), every_level(sounds[0])
    monkeypatch.setattr(blocks, "_BLOCK", 10_000)
    for made, wanted in zip(everything(*sounds), whole, strict=True):
        np.testing.assert_allclose(made, wanted, atol=3e-6)  # a tenth of the last of 16 bits
    for level_db, wanted_db in zip(every_level(sounds[0]), levels, strict=True):
        np.testing.assert_allclose(level_db, wanted_db, atol=5e-3)
