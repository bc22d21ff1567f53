"""A clip is found in its upload at the true times, whatever was done to it; what is not in it is refused."""

import csv
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from avfake.errors import ClipError, ErrorKind
from avfake.video.locate import SHORTEST, locate
from avfake.video.track import FrameTrack, track_frames
from tests.ffpp_world import NTSC, Take
from tests.ffpp_world.footage import Planes
from tests.video.shooting import (
    RATES,
    Film,
    clock,
    joined,
    part_of,
    shoot,
    take_edges_s,
    track_from,
    track_of,
)

FINE = {"size": (426, 240), "crf": 23}
COARSE = {"size": (160, 120), "crf": 40}  # of another shape, too


def errors_ms(clip: FrameTrack, upload: FrameTrack, true_s: np.ndarray) -> np.ndarray:
    return 1000 * np.abs(locate(clip, upload).times_s - true_s)


def refusal(clip: FrameTrack, upload: FrameTrack) -> ErrorKind:
    with pytest.raises(ClipError) as caught:
        locate(clip, upload)
    return caught.value.kind


@pytest.mark.parametrize("look", [FINE, COARSE], ids=["fine", "coarse"])
@pytest.mark.parametrize("rate", RATES)
def test_a_cut_is_found_to_the_frame(
    takes: list[Take], uploads: dict[str, Film], tmp_path: Path, rate: str, look: dict
) -> None:
    upload = uploads[rate]
    start_s, end_s = take_edges_s(takes)[2]
    true_s = upload.times_s[(upload.times_s > start_s + 0.1) & (upload.times_s < end_s - 0.1)]
    claimed = Fraction(round(RATES[rate] or 30))  # what the data set's clips claim is rounded
    clip = shoot(tmp_path / "clip.mp4", takes, true_s, rate=claimed, **look)
    assert errors_ms(clip.track, upload.track, true_s).max() < 1


@pytest.mark.parametrize("claimed", [24, 25, 30, 60])
def test_the_rate_a_clip_claims_is_not_believed(
    takes: list[Take], uploads: dict[str, Film], claimed: int
) -> None:
    upload = uploads["29.97"]
    clip = track_from(upload.track.pictures[200:290], claimed)
    assert errors_ms(clip, upload.track, upload.times_s[200:290]).max() < 1


@pytest.mark.parametrize("into", [Fraction(24), NTSC, Fraction(50)], ids=["24", "29.97", "50"])
def test_a_clip_of_another_rate_is_found_between_frames(
    takes: list[Take], uploads: dict[str, Film], tmp_path: Path, into: Fraction
) -> None:
    start_s, end_s = take_edges_s(takes)[2]
    true_s = start_s + 0.1137 + clock(into, end_s - start_s - 0.2)
    clip = shoot(tmp_path / "clip.mp4", takes, true_s, rate=into, **FINE)
    errors = errors_ms(clip.track, uploads["25"].track, true_s)
    assert errors.max() < 15  # of the upload's 40 ms


@pytest.mark.parametrize("claimed", [24, 25, 30])
def test_an_upload_may_have_lost_every_second_frame(uploads: dict[str, Film], claimed: int) -> None:
    upload = uploads["29.97"].track
    thinned = FrameTrack(*(part[::2] for part in upload))
    clip = track_from(upload.pictures[300:400], claimed)
    assert errors_ms(clip, thinned, upload.times_s[300:400]).max() < 1


def test_a_clip_may_have_lost_every_second_frame(uploads: dict[str, Film]) -> None:
    upload = uploads["29.97"].track
    clip = track_from(upload.pictures[300:400:2], 15)
    assert errors_ms(clip, upload, upload.times_s[300:400:2]).max() < 1


def test_gaps_of_a_clip_are_found(takes: list[Take], uploads: dict[str, Film], tmp_path: Path) -> None:
    upload = uploads["25"]
    first = round(25 * take_edges_s(takes)[2][0])
    numbers = joined(range(first, first + 35), range(first + 41, first + 76), range(first + 88, first + 115))
    clip = shoot(tmp_path / "clip.mp4", takes, upload.times_s[numbers], rate=Fraction(25), **FINE)
    errors = errors_ms(clip.track, upload.track, upload.times_s[numbers])
    assert np.count_nonzero(errors > 1) <= 2  # where a gap lies may be unclear by a frame, its length not
    assert errors.max() < 12 * 40 + 1


@pytest.mark.parametrize("shown", ["square", "blur"])
def test_another_face_does_not_hide_a_clip(
    takes: list[Take], uploads: dict[str, Film], tmp_path: Path, shown: str
) -> None:
    true_s = uploads["25"].times_s[320:400]
    clip = shoot(tmp_path / "x.mp4", takes, true_s, rate=Fraction(30), change=_masked(shown), **FINE)
    assert errors_ms(clip.track, uploads["25"].track, true_s).max() < 1


def test_another_video_is_refused(others: list[Take], uploads: dict[str, Film]) -> None:
    for number, other in enumerate(others):
        for claimed in (25, 30):
            clip = track_from(track_of([other]).pictures, claimed)
            upload = list(uploads.values())[number % len(uploads)]
            assert refusal(clip, upload.track) == ErrorKind.MISALIGNED


@pytest.mark.parametrize(
    "turned",
    [
        lambda pictures: pictures[:, ::-1],
        lambda pictures: pictures[::-1],
        lambda pictures: 255 - pictures,
    ],
    ids=["upside down", "backwards", "negative"],
)
def test_what_is_turned_round_is_another_video(
    uploads: dict[str, Film], turned: Callable[[np.ndarray], np.ndarray]
) -> None:
    upload = uploads["25"].track
    assert refusal(track_from(turned(upload.pictures[300:400])), upload) == ErrorKind.MISALIGNED


