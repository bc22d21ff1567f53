"""Where in an upload a clip was cut from, by its pictures alone, and how far given times are from that."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.video.agreement import Agreement, agreement, frame_period_s
from avfake.video.jumps import Offsets, jumps, settle
from avfake.video.pace import Pace, paces
from avfake.video.search import Way, follow, multiply, slices
from avfake.video.track import FrameTrack

SHORTEST = 25  # frames
_LEAST_MOTION = 20.0  # of a clip to be found, in frames that move
_LEAST_MOTION_NEAR = 12.0  # of a clip whose times are known
_LOWEST_SCORE_NEAR = 0.2
_LOWEST_PART = 0.08  # score of one second of a clip; other moments reach it by chance
_NEAR_TIE = 0.03  # of scores of two paces


class Located(NamedTuple):
    """Where a clip lies.

    Attributes:
        times_s: Upload time of each frame of the clip, [frames].
        score: Correlation of the motion of both, 0 to 1.
    """

    times_s: NDArray[np.float64]
    score: float


class Residual(NamedTuple):
    """How far a clip's pictures are from given times.

    Attributes:
        error_ms: Positive when the right times are later.
        score: Correlation of the motion of both at the right times, 0 to 1.
    """

    error_ms: float
    score: float


def locate(clip: FrameTrack, upload: FrameTrack) -> Located:
    """Find the upload's time of every frame of a clip that was cut from it.

    The clip may differ in size, quality, frame rate and in the rate its file claims, a face in it may have
    been exchanged, and it may leave out stretches of the upload.

    Args:
        clip: All its frames.
        upload: Likewise.

    Raises:
        ClipError: The clip is not in the upload, or too short, too still or too ambiguous to be sure.
    """
    n_frames = len(clip.pictures)
    _refuse_short(n_frames, SHORTEST)
    pace, way = _best(clip, upload)
    if not way.certain:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"its pictures are not found in the upload: the best agreement is {max(way.score, 0):.2f}, "
            f"{max(way.lead, 0):.2f} above the next; check that it is the right upload",
        )
    offsets = settle(clip, upload, pace, way.offsets)
    if SHORTEST * len(jumps(offsets)) > n_frames:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"its pictures agree with the upload's in {len(jumps(offsets)) + 1} stretches only, each shorter "
            f"than {SHORTEST} frames; it was made at another speed",
        )
    times_s = _refined(clip, upload, pace, offsets)
    found = agreement(clip, upload, times_s)
    _refuse(found, _LEAST_MOTION)
    return Located(times_s, _share(found.score))


def residual(clip: FrameTrack, upload: FrameTrack, times_s: NDArray[np.float64]) -> Residual:
    """Measure how far a clip's pictures lie from the times its frames are thought to have.

    Args:
        clip: All its frames.
        upload: Frames of the upload, at least those within half a second of the times.
        times_s: Upload time of each frame of the clip, [frames].

    Raises:
        ClipError: The pictures do not agree with the upload's anywhere near, or do not move.
    """
    if len(times_s) != len(clip.pictures):
        raise ValueError(f"{len(times_s)} times for {len(clip.pictures)} frames")
    _refuse_short(len(times_s), math.ceil(_LEAST_MOTION_NEAR))
    found = agreement(clip, upload, times_s)
    _refuse(found, _LEAST_MOTION_NEAR)
    return Residual(1000 * found.offset_s, _share(found.score))


def _best(clip: FrameTrack, upload: FrameTrack) -> tuple[Pace, Way]:
    best: tuple[Pace, Way] | None = None
    if len(upload.pictures) < SHORTEST:
        raise ClipError(ErrorKind.MISALIGNED, f"the upload has only {len(upload.pictures)} frames")
    products = multiply(clip, upload, spans := (1, 1))
    for pace in paces(clip, upload):
        if pace.spans != spans:
            products = multiply(clip, upload, spans := pace.spans)
        way = follow(products, pace, len(clip.pictures))
        if way is None:
            continue
        if best is None or way.value > best[1].value + _NEAR_TIE:
            best = pace, way
        if best[1].certain and not len(jumps(best[1].offsets)):
            break
    if best is None:
        raise ClipError(ErrorKind.MISALIGNED, "the upload is shorter than the clip")
    return best


def _refined(clip: FrameTrack, upload: FrameTrack, pace: Pace, offsets: Offsets) -> NDArray[np.float64]:
    """Times of the clip's frames, where these may lie between the upload's, [frames]."""
    places = offsets + pace.step * np.arange(len(offsets))
    if pace.exact and pace.step >= 1:
        return pace.at(places)
    period_s = frame_period_s(pace.times_s)
    for part in slices(jumps(offsets), len(places)):
        if part.stop - part.start < SHORTEST:
            continue
        piece = FrameTrack(clip.numbers[part], clip.times_s[part], clip.pictures[part])
        found = agreement(piece, upload, pace.at(places[part]))
        if found.n_moving >= _LEAST_MOTION_NEAR:
            shift = found.offset_s / period_s
            places[part] += round(shift / pace.step) * pace.step if pace.exact else shift
    return pace.at(places)


def _refuse_short(n_frames: int, least: int) -> None:
    if n_frames < least:
        raise ClipError(
            ErrorKind.TOO_SHORT,
            f"it has {n_frames} frames; at least {least} are needed to tell by its pictures where it lies",
        )


def _refuse(found: Agreement, least_motion: float) -> None:
    if found.n_moving < least_motion:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"its pictures hardly move: in {found.n_moving:.0f} frames; {least_motion:.0f} are needed",
        )
    if found.score < _LOWEST_SCORE_NEAR:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"its pictures do not agree with the upload's there: {found.score:.2f} of 1, "
            f"{_LOWEST_SCORE_NEAR} is needed; it is another video or another moment",
        )
    if found.worst_part < _LOWEST_PART:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"a part of its pictures does not agree with the upload's: {found.worst_part:.2f} of 1, "
            f"{_LOWEST_PART} is needed; something was cut out or put in",
        )


def _share(score: float) -> float:
    return round(min(max(score, 0.0), 1.0), 4)
