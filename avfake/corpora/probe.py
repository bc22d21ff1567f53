"""What a media file holds, from its header and first frame, without decoding the rest."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from avfake.errors import ClipError, ErrorKind
from avfake.media import file_size, open_media

_TOLERANCE_S = 0.5  # headers round, and some muxers do not write how long the last frame lasts
_PACKETS_FOR_FIRST_FRAME = 500
_PICTURE = av.stream.Disposition.attached_pic


@dataclass(frozen=True)
class Probe:
    """The probe columns of the index.

    Attributes:
        size_bytes: Of the file.
        duration_s: Of the video stream, in seconds.
        video_fps: Average frame rate.
        n_frames: Video frames; counted where the container does not say.
        width: Stored width in pixels, before rotation.
        height: Stored height in pixels, before rotation.
        rotation: Degrees clockwise that show it upright, 0 to 359.
        video_codec: FFmpeg's name of the codec.
        has_audio: Whether there is a sound stream.
        audio_codec: FFmpeg's name of its codec, None without sound; so are the next two.
        audio_rate: In Hz.
        audio_channels: How many.
    """

    size_bytes: int
    duration_s: float
    video_fps: float
    n_frames: int
    width: int
    height: int
    rotation: int
    video_codec: str
    has_audio: bool
    audio_codec: str | None
    audio_rate: int | None
    audio_channels: int | None


def probe(path: Path) -> Probe:
    """Look into a media file.

    Raises:
        ClipError: It is absent, empty, not media, cut off, or has no video.
    """
    size = file_size(path)
    with open_media(path) as container:
        return _read(path, container, size)


def _read(path: Path, container: InputContainer, size: int) -> Probe:
    video = next((stream for stream in container.streams.video if not stream.disposition & _PICTURE), None)
    if video is None:
        raise ClipError(ErrorKind.NO_VIDEO, "it has no video stream")
    if video.codec_context is None or not video.width or not video.height:
        raise ClipError(ErrorKind.CORRUPT, "its video stream has no known codec or no picture size")
    _refuse_cut_off(container, size)
    fps = video.average_rate or video.guessed_rate
    rotation = _rotation(container, video)
    if video.frames and video.duration and video.time_base:
        n_frames, duration_s = video.frames, float(video.duration * video.time_base)
    else:
        n_frames, duration_s = _count(path, video.index, fps)
    if not n_frames or not fps:
        raise ClipError(ErrorKind.CORRUPT, "its video stream holds no frame")
    audio = next(iter(container.streams.audio), None)
    sound = None if audio is None else audio.codec_context
    return Probe(
        size_bytes=size,
        duration_s=round(duration_s, 6),
        video_fps=float(fps),
        n_frames=n_frames,
        width=video.width,
        height=video.height,
        rotation=rotation,
        video_codec=video.codec_context.codec.canonical_name,
        has_audio=audio is not None,
        audio_codec=None if sound is None else sound.codec.canonical_name,
        audio_rate=None if sound is None else sound.sample_rate,
        audio_channels=None if sound is None else sound.channels,
    )


def _refuse_cut_off(container: InputContainer, size: int) -> None:
    """Compare the end of the last packet in the header's table with the end of the file."""
    for stream in container.streams:
        if not len(stream.index_entries):
            continue
        last = stream.index_entries[-1]
        if (end := last.pos + last.size) > size:
            raise ClipError(ErrorKind.CORRUPT, f"it is cut off: {size} bytes of at least {end}")


def _rotation(container: InputContainer, video: VideoStream) -> int:
    """Decode the first frame: PyAV shows the display matrix of frames only."""
    video.codec_context.thread_type = "NONE"  # threads would decode many frames ahead
    for number, packet in enumerate(container.demux(video)):
        for frame in packet.decode():
            return -frame.rotation % 360
        if number > _PACKETS_FOR_FIRST_FRAME:
            break
    raise ClipError(ErrorKind.CORRUPT, "no frame of its video stream can be decoded")


def _count(path: Path, index: int, fps: Fraction | None) -> tuple[int, float]:
    """Frames and seconds of one stream whose header does not tell, by reading every packet."""
    n_frames, end = 0, 0.0
    times = []
    with open_media(path) as container:  # anew: a seek to the start may lose the first packet
        for packet in container.demux():
            if not packet.size:
                continue  # marks the end of a stream
            n_frames += packet.stream_index == index
            if packet.pts is not None and packet.time_base is not None:
                start = float(packet.pts * packet.time_base)
                end = max(end, start + float((packet.duration or 0) * packet.time_base))
                if packet.stream_index == index:
                    times.append(start)
        promised = (container.duration or 0) / av.time_base
    if end < promised - _TOLERANCE_S:
        raise ClipError(ErrorKind.CORRUPT, f"it is cut off: {end:.2f} s of {promised:.2f} s")
    frame_s = float(1 / fps) if fps else 0.0
    if len(times) < n_frames:  # MPEG program streams leave some frames without a time
        return n_frames, n_frames * frame_s
    return n_frames, max(times, default=0.0) - min(times, default=0.0) + frame_s
