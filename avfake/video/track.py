"""A video as small grey pictures with their times: all that finding it inside another one needs."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.files import whole_file
from avfake.video.frames import frame_times
from avfake.video.thumbnails import HEIGHT, WIDTH, Pictures, decode_all, decode_runs

_TYPES = ["int64", "float64", "uint8"]


class FrameTrack(NamedTuple):
    """Frames of a video, small and grey.

    Attributes:
        numbers: Which frame of the video each is, 0-based in order of presentation, [frames].
        times_s: When it is shown, in seconds on the container's clock, [frames].
        pictures: Mean brightness of equal cells of the upright picture, [frames, height, width].
    """

    numbers: NDArray[np.int64]
    times_s: NDArray[np.float64]
    pictures: Pictures


def track_frames(path: Path, spans: Sequence[tuple[int, int]] | None = None) -> FrameTrack:
    """Decode frames of a video into thumbnails.

    Args:
        path: Of a media file.
        spans: First and last number of each run of frames that is wanted; others are skipped by seeking
            where the file allows it. None for all frames.

    Raises:
        ClipError: The file is missing, no media, broken, without video, or shorter than a span asks for.
    """
    times_s = frame_times(path)
    if spans is None:
        numbers, pictures = decode_all(path, times_s)
        return FrameTrack(numbers, times_s[numbers], pictures)
    runs = _merged(spans, path, len(times_s))
    wanted = np.concatenate([np.arange(first, last + 1) for first, last in runs])
    found = decode_runs(path, runs, times_s)
    if found is None:
        numbers, pictures = decode_all(path, times_s)
        if not np.isin(wanted, numbers).all():
            raise ClipError(
                ErrorKind.CORRUPT, f"{path.name} has frames that cannot be decoded; fetch it again"
            )
        found = pictures[np.searchsorted(numbers, wanted)]
    return FrameTrack(wanted, times_s[wanted], found)


def save_track(path: Path, track: FrameTrack) -> None:
    """Write a track to an ``.npz`` file, whole or not at all; the same track gives the same bytes."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **track._asdict())


def load_track(path: Path) -> FrameTrack:
    """Read a track that ``save_track`` wrote.

    Raises:
        ClipError: The file is missing or holds something else.
    """
    broken = ClipError(ErrorKind.CORRUPT, f"{path.name} is no whole frame track; delete it to make it anew")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            track = FrameTrack(*(arrays[name] for name in FrameTrack._fields))
    except FileNotFoundError as error:
        raise ClipError(ErrorKind.NOT_FOUND, f"{path.name!r} cannot be found") from error
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise broken from error
    n_frames = track.numbers.size
    shapes = [(n_frames,), (n_frames,), (n_frames, HEIGHT, WIDTH)]
    if [array.shape for array in track] != shapes or [array.dtype.name for array in track] != _TYPES:
        raise broken
    return track


def _merged(spans: Sequence[tuple[int, int]], path: Path, n_frames: int) -> list[tuple[int, int]]:
    """Spans in order, those that touch made one."""
    runs: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if not 0 <= first <= last:
            raise ValueError(f"span ({first}, {last}) must be two frame numbers, first <= last")
        if last >= n_frames:
            raise ClipError(
                ErrorKind.TOO_SHORT, f"{path.name} has {n_frames} frames; frame {last} is asked of it"
            )
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = runs[-1][0], max(last, runs[-1][1])
        else:
            runs.append((first, last))
    if not runs:
        raise ValueError("spans must name at least one frame; None asks for all")
    return runs
