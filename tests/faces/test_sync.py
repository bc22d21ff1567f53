import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.audio import activity
from avfake.audio.io import SAMPLE_RATE
from avfake.faces import sync
from avfake.faces.mouth import N_SHAPES, darkness, mouth_shapes
from avfake.faces.sync import Evidence, closeness, learn, level_mouth, level_sound, no_evidence, see_and_hear
from avfake.video.sample import PICTURES_PER_S
from tests.talking_heads import talk

Signal = NDArray[np.float64]
PEOPLE = range(4)


def signals(number: int, **options: bool) -> tuple[Signal, Signal]:
    head = talk(number, **options)
    bands = activity.speech_bands(head.waveform, SAMPLE_RATE)
    return level_mouth(mouth_shapes(head.crops)).values, level_sound(bands).values


def others(number: int) -> Evidence:
    evidence = no_evidence()
    for other in PEOPLE:
        if other != number:
            evidence = evidence.plus(see_and_hear(*signals(other)))
    return evidence


def made(n_pictures: int, *, lag: int = 0, seed: int = 0) -> tuple[Signal, Signal]:
    """A mouth that is dark while it is loud between 0.7 and 2.5 kHz, ``lag`` moments before."""
    rng = np.random.default_rng(seed)
    loud = rng.standard_normal(2 * n_pictures + 40)
    loud = np.convolve(loud, np.hanning(7), "same")
    mouth = 0.3 * rng.standard_normal((n_pictures, N_SHAPES))
    places = 20 + 2 * np.arange(n_pictures)
    mouth += loud[places, None] * darkness() / np.linalg.norm(darkness())
    sound = rng.standard_normal((2 * n_pictures, activity.N_BANDS))
    heard = loud[20 - lag : 20 - lag + 2 * n_pictures]
    sound[:, 2:8] += 3 * heard[:, None]
    return level_mouth(mouth).values, level_sound(sound).values


def test_rates_and_bands_fit_together() -> None:
    assert activity.BANDS_PER_S == sync.SOUNDS_PER_PICTURE * PICTURES_PER_S
    assert sync.N_BANDS == activity.N_BANDS
    open_bands = activity.band_centres_hz()[sync._OPEN_BANDS]
    assert open_bands[0] == pytest.approx(700, abs=100)
    assert open_bands[-1] == pytest.approx(2500, abs=100)


@pytest.mark.parametrize("lag", [-4, -1, 0, 2, 4])
def test_lag_is_recovered(lag: int) -> None:
    """Positive where the sound is late."""
    mouth, sound = made(60, lag=lag)
    found = closeness(learn(no_evidence()), mouth, sound[None], longest_lag=4)
    assert found.shape == (1, 9)
    assert found.argmax() - 4 == lag


def test_own_sound_is_closer_than_others() -> None:
    for number in PEOPLE:
        mouth, own = signals(number)
        sounds = np.stack([own, *(signals(other)[1] for other in PEOPLE if other != number)])
        found = closeness(learn(others(number)), mouth, sounds, longest_lag=4).max(axis=1)
        assert found[0] > found[1:].max()


def test_what_others_teach_helps() -> None:
    gains = []
    for number in PEOPLE:
        mouth, own = signals(number)
        sounds = np.stack([own, np.roll(own, len(own) // 2, axis=0)])
        for known in (no_evidence(), others(number)):
            right, wrong = closeness(learn(known), mouth, sounds, longest_lag=2).max(axis=1)
            gains.append(right - wrong)
    assert np.mean(gains[1::2]) > np.mean(gains[::2])


def test_what_was_seen_is_found_again() -> None:
    """A coupling of two directions, planted in noise."""
    rng = np.random.default_rng(3)
    mouth, sound = rng.standard_normal((20_000, N_SHAPES)), rng.standard_normal((40_000, sync.N_BANDS))
    sound[::2, 5] = 0.6 * mouth[:, 11] + 0.8 * sound[::2, 5]
    found = learn(see_and_hear(mouth, sound))
    assert found.strengths[0] == pytest.approx(0.6, abs=0.05)
    assert np.abs(found.mouth[:, 0]).argmax() == 11
    assert np.abs(found.sound[:, 0]).argmax() == 5
    assert found.strengths[1] < 0.1


def test_evidence_taken_away_leaves_no_trace() -> None:
    first, second = see_and_hear(*signals(0)), see_and_hear(*signals(1))
    left = no_evidence().plus(first).plus(second).plus(second, times=-1)
    for mine, wanted in zip(left, first, strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-9)


def test_a_still_mouth_is_close_to_nothing() -> None:
    _, own = signals(0)
    rng = np.random.default_rng(0)
    mouth = level_mouth(1e-3 * rng.standard_normal((32, N_SHAPES))).values
    found = closeness(learn(no_evidence()), mouth, np.stack([own, own[::-1]]), longest_lag=4)
    assert np.ptp(found) < 0.01


def test_levelled_signals_do_not_drift() -> None:
    """Neither does a slow change count, nor how strong a signal is."""
    mouth = np.tile(mouth_shapes(talk(2).crops)[:30], (3, 1))
    drift = np.repeat([0.0, 5.0, -3.0], 30)[:, None]
    np.testing.assert_allclose(level_mouth(mouth * 4 + drift).values, level_mouth(mouth).values, atol=1e-5)
    assert level_mouth(mouth * 4).spread == pytest.approx(4 * level_mouth(mouth).spread, rel=1e-5)


def test_nothing_is_seen_without_pictures() -> None:
    empty = np.zeros((0, N_SHAPES)), np.zeros((0, sync.N_BANDS))
    assert level_mouth(empty[0]).spread == level_sound(empty[1]).spread == 0
    assert see_and_hear(*empty).n_pictures == 0
