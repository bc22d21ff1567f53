"""When each frame of a video is shown, from its packets alone."""

from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.media import open_media

_COVER = av.stream.Disposition.attached_pic


def frame_times(path: Path) -> NDArray[np.float64]:
    """Find when a player would show each frame of a video, without decoding it.

    Args:
        path: Of a media file; of several video streams the first counts, cover pictures do not.

    Returns:
        Seconds on the container's clock, [frames], ascending.

    Raises:
        ClipError: The file is missing, no media, broken, or has no video frame.
    """
    with open_media(path) as container:
        stream = picture_stream(container)
        stamps: list[int | None] = []
        for packet in container.demux(stream):
            # A packet that an edit list discards is only decoded for the sake of later ones.
            if packet.size and not packet.is_discard:
                stamps.append(packet.pts)
        if not stamps:
            raise ClipError(ErrorKind.CORRUPT, f"{path.name} has a video stream without a frame")
        return _seconds(stamps, stream, path)


def picture_stream(container: InputContainer) -> VideoStream:
    """The video stream that a player would show.

    Raises:
        ClipError: There is none, or its codec or picture size is unknown.
    """
    for stream in container.streams.video:
        if not stream.disposition & _COVER:
            if stream.codec_context is None or not stream.width or not stream.height:
                raise ClipError(ErrorKind.CORRUPT, "its video stream has no known codec or no picture size")
            return stream
    raise ClipError(ErrorKind.NO_VIDEO, "it has no video stream")


def _seconds(stamps: list[int | None], stream: VideoStream, path: Path) -> NDArray[np.float64]:
    """Times of frames in order of presentation, [frames], from their stamps in order of decoding."""
    tick_s = float(stream.time_base or 1)
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) == len(stamps):
        return np.sort(np.array(known, np.float64)) * tick_s
    # A stream that is not indexed may leave frames without a time; such streams have a constant rate.
    rate = stream.average_rate or stream.guessed_rate
    if not rate:
        raise ClipError(ErrorKind.CORRUPT, f"{path.name} tells neither times nor rate of its frames")
    times_s: NDArray[np.float64] = min(known, default=0) * tick_s + np.arange(len(stamps)) / float(rate)
    return times_s
