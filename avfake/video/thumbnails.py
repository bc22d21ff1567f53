"""Frames of a video decoded into small grey pictures: all of them, or runs reached by seeking."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.media import open_media
from avfake.video.frames import picture_stream

HEIGHT, WIDTH = 18, 32  # whatever the video's own shape, so that two renditions of it compare
_REORDERED = 16  # frames that a decoder may hold back to put them in order, at most

Pictures = NDArray[np.uint8]


def decode_all(path: Path, times_s: NDArray[np.float64]) -> tuple[NDArray[np.int64], Pictures]:
    """Decode every frame.

    Args:
        path: Of a media file.
        times_s: When each of its frames is shown, as ``frame_times`` tells, [frames].

    Returns:
        The decoded frames' numbers and pictures, [frames] and [frames, height, width].

    Raises:
        ClipError: The file cannot be decoded, or gives other frames than it promised.
    """
    decoded_s, pictures = [], bytearray()
    with open_media(path) as container:
        stream = picture_stream(container)
        stream.codec_context.thread_type = "NONE"  # stages run one process per core
        tick_s = float(stream.time_base or 1)
        small = _Thumbnails()
        for frame in container.decode(stream):
            decoded_s.append(np.nan if frame.pts is None else frame.pts * tick_s)
            pictures += small(frame)
    numbers = np.arange(len(decoded_s))
    if len(numbers) != len(times_s):  # undecodable ones are left out; the time tells which the others are
        found = _numbers(np.array(decoded_s), times_s)
        if found is None:
            raise ClipError(
                ErrorKind.CORRUPT,
                f"{path.name} gives {len(numbers)} frames and promises {len(times_s)}; fetch it again",
            )
        numbers = found
    return numbers, np.frombuffer(pictures, np.uint8).reshape(-1, HEIGHT, WIDTH)


def decode_runs(path: Path, runs: Sequence[tuple[int, int]], times_s: NDArray[np.float64]) -> Pictures | None:
    """Decode runs of frames, each from the keyframe before it.

    Args:
        path: Of a media file.
        runs: First and last number of each, ascending.
        times_s: When each frame of the file is shown, [frames].

    Returns:
        Pictures of all runs, [frames, height, width]; None where seeking does not lead to exactly these
        frames, so that only ``decode_all`` can tell which is which.

    Raises:
        ClipError: The file cannot be decoded.
    """
    pictures = bytearray()
    with open_media(path) as container:
        stream = picture_stream(container)
        stream.codec_context.thread_type = "NONE"
        tick_s = float(stream.time_base or 1)
        small = _Thumbnails()
        for first, last in runs:
            start_s = times_s[max(0, first - _REORDERED)]
            container.seek(round(start_s / tick_s), stream=stream)
            run = _until(container.decode(stream), times_s[last], tick_s)
            frames = [(time_s, small(frame)) for time_s, frame in run if time_s >= times_s[first]]
            if [time_s for time_s, _ in frames] != times_s[first : last + 1].tolist():
                return None
            pictures += b"".join(picture for _, picture in frames)
    return np.frombuffer(pictures, np.uint8).reshape(-1, HEIGHT, WIDTH)


def _until(frames: Iterator[VideoFrame], end_s: float, tick_s: float) -> Iterator[tuple[float, VideoFrame]]:
    """Frames with their times, up to the one shown at ``end_s``."""
    for frame in frames:
        time_s = np.nan if frame.pts is None else frame.pts * tick_s
        if time_s > end_s:
            return
        yield time_s, frame
        if time_s == end_s:
            return


def _numbers(decoded_s: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Which frames are shown at the decoded times; None where that is not one of them each, in order."""
    numbers = np.minimum(np.searchsorted(times_s, decoded_s), len(times_s) - 1)
    known = len(numbers) > 0 and bool((times_s[numbers] == decoded_s).all())
    return numbers if known and bool((np.diff(numbers) > 0).all()) else None


class _Thumbnails:
    """Shrinks frames; keeps the scaler between them, whose making takes longer than its use."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> bytes:
        turns = round(frame.rotation / 90)
        width, height = (WIDTH, HEIGHT) if turns % 2 == 0 else (HEIGHT, WIDTH)
        small = self._scaler.reformat(frame, width, height, "gray8", interpolation="AREA", threads=1)
        return np.rot90(small.to_ndarray(), turns).tobytes()
