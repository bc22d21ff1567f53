"""Every way in which frames may follow an upload's is tried, by the clock only where rates differ."""

import numpy as np
import pytest

from avfake.video.pace import paces
from tests.video.shooting import Film, track_from


@pytest.mark.parametrize(
    ("claimed", "steps", "by_the_clock"),
    [
        (30, [1], False),
        (29.97, [1], False),
        (25, [1], True),
        (24, [1], True),
        (15, [1, 2], False),
        (12, [1, 2], True),
        (50, [1, 0.5], True),
        (60, [1, 0.5], False),
    ],
)
def test_half_the_frames_are_missed_only_where_rates_say_so(
    uploads: dict[str, Film], claimed: float, steps: list[float], by_the_clock: bool
) -> None:
    clip = track_from(uploads["25"].track.pictures[:100], claimed)
    found = list(paces(clip, uploads["29.97"].track))
    assert [pace.step for pace in found if pace.exact] == steps
    assert [pace.exact for pace in found[len(steps) :]] == [False] * by_the_clock


def test_by_the_clock_each_place_shows_the_nearest_frame(uploads: dict[str, Film]) -> None:
    upload = uploads["uneven"].track
    *_, pace = paces(track_from(upload.pictures[:50], 25), upload)
    assert np.diff(pace.times_s) == pytest.approx(0.04)
    away_s = np.abs(upload.times_s[:, None] - pace.times_s)
    assert np.abs(upload.times_s[pace.frames] - pace.times_s) == pytest.approx(away_s.min(axis=0))


def test_places_between_frames_have_times_between(uploads: dict[str, Film]) -> None:
    upload = uploads["uneven"].track
    pace = next(paces(upload, upload))
    assert pace.at(np.array([10.0, 10.25])).tolist() == pytest.approx(
        [upload.times_s[10], 0.75 * upload.times_s[10] + 0.25 * upload.times_s[11]]
    )
