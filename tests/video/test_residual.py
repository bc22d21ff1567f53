"""Given times are held against the pictures: the error is measured, and another video refused."""

import numpy as np
import pytest

from avfake.errors import ClipError, ErrorKind
from avfake.video.locate import residual
from avfake.video.track import FrameTrack, track_frames
from tests.ffpp_world import Take
from tests.video.shooting import RATES, Film, joined, part_of, shoot, track_from, track_of


@pytest.fixture(scope="module")
def clips(
    takes: list[Take], uploads: dict[str, Film], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Film]:
    """Frames 300 to 389 of each upload."""
    folder = tmp_path_factory.mktemp("clips")
    return {
        rate: shoot(folder / f"{rate}.mp4", takes, upload.times_s[300:390], size=(426, 240), crf=30)
        for rate, upload in uploads.items()
    }


@pytest.mark.parametrize("late_ms", [-180, -40, -7, 0, 13, 300])
@pytest.mark.parametrize("rate", RATES)
def test_the_error_is_measured_between_frames(
    uploads: dict[str, Film], clips: dict[str, Film], rate: str, late_ms: float
) -> None:
    upload = uploads[rate]
    given_s = upload.times_s[300:390] - late_ms / 1000  # the right times are later by late_ms
    found = residual(clips[rate].track, upload.track, given_s)
    assert found.error_ms == pytest.approx(late_ms, abs=8 if rate == "uneven" else 3)
    assert found.score > 0.5


def test_frames_around_the_times_are_enough(uploads: dict[str, Film], clips: dict[str, Film]) -> None:
    upload = uploads["25"]
    part = track_frames(upload.path, [(280, 410)])
    found = residual(clips["25"].track, part, upload.times_s[300:390])
    assert abs(found.error_ms) < 2


def test_times_with_a_gap_are_right_where_the_clip_has_it(
    takes: list[Take], uploads: dict[str, Film]
) -> None:
    upload = uploads["25"]
    numbers = joined(range(300, 340), range(352, 400))
    clip = part_of(upload.track, numbers)
    assert abs(residual(clip, upload.track, upload.times_s[numbers]).error_ms) < 2
    with pytest.raises(ClipError, match="a part of its pictures") as caught:
        residual(clip, upload.track, upload.times_s[300:388])
    assert caught.value.kind == ErrorKind.MISALIGNED


def test_another_moment_and_another_video_are_refused(
    uploads: dict[str, Film], clips: dict[str, Film], others: list[Take]
) -> None:
    for rate, upload in uploads.items():
        for start in (0, 60, 120, 450):
            refused(clips[rate].track, upload.track, upload.times_s[start : start + 90])
    for other in others:
        clip = track_of([other])
        n_frames = len(clip.times_s)
        refused(clip, uploads["25"].track, uploads["25"].times_s[100 : 100 + n_frames])


def test_what_does_not_move_or_is_too_short_is_refused(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    still = track_from(upload.pictures[[300] * 90])
    refused(still, upload, upload.times_s[300:390])
    refused(part_of(upload, slice(300, 390)), still, still.times_s)
    for n_frames in (1, 2, 10):
        refused(part_of(upload, slice(300, 300 + n_frames)), upload, upload.times_s[300 : 300 + n_frames])
    one = FrameTrack(*(part[:1] for part in upload))
    refused(part_of(upload, slice(300, 390)), one, upload.times_s[300:390])


def test_frames_shown_all_at_once_have_no_times(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    clip = part_of(upload, slice(300, 390))
    at_once = upload._replace(times_s=np.zeros_like(upload.times_s))
    refused(clip, at_once, np.zeros(90))


def test_each_frame_needs_a_time(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    with pytest.raises(ValueError, match="89 times for 90 frames"):
        residual(part_of(upload, slice(300, 390)), upload, upload.times_s[300:389])


def refused(clip: FrameTrack, upload: FrameTrack, times_s: np.ndarray) -> None:
    with pytest.raises(ClipError) as caught:
        residual(clip, upload, times_s)
    assert caught.value.kind in {ErrorKind.MISALIGNED, ErrorKind.TOO_SHORT, ErrorKind.CORRUPT}
