"""The files a server offers for an upload, and how pictures and sound get into them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import VideoReformatter

from avfake.audio.io import resample
from tests.dummies import Waveform
from tests.ffpp_world.footage import SOUND_RATE, Planes

_BITEXACT = {"fflags": "+bitexact"}
_MUXER = {
    ".webm": _BITEXACT,  # in mp4, every rate's first time stamp shall be a whole number
    ".mp4": _BITEXACT | {"movie_timescale": "1800000"},
    ".m4a": _BITEXACT,
}


class Stream(NamedTuple):
    """What one file holds; when ``every`` is 2, each second picture, at half the frame rate."""

    size: tuple[int, int] | None  # width, height; None: no pictures
    bit_rate: int | None  # of the sound; None: no sound
    sound_rate: int = 44_100
    layout: str = "stereo"
    every: int = 1


STREAMS = {  # of a kind, the worse first
    "silence.m4a": Stream(None, 48_000, 22_050, "mono"),
    "low.m4a": Stream(None, 48_000, 22_050, "mono"),
    "sound.webm": Stream(None, 64_000, 48_000),
    "sound.m4a": Stream(None, 128_000),
    "half.mp4": Stream((256, 144), None, every=2),
    "pictures.webm": Stream((256, 144), None),  # its time stamps are whole milliseconds
    "pictures.mp4": Stream((256, 144), None),
    "high.mp4": Stream((640, 360), None),
    "both.mp4": Stream((320, 180), 96_000),
}


class PictureFile:
    """An H.264 (mp4) or VP9 (webm) file under way, with room for a sound track.

    Args:
        path: Of the file.
        stream: What it is to hold.
        time_base: Unit of the ticks at which pictures are shown, in seconds.
        rate: Nominal, in Hz.
        crf: Of x264; the larger the worse.
        sound: [time] at SOUND_RATE; kept when the stream has sound.
        change: What becomes of each picture, at the size of the file, given its tick.
    """

    def __init__(
        self,
        path: Path,
        stream: Stream,
        time_base: Fraction,
        rate: Fraction,
        *,
        crf: int = 26,
        sound: Waveform | None = None,
        change: Callable[[Planes, int], Planes] | None = None,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(path), "w", options=_MUXER[path.suffix])
        if path.suffix == ".webm":
            codec, options = "vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "40", "b": "0"}
        else:
            codec, options = "libx264", {"preset": "ultrafast", "crf": str(crf), "bf": "2", "g": "120"}
        self._video = self._container.add_stream(codec, rate=rate, options=options)
        self._video.width, self._video.height = stream.size
        self._video.pix_fmt = "yuv420p"
        self._video.codec_context.time_base = self._video.time_base = time_base
        self._video.thread_count = 1  # more threads cut the picture differently on each machine
        self._scaler = VideoReformatter()
        self._audio = _add_sound(self._container, stream) if stream.bit_rate else None
        self._time_base, self._sound, self._change = time_base, sound, change

    def write(self, picture: av.VideoFrame, tick: int) -> None:
        """Add the picture that is shown at ``tick``."""
        size = self._video.width, self._video.height
        frame = self._scaler.reformat(picture, *size, interpolation="BILINEAR")
        if self._change is not None:
            frame = av.VideoFrame.from_ndarray(self._change(frame.to_ndarray(), tick), format="yuv420p")
        frame.pts, frame.time_base = tick, self._time_base
        self._container.mux(self._video.encode(frame))

    def __enter__(self) -> "PictureFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._video.encode(None))
            if self._audio is not None:
                _encode_sound(self._container, self._audio, self._sound)
        self._container.close()


def write_sound(path: Path, sound: Waveform, stream: Stream) -> None:
    """Write sound, [time] at SOUND_RATE, as AAC (m4a) or Opus (webm)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = "webm" if path.suffix == ".webm" else "mp4"
    with av.open(str(path), "w", format=form, options=_MUXER[path.suffix]) as container:
        _encode_sound(container, _add_sound(container, stream), sound)


def _add_sound(container: OutputContainer, stream: Stream) -> av.AudioStream:
    codec = "libopus" if container.format.name == "webm" else "aac"
    rate, layout, bit_rate = stream.sound_rate, stream.layout, stream.bit_rate
    options = {"aac_coder": "fast"} if codec == "aac" else {}
    return container.add_stream(codec, rate=rate, layout=layout, bit_rate=bit_rate, options=options)


def _encode_sound(container: OutputContainer, track: av.AudioStream, sound: Waveform) -> None:
    context = track.codec_context
    rate, layout = context.sample_rate, context.layout.name
    planes = np.tile(resample(sound, SOUND_RATE, rate), (context.layout.nb_channels, 1))
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    cutter = av.AudioResampler(context.format, layout, rate, frame_size=context.frame_size or 960)
    for piece in [*cutter.resample(frame), *cutter.resample(None)]:
        container.mux(track.encode(piece))
    container.mux(track.encode(None))
