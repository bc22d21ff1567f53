"""Upright colour pictures of a video, ten for every second by its clock, whatever its frame rate."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.media import open_media
from avfake.video.frames import frame_times, picture_stream

if TYPE_CHECKING:
    Packet = av.Packet[Any]

PICTURES_PER_S = 10
LARGEST_GAP_S = 0.1  # of frames that cannot be decoded, beyond which a video is refused
_HEADER_S = 0.15  # by which headers may exceed what whole files hold
_TIE_S = 0.001  # to which stamps are exact in any container; of two frames as near, the earlier is taken
_KEPT_BYTES = 384 * 2**20  # of decoded frames: 12 s of Full HD, 27 s of 720p

Picture = NDArray[np.uint8]
Seconds = NDArray[np.float64]


class _Shown(NamedTuple):
    frame: VideoFrame
    n_pictures: int  # that it gives, one after the other


class Pictures:
    """Pictures of a video, uint8 RGB [height, width, 3] each, to be gone through once or more.

    Picture k is the frame nearest to k / 10 s after the first one, for every k before the last frame's end.
    Pixels are taken as they are stored, also where a header calls them oblong: tools that manipulate videos
    lose such headers, and real and fake are to be treated alike.

    A short video stays in memory as it was decoded; a longer one is decoded anew each time.

    Args:
        path: Of a media file.
        frame_rate: Where given, frame i belongs to i / frame_rate seconds whatever its time stamp.

    Raises:
        ClipError: The file is missing, no media, broken, or without video; while the pictures are gone
            through, also where it is cut off, frames in a row cannot be decoded, or their size changes.
    """

    def __init__(self, path: Path, *, frame_rate: float | None = None) -> None:
        if frame_rate is not None and not 0 < frame_rate < np.inf:
            raise ValueError(f"frame_rate={frame_rate} must be a positive number of frames per second")
        self._film = _Film(path, frame_times(path), frame_rate)
        self._kept: list[_Shown] = []

    def __iter__(self) -> Iterator[Picture]:
        upright = _Upright()
        for frame, n_pictures in self._kept or self._decoded():
            picture = upright(frame)
            for _ in range(n_pictures):
                yield picture

    def _decoded(self) -> Iterator[_Shown]:
        kept: list[_Shown] = []
        n_bytes = 0
        for shown in _nearest(self._film.frames()):
            yield shown
            n_bytes += sum(plane.buffer_size for plane in shown.frame.planes)
            kept.append(shown)
            if n_bytes > _KEPT_BYTES:
                kept.clear()
        if n_bytes <= _KEPT_BYTES:
            self._kept = kept


def picture_times(n_pictures: int) -> Seconds:
    """Seconds after the first frame that pictures stand for, [pictures]."""
    times_s: Seconds = np.arange(n_pictures) / PICTURES_PER_S
    return times_s


def _nearest(frames: Iterator[tuple[float, VideoFrame | None]]) -> Iterator[_Shown]:
    """Frames that are the nearest at some moment, with the number of such moments.

    Args:
        frames: Each with the time it is shown, ascending; after the last, None with the time it ends.
    """
    n_pictures, before_s, before = 0, 0.0, None
    for time_s, frame in frames:
        if frame is None:
            until = max(1, ceil((time_s - _TIE_S) * PICTURES_PER_S))
        else:
            until = floor((before_s + time_s + _TIE_S) / 2 * PICTURES_PER_S) + 1
        if before is not None and until > n_pictures:
            yield _Shown(before, until - n_pictures)
            n_pictures = until
        before_s, before = time_s, frame


class _Upright:
    """Makes pictures of frames; keeps the converter between them."""

    def __init__(self) -> None:
        self._converter = VideoReformatter()
        self._shape: tuple[int, ...] = ()

    def __call__(self, frame: VideoFrame) -> Picture:
        stored = self._converter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        picture: Picture = np.ascontiguousarray(np.rot90(stored, round(frame.rotation / 90)), np.uint8)
        if picture.shape != (self._shape or picture.shape):
            height, width, _ = self._shape
            raise ClipError(
                ErrorKind.CORRUPT,
                f"its pictures change from {width}x{height} to {picture.shape[1]}x{picture.shape[0]} pixels "
                "midway; cut it there",
            )
        self._shape = picture.shape
        return picture


@dataclass(frozen=True)
class _Film:
    """A video file as frames in time.

    Attributes:
        path: Of the file.
        stamps_s: When each frame is shown by the container's clock, [frames], ascending.
        frame_rate: By which frames are shown instead; None to keep to the clock.
    """

    path: Path
    stamps_s: Seconds
    frame_rate: float | None

    def frames(self) -> Iterator[tuple[float, VideoFrame | None]]:
        """Each frame that can be decoded with the time it is shown; then None with the time the last ends."""
        with open_media(self.path) as container:
            stream = picture_stream(container)
            stream.codec_context.thread_type = "NONE"  # stages run one process per core
            ends = _Ends(stream)
            number = -1
            for packet in container.demux():
                ends.note(packet)
                for frame in stream.decode(packet) if packet.stream.index == stream.index else ():
                    before, number = number, self._number(frame, number)
                    self._refuse_lost(before + 1, self.stamps_s[number])
                    yield self._time_s(number), frame
            ends.refuse_cut_off(container)
            self._refuse_lost(number + 1, self.stamps_s[-1] + ends.length_s)
            length_s = 1 / self.frame_rate if self.frame_rate else ends.length_s
            yield self._time_s(len(self.stamps_s) - 1) + length_s, None

    def _time_s(self, number: int) -> float:
        """When a frame is shown, after the first."""
        if self.frame_rate:
            return number / self.frame_rate
        return float(self.stamps_s[number] - self.stamps_s[0])

    def _number(self, frame: VideoFrame, before: int) -> int:
        """Which of the file's frames this is, by its stamp or, without one, by counting."""
        if frame.pts is None or frame.time_base is None:
            return min(before + 1, len(self.stamps_s) - 1)
        stamp_s = float(frame.pts * frame.time_base)
        if before >= 0 and (back_s := self.stamps_s[before] - stamp_s) > LARGEST_GAP_S:
            raise ClipError(ErrorKind.CORRUPT, f"time stamps of its frames jump back by {back_s:.2f} s")
        number = int(np.searchsorted(self.stamps_s, stamp_s - _TIE_S))
        return min(max(number, before), len(self.stamps_s) - 1)

    def _refuse_lost(self, first: int, until_s: float) -> None:
        """Refuse a video of which no frame between a number and a time could be decoded."""
        if first < len(self.stamps_s) and until_s - self.stamps_s[first] > LARGEST_GAP_S:
            first_s, until_s = (time_s - self.stamps_s[0] for time_s in (self.stamps_s[first], until_s))
            raise ClipError(
                ErrorKind.CORRUPT,
                f"its pictures from {first_s:.2f} to {until_s:.2f} s cannot be decoded; "
                f"at most {LARGEST_GAP_S} s may be missing",
            )


