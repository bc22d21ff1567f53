"""Sound out of any media file, placed exactly on the time axis of its pictures."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from avfake.audio.io import SAMPLE_RATE, Waveform
from avfake.errors import ClipError, ErrorKind
from avfake.media import open_media

if TYPE_CHECKING:
    Packet = av.Packet[Any]

LARGEST_GAP_S = 0.1  # of undecodable or missing sound that is filled with zeros rather than refused
_JITTER_S = (
    0.02  # time stamps of some containers are rounded to milliseconds; below this, sound is contiguous
)


class DecodedSound(NamedTuple):
    """Sound of a media file, on the time axis of its video.

    Attributes:
        waveform: Mono, [time]; sample 0 belongs to the first video frame, the last to where the shorter
            of sound and video ends.
        sample_rate: As in the file, in Hz.
        codec: FFmpeg's name of it.
        channels: Before the mix to mono.
        offset_ms: When the sound starts, after the first video frame; negative sound was cut off.
    """

    waveform: Waveform
    sample_rate: int
    codec: str
    channels: int
    offset_ms: float


def decode_sound(path: Path) -> DecodedSound:
    """Decode the first sound track of a media file and place it on the time axis of its video.

    Raises:
        ClipError: The file is missing, is no media file, is truncated, or has no usable sound.
    """
    with open_media(path) as container:
        return _Demuxer(path, container).run()


@dataclass
class _Demuxer:
    """One pass over the packets: sound is decoded, pictures only give their time stamps."""

    path: Path
    container: av.container.InputContainer
    pieces: list[Waveform] = field(default_factory=list)
    start_s: float | None = None  # of the sound, on the container's clock
    n_samples: int = 0
    mono: AudioResampler | None = None
    gap_s: float = 0.0
    video_start_s: float = float("inf")
    video_end_s: float = float("-inf")

    def run(self) -> DecodedSound:
        if not self.container.streams.audio:
            raise ClipError(ErrorKind.NO_AUDIO, f"{self.path} has no sound track")
        sound = self.container.streams.audio[0]
        pictures = [stream for stream in self.container.streams.video if stream.average_rate]
        for packet in self.container.demux([sound, *pictures[:1]]):
            if packet.stream.type == "video":
                self._note_picture(packet)
            else:
                for frame in _decode(packet):
                    self._append(frame)
        self._check_complete(sound)
        return self._on_video_axis(sound.rate, sound.codec_context.name, sound.channels)

    def _note_picture(self, packet: "Packet") -> None:
        if packet.pts is None:
            return
        start_s = float(packet.pts * packet.time_base)
        length_s = float((packet.duration or 0) * packet.time_base) or 1 / float(packet.stream.average_rate)
        self.video_start_s = min(self.video_start_s, start_s)
        self.video_end_s = max(self.video_end_s, start_s + length_s)

    def _append(self, frame: AudioFrame) -> None:
        rate = frame.sample_rate
        expected_s = (self.start_s or 0.0) + self.n_samples / rate
        time_s = frame.time if frame.time is not None else expected_s
        if self.start_s is None:
            self.start_s = time_s
        elif time_s - expected_s > _JITTER_S:
            n_missing = round((time_s - expected_s) * rate)
            self._check_gap(n_missing / rate)
            self.pieces.append(np.zeros(n_missing, np.float32))
            self.n_samples += n_missing
        self.pieces.append(self._mixed(frame))
        self.n_samples += frame.samples

    def _mixed(self, frame: AudioFrame) -> Waveform:
        """Mix of a frame's channels, [time], in which full scale in all of them stays full scale."""
        self.mono = self.mono or AudioResampler(format="flt", layout="mono", rate=frame.sample_rate)
        try:
            pieces = self.mono.resample(frame)
        except ValueError as error:
            raise ClipError(ErrorKind.CORRUPT, f"{self.path} changes its channels or rate midway") from error
        mixed: Waveform = np.concatenate([piece.to_ndarray()[0] for piece in pieces], dtype=np.float32)
        return mixed / np.float32(_full_scale(frame.layout.name)) if frame.layout.nb_channels > 1 else mixed

    def _check_gap(self, length_s: float) -> None:
        self.gap_s += length_s
        if self.gap_s > LARGEST_GAP_S:
            raise ClipError(
                ErrorKind.CORRUPT,
                f"{self.path} lacks {self.gap_s:.2f} s of sound; at most {LARGEST_GAP_S} s may be missing",
            )

    def _check_complete(self, sound: av.AudioStream) -> None:
        if self.start_s is None or not self.n_samples:
            raise ClipError(
                ErrorKind.CORRUPT, f"{self.path} has a sound track of which nothing can be decoded"
            )
        if sound.duration and sound.time_base:
            promised_s = float(sound.duration * sound.time_base)
            found_s = self.n_samples / sound.rate
            if promised_s - found_s > max(LARGEST_GAP_S, 0.02 * promised_s):
                raise ClipError(
                    ErrorKind.CORRUPT,
                    f"{self.path} is truncated: {found_s:.2f} s of sound, {promised_s:.2f} s by its header",
                )

    def _on_video_axis(self, rate: int, codec: str, channels: int) -> DecodedSound:
        waveform = np.concatenate(self.pieces).astype(np.float32)
        if not np.isfinite(waveform).all():
            raise ClipError(ErrorKind.NOT_FINITE, f"{self.path} holds NaN or infinite samples")
        start_s = self.start_s or 0.0
        has_video = np.isfinite(self.video_start_s)
        offset_s = start_s - self.video_start_s if has_video else 0.0
        offset = round(offset_s * rate)
        waveform = np.pad(waveform, (offset, 0)) if offset > 0 else waveform[-offset:]
        if has_video:
            waveform = waveform[: round((self.video_end_s - self.video_start_s) * rate)]
        return DecodedSound(waveform, rate, codec, channels, 1000 * offset_s)


def _decode(packet: "Packet") -> Iterator[AudioFrame]:
    """Frames of a packet; none of a broken one: the hole shows in the time stamps of what follows."""
    try:
        frames = packet.decode()
    except av.error.InvalidDataError:
        return
    for frame in frames:
        if isinstance(frame, AudioFrame):
            yield frame


@lru_cache
def _full_scale(layout: str) -> float:
    """What FFmpeg's mix to mono makes of ones in every channel; its floating-point mix does not normalise."""
    n_channels = av.AudioLayout(layout).nb_channels
    ones = AudioFrame.from_ndarray(np.ones((1, n_channels * 16), np.float32), format="flt", layout=layout)
    ones.sample_rate = SAMPLE_RATE
    (mixed,) = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE).resample(ones)
    return float(mixed.to_ndarray().mean())
