"""Smoothing takes out trembling, keeps what moves, does not lag, and does not touch ends."""

import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.faces.smooth import smooth
from avfake.faces.track import FaceTrack
from avfake.video.sample import picture_times


def track(landmarks: NDArray[np.float64]) -> FaceTrack:
    """A track whose box goes with its landmarks, [frames, 5, 2]."""
    n_frames = len(landmarks)
    boxes = np.concatenate([landmarks.min(axis=1), landmarks.max(axis=1)], axis=1).astype(np.float32)
    scores = np.linspace(0, 1, n_frames, dtype=np.float32)
    return FaceTrack(picture_times(n_frames), boxes, landmarks.astype(np.float32), scores)


def path(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Five landmarks that move to the right as given, [frames, 5, 2]."""
    return np.stack([x, 0.5 * x], axis=-1)[:, None] + np.arange(10).reshape(5, 2)


@pytest.mark.parametrize("n_frames", [1, 2, 3, 30])
def test_rest_and_steady_movement_stay_as_they_are_to_the_ends(n_frames: int) -> None:
    for speed in (0.0, 7.0):
        still = track(path(100 + speed * np.arange(n_frames)))
        assert smooth(still).landmarks == pytest.approx(still.landmarks, abs=1e-3)
        assert smooth(still).boxes == pytest.approx(still.boxes, abs=1e-3)
        assert smooth(still).landmarks.dtype == np.float32


def test_trembling_is_reduced() -> None:
    noise = np.random.default_rng(0).standard_normal((3000, 5, 2))
    smoothed = smooth(track(100 + noise)).landmarks
    assert smoothed.std() < 0.75
    assert np.diff(smoothed, axis=0).std() < 0.6 * np.diff(noise, axis=0).std()


def test_a_turn_of_the_head_stays() -> None:
    time_s = np.arange(40) / 10
    turn = 40 / (1 + np.exp(-(time_s - 2) / 0.12))  # 40 pixels, most of it in half a second
    found = smooth(track(path(turn))).landmarks[:, 0, 0]
    assert np.abs(found - turn).max() < 0.05 * 40
    assert found[-1] - found[0] == pytest.approx(40, abs=0.1)


def test_past_and_future_count_alike() -> None:
    rough = path(np.random.default_rng(1).standard_normal(30).cumsum())
    there, back = smooth(track(rough)).landmarks, smooth(track(rough[::-1])).landmarks[::-1]
    assert there == pytest.approx(back, abs=1e-5)


def test_times_and_scores_stay() -> None:
    rough = track(path(np.random.default_rng(2).standard_normal(12)))
    found = smooth(rough)
    assert np.array_equal(found.time_s, rough.time_s)
    assert np.array_equal(found.scores, rough.scores)