@dataclass
class _Ends:
    """Where a file ends, by its packets.

    Attributes:
        stream: Whose pictures are wanted.
        first_s: When its first frame is shown, by the container's clock.
        last_s: When its last frame is shown.
        length_s: How long that one is shown.
        all_s: When the last of all streams ends.
        broken: Whether the last of all packets is not whole.
    """

    stream: VideoStream
    first_s: float = np.inf
    last_s: float = -np.inf
    length_s: float = 1 / PICTURES_PER_S
    all_s: float = -np.inf
    broken: bool = False

    def note(self, packet: "Packet") -> None:
        """Take a packet's times; those that an edit list discards have none."""
        if packet.size:
            self.broken = packet.is_corrupt
        if packet.pts is None or packet.is_discard:
            return
        start_s = float(packet.pts * packet.time_base)
        length_s = float((packet.duration or 0) * packet.time_base)
        if packet.stream_index == self.stream.index:
            length_s = length_s or 1 / float(self.stream.average_rate or PICTURES_PER_S)
            self.first_s = min(self.first_s, start_s)
            if start_s >= self.last_s:
                self.last_s, self.length_s = start_s, length_s
        self.all_s = max(self.all_s, start_s + length_s)

    def refuse_cut_off(self, container: InputContainer) -> None:
        """Refuse a file that ends within a packet, or before its header says."""
        found_s, promised_s = self.all_s, (container.duration or 0) / av.time_base
        ticks = (
            None if "matroska" in container.format.name else self.stream.duration
        )  # which counts from zero
        if ticks is not None and self.stream.time_base is not None and np.isfinite(self.first_s):
            found_s, promised_s = (
                self.last_s + self.length_s - self.first_s,
                float(ticks * self.stream.time_base),
            )
        if promised_s - found_s > _HEADER_S:
            raise ClipError(
                ErrorKind.CORRUPT,
                f"it is cut off after {found_s:.2f} of {promised_s:.2f} s; fetch it again",
            )
        if self.broken:
            raise ClipError(ErrorKind.CORRUPT, "it is cut off within its last frame; fetch it again")
