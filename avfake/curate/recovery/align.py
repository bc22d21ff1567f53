"""At what time of its upload each frame of a clip was shown, and how sure that is."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.curate.recovery.config import Align
from avfake.errors import ClipError, ErrorKind
from avfake.video.locate import locate, residual
from avfake.video.track import FrameTrack

_NTSC_ERROR = 0.001  # 30 may stand for 29.97, 24 for 23.976
_FILM_AND_NTSC = (24, 30)


class Alignment(NamedTuple):
    """Where a clip lies in its upload.

    Attributes:
        times_s: [frames] upload time of each frame of the clip.
        how: ``frames`` or ``visual``.
        error_ms: By how much the pictures contradict it; None when there were no pictures to ask.
        score: How well the motion of both agrees, 0 to 1; None likewise.
    """

    times_s: NDArray[np.float64]
    how: str
    error_ms: float | None
    score: float | None


def align(
    clip: FrameTrack,
    upload: FrameTrack,
    frame_list: NDArray[np.int64] | None,
    *,
    way: Align,
    whole_upload: Callable[[], FrameTrack],
) -> Alignment:
    """Align a clip by its list and, where that is absent or wrong and ``way`` allows it, by its pictures.

    Args:
        clip: All frames of the clip.
        upload: Frames of the upload: all, or at least those the list names.
        frame_list: [frames] upload frames the clip was cut from; None when there is no list.
        way: ``frames``, ``visual`` or ``auto``.
        whole_upload: Gives all frames of the upload, for when the list does not fit.

    Raises:
        ClipError: The clip does not lie there, or no list is there and ``way`` wants one.
    """
    if way != "visual" and frame_list is not None:
        try:
            return _by_list(clip, upload, frame_list)
        except ClipError as error:
            if way == "frames" or error.kind != ErrorKind.MISALIGNED:
                raise
            upload = whole_upload()
    elif way == "frames":
        raise ClipError(ErrorKind.MISALIGNED, "there is no frame list for it; use --align visual or auto")
    located = locate(clip, upload)
    return confirm(clip, upload, located.times_s, "visual")


def align_unseen(n_frames: int, frame_list: NDArray[np.int64] | None, fps: float | None) -> Alignment:
    """Align a clip whose upload is there as sound alone, by its list and the upload's nominal frame rate.

    Args:
        n_frames: Of the clip.
        frame_list: As for :func:`align`.
        fps: Of the upload, as its metadata says, perhaps rounded to a whole number.

    Raises:
        ClipError: The list or the rate is missing, or the rate is too coarse to count so far by it.
    """
    if frame_list is None or fps is None:
        raise ClipError(
            ErrorKind.MISALIGNED,
            "its upload is there without pictures, and its frame list with the upload's frame rate is not; "
            "one of both is needed",
        )
    listed = _cut_to(frame_list, n_frames)
    rounded = any(fps % base == 0 for base in _FILM_AND_NTSC)
    if rounded and listed[-1] * _NTSC_ERROR > 0.5:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"its upload is there without pictures, and {fps:g} frames per second may stand for "
            f"{fps / (1 + _NTSC_ERROR):.3f}: at frame {listed[-1]} that is more than half a frame",
        )
    return Alignment(listed / fps, "frames", None, None)


def _by_list(clip: FrameTrack, upload: FrameTrack, frame_list: NDArray[np.int64]) -> Alignment:
    listed = _cut_to(frame_list, len(clip.numbers))
    places = np.searchsorted(upload.numbers, listed)
    if places[-1] == len(upload.numbers) or (upload.numbers[places] != listed).any():
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"its frame list counts to {listed[-1]}, the upload has fewer frames: it is another version",
        )
    return confirm(clip, upload, upload.times_s[places], "frames")


def _cut_to(frame_list: NDArray[np.int64], n_frames: int) -> NDArray[np.int64]:
    """Entries for a clip that may be shorter than its list, as FaceSwap's are, but never longer."""
    if n_frames > len(frame_list):
        raise ClipError(
            ErrorKind.MISALIGNED, f"it has {n_frames} frames, its frame list names {len(frame_list)}"
        )
    return frame_list[:n_frames]


def confirm(clip: FrameTrack, upload: FrameTrack, times_s: NDArray[np.float64], how: str) -> Alignment:
    """Let the pictures judge times that were found ``how``; more than half a frame apart is no alignment.

    Raises:
        ClipError: The clip does not lie there.
    """
    found = residual(clip, upload, times_s)
    frame_ms = 1000 * float(np.median(np.diff(times_s)))
    if abs(found.error_ms) > frame_ms / 2:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"its pictures lie {found.error_ms:+.0f} ms from the times found by {how}; "
            f"at most half a frame, {frame_ms / 2:.0f} ms, is allowed",
        )
    return Alignment(times_s, how, found.error_ms, found.score)
