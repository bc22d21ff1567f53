"""Films of given pictures at given times, in any container, turned by their header where wanted."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TICK_S = Fraction(1, 90_000)
SMALL = (48, 32)  # width, height
_CODECS = {".webm": "libvpx-vp9", ".avi": "mpeg4", ".mpg": "mpeg1video"}
_OPTIONS = {
    "libx264": {"preset": "ultrafast", "bf": "2", "crf": "20", "g": "50"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"},
}


def level(number: int) -> int:
    """Grey of frame ``number``; frames near each other are far from alike."""
    return 30 + number * 37 % 200


def grey(number: int, size: tuple[int, int] = SMALL) -> NDArray[np.uint8]:
    """Frame ``number`` of a film in which greys count the frames."""
    return np.full((size[1], size[0], 3), level(number), np.uint8)


def film(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    times_s: Sequence[float] | NDArray[np.float64],
    *,
    rate: Fraction | int = 25,
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    pixel_shape: Fraction = Fraction(1),
) -> Path:
    """Write pictures, each shown from its time on; in .avi and .mpg, at ``rate``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = _CODECS.get(path.suffix, "libx264")
    tick_s = 1 / Fraction(rate) if path.suffix in (".avi", ".mpg") else TICK_S
    with av.open(str(path), "w", options=options or {}) as file:
        stream = file.add_stream(codec, rate=rate, options=_OPTIONS.get(codec, {"b": "2000000"}))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.codec_context.sample_aspect_ratio = pixel_shape
        stream.pix_fmt, stream.codec_context.time_base, stream.thread_count = pix_fmt, tick_s, 1
        for picture, time_s in zip(pictures, times_s, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = round(time_s / tick_s), tick_s
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def grey_film(
    path: Path,
    times_s: Sequence[float] | NDArray[np.float64],
    *,
    size: tuple[int, int] = SMALL,
    rate: Fraction | int = 25,
) -> Path:
    """A film whose frames are greys that count them."""
    return film(path, [grey(number, size) for number in range(len(times_s))], times_s, rate=rate)


def turned(path: Path, degrees: int) -> Path:
    """Write into an mp4 file that it is to be shown turned clockwise, as telephones do."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    one = 1 << 16
    cosine, sine = {0: (one, 0), 90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    data[matrix : matrix + 36] = struct.pack(">9i", cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path
