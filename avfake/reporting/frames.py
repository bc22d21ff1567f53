"""A few frames of a video, small and square, for pictures about it."""

from pathlib import Path

import av
import numpy as np

from avfake.errors import ClipError, ErrorKind
from avfake.media import open_media


def film_strip(
    path: Path, *, start_s: float, duration_s: float, n_frames: int = 5, size: int = 92, gap: int = 4
) -> np.ndarray:
    """Evenly spaced frames side by side on white.

    Args:
        path: Of the video.
        start_s: Of the window to show, in seconds.
        duration_s: Of the window.
        n_frames: How many.
        size: Side of the square cut from the middle of each frame, in pixels.
        gap: Between two frames, in pixels.

    Returns:
        uint8 [size, n_frames * (size + gap) - gap, 3].

    Raises:
        ClipError: The file is missing, no video, or shorter than the window.
    """
    times = [start_s + (number + 0.5) * duration_s / n_frames for number in range(n_frames)]
    strip = np.full((size, n_frames * (size + gap) - gap, 3), 255, np.uint8)
    for number, picture in enumerate(_pictures_at(path, times, size)):
        strip[:, number * (size + gap) :][:, :size] = picture
    return strip


def _pictures_at(path: Path, times: list[float], size: int) -> list[np.ndarray]:
    """The first frame at or after each of the ascending times; the last one again where the video ends."""
    pictures: list[np.ndarray] = []
    last = None
    with open_media(path) as file:
        for frame in file.decode(video=0) if file.streams.video else ():
            last = frame
            while len(pictures) < len(times) and (frame.time or 0.0) >= times[len(pictures)]:
                pictures.append(_square(frame, size))
            if len(pictures) == len(times):
                break
    if last is None:
        raise ClipError(ErrorKind.NO_VIDEO, f"{path} holds no frame to show")
    return pictures + [_square(last, size)] * (len(times) - len(pictures))


def _square(frame: av.VideoFrame, size: int) -> np.ndarray:
    """Middle of a frame, upright, [size, size, 3]."""
    scale = size / min(frame.width, frame.height)
    width, height = round(frame.width * scale), round(frame.height * scale)
    picture = frame.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray()
    top, left = (height - size) // 2, (width - size) // 2
    upright: np.ndarray = np.rot90(picture[top : top + size, left : left + size], round(frame.rotation / 90))
    return upright
