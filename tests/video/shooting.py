"""Films of generated takes at any frame rate, size and quality, and clips cut from them."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from avfake.video.thumbnails import HEIGHT, WIDTH
from avfake.video.track import FrameTrack, track_frames
from tests.ffpp_world import FILM, NTSC, Take
from tests.ffpp_world.files import PictureFile, Stream
from tests.ffpp_world.footage import Planes, shown_at

RATES = {"25": Fraction(25), "29.97": NTSC, "23.976": FILM, "uneven": None}
Seconds = NDArray[np.float64]
_TICK_S = Fraction(1, 90_000)


class Film(NamedTuple):
    """A file, what it shows when, and how it looks to avfake."""

    path: Path
    times_s: Seconds  # [frames]
    track: FrameTrack


def clock(rate: Fraction | None, length_s: float) -> Seconds:
    """Times of pictures, [frames]; without a rate they come unevenly, some are lost, the first is late."""
    if rate is not None:
        return np.arange(int(length_s * rate)) / float(rate)
    rng = np.random.default_rng(0)
    times_s = 0.3 + np.arange(int(length_s * 30)) / 30 + rng.uniform(-0.008, 0.008, int(length_s * 30))
    return times_s[rng.random(len(times_s)) > 0.03]


def shoot(
    path: Path,
    takes: Sequence[Take],
    times_s: Seconds,
    *,
    rate: Fraction | None = None,
    size: tuple[int, int] = (256, 144),
    crf: int = 26,
    change: Callable[[Planes, int], Planes] | None = None,
) -> Film:
    """Film the takes as they are at some times, to be shown at these times, or at a rate of the film's own.

    Args:
        path: Of the ``.mp4`` or ``.webm`` file.
        takes: Shown one after the other.
        times_s: Of the pictures, [frames].
        rate: Of the film; None to show each picture at its time.
        size: Width and height.
        crf: Of x264; the larger the worse.
        change: What becomes of each picture.
    """
    shown_s = times_s if rate is None else np.arange(len(times_s)) / float(rate)
    ticks = np.rint(shown_s / float(_TICK_S)).astype(int).tolist()
    with PictureFile(path, Stream(size, None), _TICK_S, rate or Fraction(30), crf=crf, change=change) as file:
        for picture, tick in zip(shown_at(takes, times_s), ticks, strict=True):
            file.write(picture, tick)
    return Film(path, shown_s, track_frames(path))


def joined(*parts: Iterable[int]) -> NDArray[np.int64]:
    """Frame numbers of a clip with gaps between its parts."""
    return np.concatenate([np.fromiter(part, np.int64) for part in parts])


def take_edges_s(takes: Sequence[Take]) -> list[tuple[float, float]]:
    """Start and end of each take in a film that shows them in this order."""
    ends_s = np.cumsum([0.0, *(take.length_s for take in takes)]).tolist()
    return list(pairwise(ends_s))


def track_of(takes: Sequence[Take], rate: int = 25) -> FrameTrack:
    """How takes look to avfake when no encoder comes between."""
    scaler = VideoReformatter()
    pictures = [
        scaler.reformat(frame, WIDTH, HEIGHT, "gray8", interpolation="AREA").to_ndarray()
        for frame in shown_at(takes, clock(Fraction(rate), sum(take.length_s for take in takes)))
    ]
    return track_from(np.stack(pictures), rate)


def track_from(pictures: NDArray[np.uint8], rate: float = 25) -> FrameTrack:
    """A track of given pictures, [frames, HEIGHT, WIDTH], at a constant rate."""
    numbers = np.arange(len(pictures))
    return FrameTrack(numbers, numbers / rate, pictures)


def part_of(track: FrameTrack, numbers: NDArray[np.int64] | slice) -> FrameTrack:
    """Some frames of a track, as a clip that plays them one after the other at 25 Hz."""
    return track_from(track.pictures[numbers])


def grey_film(path: Path, levels: Sequence[int], size: tuple[int, int] = (64, 48)) -> Path:
    """A file whose pictures are each of one grey level, at 25 Hz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for level in levels:
            picture = np.full((size[1], size[0]), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