def test_what_is_shown_twice_has_no_certain_time(takes: list[Take]) -> None:
    looped = track_of([takes[0], takes[1], takes[2], takes[0]])
    first, second = (round(25 * start_s) for start_s in (0, take_edges_s(takes)[1][0]))
    assert refusal(part_of(looped, slice(first + 5, first + 85)), looped) == ErrorKind.MISALIGNED
    once = part_of(looped, slice(second + 5, second + 85))
    assert errors_ms(once, looped, looped.times_s[second + 5 : second + 85]).max() < 1


def test_a_mirrored_clip_is_found_at_its_time_or_not_at_all(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    for start in range(0, 600, 60):
        mirrored = part_of(upload, slice(start, start + 80))
        mirrored = mirrored._replace(pictures=mirrored.pictures[:, :, ::-1])
        with suppress(ClipError):
            assert errors_ms(mirrored, upload, upload.times_s[start : start + 80]).max() < 1


@pytest.mark.parametrize("speed", [0.8, 0.9, 1.04, 1.25, 1.5])
def test_a_clip_at_another_speed_is_never_found_elsewhere(takes: list[Take], speed: float) -> None:
    upload = track_of(takes)
    true_s = 12 + speed * np.arange(90) / 25
    clip = track_from(upload.pictures[np.rint(true_s * 25).astype(int)])
    with suppress(ClipError):
        assert errors_ms(clip, upload, true_s).max() < 250


def test_a_moving_second_is_enough_and_less_is_refused(uploads: dict[str, Film]) -> None:
    upload = uploads["25"]
    for start in range(20, 400, 60):
        longer = slice(start, start + 40)
        assert errors_ms(part_of(upload.track, longer), upload.track, upload.times_s[longer]).max() < 1
        shorter = part_of(upload.track, slice(start, start + SHORTEST - 1))
        assert refusal(shorter, upload.track) == ErrorKind.TOO_SHORT


def test_a_clip_of_the_least_length_is_found_rightly_or_refused(uploads: dict[str, Film]) -> None:
    upload = uploads["25"]
    n_found = 0
    for start in range(0, 450, 15):
        chosen = slice(start, start + SHORTEST)
        with suppress(ClipError):
            found = locate(part_of(upload.track, chosen), upload.track)
            assert found.times_s == pytest.approx(upload.times_s[chosen], abs=1e-3)
            n_found += 1
    assert n_found >= 15


def test_what_does_not_move_is_refused(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    black, still = np.zeros_like(upload.pictures[:90]), upload.pictures[[300] * 90]
    lightning = np.where(np.arange(90)[:, None, None] % 45 == 0, 255, black).astype(np.uint8)
    rng = np.random.default_rng(0)
    noisy, noisier = (still + rng.integers(0, 2, still.shape, np.uint8) for _ in range(2))
    for pictures, filmed in [(black, black), (still, still), (lightning, lightning), (noisy, noisier)]:
        clip, own = track_from(pictures), track_from(np.concatenate([filmed, filmed[:50]]))
        assert refusal(clip, upload) == ErrorKind.MISALIGNED
        assert refusal(clip, own) == ErrorKind.MISALIGNED
        assert refusal(part_of(upload, slice(300, 390)), own) == ErrorKind.MISALIGNED


def test_an_upload_shorter_than_the_clip_is_refused(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    clip = part_of(upload, slice(300, 400))
    for n_frames in (1, 2, 25, 99):
        short = FrameTrack(*(part[300 : 300 + n_frames] for part in upload))
        assert refusal(clip, short) == ErrorKind.MISALIGNED


def test_a_track_of_one_frame_is_refused(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    one = part_of(upload, slice(7, 8))
    assert refusal(one, upload) == ErrorKind.TOO_SHORT
    assert refusal(one, one) == ErrorKind.TOO_SHORT


@pytest.mark.slow
@pytest.mark.shared
def test_a_real_fake_is_found_by_its_real_background(shared: Path) -> None:
    """Fakes of the data set against their originals: the same scene, another face."""
    with (shared / "data" / "index.csv").open(newline="") as file:
        rows = [Path(row["path"]) for row in csv.DictReader(file) if row["kind"] == "ffpp"]
    originals = {path.stem: shared / "data" / path for path in rows if "original_sequences" in path.parts}
    fakes = [path for path in rows if path.stem.split("_")[0] in originals and "_" in path.stem]
    assert fakes
    for path in fakes:
        fake, upload = (track_frames(video) for video in (shared / "data" / path, originals[path.stem[:3]]))
        clip = part_of(fake, slice(60, 220))
        assert errors_ms(clip, upload, upload.times_s[60:220]).max() < 1
        others = [track_frames(video) for stem, video in originals.items() if stem != path.stem[:3]]
        assert {refusal(clip, other) for other in others} == {ErrorKind.MISALIGNED}


def _masked(shown: str) -> Callable[[Planes, int], Planes]:
    def change(planes: Planes, tick: int) -> Planes:
        changed = planes.copy()
        luma = changed[: len(planes) * 2 // 3]
        height, width = luma.shape
        face = luma[height // 4 : 3 * height // 4, width // 3 : 2 * width // 3]
        face[:] = 90 + 40 * np.sin(tick / 9_000) if shown == "square" else face.mean() + 10 * np.sin(tick)
        return changed

    return change
