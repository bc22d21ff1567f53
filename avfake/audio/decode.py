"""Sound out of any media file, placed exactly on the time axis of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from avfake.audio.io import SAMPLE_RATE, Waveform
from avfake.errors import ClipError, ErrorKind
from avfake.media import open_media

if TYPE_CHECKING:
    Packet = av.Packet[Any]

LARGEST_GAP_S = 0.1  # of undecodable or missing sound that is filled with zeros rather than refused
_JITTER_S = 0.015  # of time stamps, within which sound is contiguous; one lost packet of Opus is 0.02 s


class DecodedSound(NamedTuple):
    """Sound of a media file, on an axis of time.

    Attributes:
        waveform: Mono, [time]; sample 0 belongs to the axis's zero.
        sample_rate: As in the file, in Hz.
        codec: FFmpeg's name of it.
        channels: Before the mix to mono.
        offset_ms: When the file's sound starts, after sample 0; negative when it started before.
    """

    waveform: Waveform
    sample_rate: int
    codec: str
    channels: int
    offset_ms: float


def decode_sound(path: Path) -> DecodedSound:
    """Decode the first sound track of a media file and place it on the time axis of its video.

    Returns:
        Sound from the first video frame to where the shorter of sound and video ends; all sound of a file
        without video.

    Raises:
        ClipError: The file is missing, is no media file, is truncated, or has no usable sound.
    """
    with open_media(path) as container:
        sound, shown = _Sound(path, container), _Shown()
        pictures = [stream for stream in container.streams.video if stream.average_rate]
        for packet in container.demux([sound.stream, *pictures[:1]]):
            if packet.stream.type == "video":
                shown.note(packet)
            else:
                sound.decode(packet)
        sound.check_whole()
        if not np.isfinite(shown.start_s):
            return sound.cut(0, sound.end)
        first = round((shown.start_s - sound.start_s) * sound.rate)
        last = first + round((shown.end_s - shown.start_s) * sound.rate)
        return sound.cut(first, min(last, sound.end))


def decode_spans(path: Path, spans_s: Sequence[tuple[float, float]]) -> list[DecodedSound]:
    """Decode parts of the first sound track of a media file, in one pass that holds nothing else in memory.

    It starts at the beginning whatever is asked: where a seek lands is an estimate in some containers, and
    counting samples from the first is exact in all.

    Args:
        path: Sound alone, or sound and pictures.
        spans_s: (start, end) of each part, in seconds on the container's clock, in any order.

    Returns:
        Sound of each span, of ``round((end - start) * sample_rate)`` samples, sample 0 at its start to half
        a sample; where up to LARGEST_GAP_S of it does not exist, zeros.

    Raises:
        ClipError: The file is missing, is no media file, or lacks the sound of a span.
    """
    if not all(-np.inf < start_s < end_s < np.inf for start_s, end_s in spans_s):
        raise ValueError(f"spans {spans_s} must be finite and end after they start")
    with open_media(path) as container:
        sound = _Sound(path, container, spans_s)
        for packet in container.demux(sound.stream):
            sound.decode(packet)
            if sound.passed(max(end_s for _, end_s in spans_s)):
                break
        return [sound.between(*span_s) for span_s in spans_s]


@dataclass
class _Shown:
    """When a video is on screen, by the time stamps of its packets."""

    start_s: float = np.inf
    end_s: float = -np.inf

    def note(self, packet: "Packet") -> None:
        if packet.pts is None:
            return
        start_s = float(packet.pts * packet.time_base)
        length_s = float((packet.duration or 0) * packet.time_base) or 1 / float(packet.stream.average_rate)
        self.start_s = min(self.start_s, start_s)
        self.end_s = max(self.end_s, start_s + length_s)


@dataclass
class _Sound:
    """A sound track as it is decoded: pieces, placed by counting samples from the first, and holes."""

    path: Path
    container: InputContainer
    spans_s: Sequence[tuple[float, float]] | None = None  # to keep, on the container's clock; None = all
    zero_s: float = 0.0  # of that clock, by FFmpeg's count
    start_s: float = 0.0  # of the first sample, on that clock
    rate: int = 0  # 0 until something is decoded
    end: int = 0  # place behind the last sample
    pieces: list[tuple[int, Waveform]] = field(default_factory=list)
    holes: list[tuple[int, int]] = field(default_factory=list)
    mono: AudioResampler | None = None

    @property
    def stream(self) -> av.AudioStream:
        """The first sound track."""
        if not self.container.streams.audio:
            raise ClipError(ErrorKind.NO_AUDIO, f"{self.path} has no sound track")
        return self.container.streams.audio[0]

    def decode(self, packet: "Packet") -> None:
        """Take a packet's sound; none of a broken one: the hole shows in the time stamps of what follows."""
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            return
        for frame in frames:
            if isinstance(frame, AudioFrame):
                self._append(frame)

    def passed(self, time_s: float) -> bool:
        """Whether all sound before a time is decoded."""
        return bool(self.rate) and self.start_s + self.end / self.rate > time_s + _JITTER_S

    def check_whole(self) -> None:
        """Refuse a track with too large holes, or one that ends before its header says."""
        self._check(0, self.end)
        promised_s, found_s = self._promised_s(), self.end / self.rate
        if promised_s - found_s > max(LARGEST_GAP_S, 0.02 * promised_s):
            raise ClipError(
                ErrorKind.CORRUPT,
                f"{self.path} is truncated: {found_s:.2f} s of sound, {promised_s:.2f} s by its header",
            )

    def between(self, start_s: float, end_s: float) -> DecodedSound:
        """Sound of a span of the container's clock, of which hardly anything may be missing."""
        first = round((start_s - self.start_s) * self.rate)
        last = first + round((end_s - start_s) * self.rate)
        self._check(first, last)
        return self.cut(first, last)

    def cut(self, first: int, last: int) -> DecodedSound:
        """Samples from one place to before another, zeros where there are none."""
        waveform = np.zeros(max(0, last - first), np.float32)
        for place, piece in self.pieces:
            low, high = max(place, first), min(place + len(piece), last)
            if low < high:
                waveform[low - first : high - first] = piece[low - place : high - place]
        if not np.isfinite(waveform).all():
            raise ClipError(ErrorKind.NOT_FINITE, f"{self.path} holds NaN or infinite samples")
        codec, channels = self.stream.codec_context.name, self.stream.channels
        return DecodedSound(waveform, self.rate, codec, channels, -1000 * first / self.rate)

    def _append(self, frame: AudioFrame) -> None:
        if not self.rate:
            self.rate, self.start_s = frame.sample_rate, frame.time or 0.0
            if self.container.format.name == "mp3":  # has no clock; FFmpeg's counts the encoder's delay too
                self.start_s, self.zero_s = 0.0, self.start_s
        if frame.sample_rate != self.rate:
            raise ClipError(ErrorKind.CORRUPT, f"{self.path} changes its sample rate midway")
        place = self._place(frame)
        if self._wanted(place, place + frame.samples):
            self.pieces.append((place, self._mixed(frame)))
        self.end = place + frame.samples

    def _place(self, frame: AudioFrame) -> int:
        """Where a frame goes: behind the last one, unless its time stamp is clearly another."""
        expected_s = self.zero_s + self.start_s + self.end / self.rate
        step_s = 0.0 if frame.time is None else frame.time - expected_s
        if abs(step_s) <= _JITTER_S:
            return self.end
        if step_s < -LARGEST_GAP_S:
            raise ClipError(ErrorKind.CORRUPT, f"time stamps of {self.path} jump back by {-step_s:.2f} s")
        place = self.end + round(step_s * self.rate)
        self.holes.append((self.end, place))  # turned around, hence of no length, where sound overlaps
        return place

    def _wanted(self, first: int, last: int) -> bool:
        if self.spans_s is None:
            return True
        start_s, end_s = (self.start_s + place / self.rate for place in (first, last))
        return any(start_s < span[1] + _JITTER_S and end_s > span[0] - _JITTER_S for span in self.spans_s)

    def _mixed(self, frame: AudioFrame) -> Waveform:
        """Mix of a frame's channels, [time], in which full scale in all of them stays full scale."""
        self.mono = self.mono or AudioResampler(format="flt", layout="mono", rate=frame.sample_rate)
        try:
            pieces = self.mono.resample(frame)
        except ValueError as error:
            raise ClipError(ErrorKind.CORRUPT, f"{self.path} changes its channels midway") from error
        mixed: Waveform = np.concatenate([piece.to_ndarray()[0] for piece in pieces], dtype=np.float32)
        return mixed / np.float32(_full_scale(frame.layout.name)) if frame.layout.nb_channels > 1 else mixed

    def _check(self, first: int, last: int) -> None:
        """Refuse a stretch of which too much is missing, be it holes or what lies beyond the sound's ends."""
        if not self.end:
            raise ClipError(ErrorKind.CORRUPT, f"nothing of the sound of {self.path} can be decoded")
        holes = sum(max(0, min(last, stop) - max(first, start)) for start, stop in self.holes)
        beyond = max(0, min(last, 0) - first) + max(0, last - max(first, self.end))
        if holes + beyond <= LARGEST_GAP_S * self.rate:
            return
        cut_off = last > self.end and self._promised_s() - self.end / self.rate > LARGEST_GAP_S
        start_s, end_s, found_s = (self.start_s + place / self.rate for place in (first, last, self.end))
        raise ClipError(
            ErrorKind.CORRUPT if holes or cut_off else ErrorKind.NO_AUDIO,
            f"{self.path} lacks {(holes + beyond) / self.rate:.2f} s of the sound from {start_s:.2f} to "
            f"{end_s:.2f} s (it begins at {self.start_s:.2f} s and was found up to {found_s:.2f} s); "
            f"at most {LARGEST_GAP_S} s may be missing",
        )

    def _promised_s(self) -> float:
        """Length of the sound by its header; zero where that says nothing."""
        if self.stream.duration and self.stream.time_base:
            return float(self.stream.duration * self.stream.time_base)
        alone = not self.container.streams.video
        return (self.container.duration or 0) / av.time_base - self.start_s if alone else 0.0


@lru_cache
def _full_scale(layout: str) -> float:
    """What FFmpeg's mix to mono makes of ones in every channel; its floating-point mix does not normalise."""
    n_channels = av.AudioLayout(layout).nb_channels
    ones = AudioFrame.from_ndarray(np.ones((1, n_channels * 16), np.float32), format="flt", layout=layout)
    ones.sample_rate = SAMPLE_RATE
    (mixed,) = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE).resample(ones)
    return float(mixed.to_ndarray().mean())
