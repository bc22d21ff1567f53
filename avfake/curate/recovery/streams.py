"""Which of an upload's streams are fetched: its best sound, and pictures as small as can be."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from avfake.curate.recovery.reasons import fetch_error
from avfake.errors import ErrorKind

Stream = Mapping[str, Any]  # one of yt-dlp's "formats"

_PROTOCOLS = {"http", "https", "http_dash_segments", "m3u8_native", "m3u8"}  # what yt-dlp fetches by itself
_PLAIN_CODECS = ("avc", "h264", "vp9", "vp09", "vp8")
_LEAST_LINES = 144
_UNREAD_RATE = 30.0  # yt-dlp reads whole rates alone; one it leaves out is a fraction, mostly 30000/1001


class Streams(NamedTuple):
    """What is fetched of an upload.

    Attributes:
        sound: The best stream of sound alone; where there is none, the best of sound and pictures together.
        pictures: The lowest stream of pictures; None where ``sound`` has them, or there are none.
    """

    sound: Stream
    pictures: Stream | None


def choose_streams(info: Mapping[str, Any]) -> Streams:
    """Choose what to fetch of the streams that yt-dlp found, which it lists from worst to best.

    Pictures serve to place a clip in time, and frame lists count the frames of the whole upload. So of the
    streams with the full frame rate (YouTube's 144 lines of a video of 60 Hz have 30) the one with the lowest
    bitrate is taken, of at least 144 lines and in a common codec where there are such. A rate that yt-dlp
    cannot read counts as 30 Hz.

    Raises:
        FetchError: There is no sound among them, or nothing but still images.
    """
    listed = info.get("formats") or [info]
    streams = [stream for stream in listed if stream.get("protocol") in _PROTOCOLS]
    heard = [stream for stream in streams if stream.get("acodec") != "none"]
    seen = [stream for stream in streams if stream.get("vcodec") != "none"]
    if not heard and not seen:
        raise fetch_error(ErrorKind.BOT_WALL, "the server offered no stream of sound or pictures")
    if not heard:
        raise fetch_error(ErrorKind.NO_AUDIO, "none of the upload's streams has sound")
    alone = [stream for stream in heard if stream.get("vcodec") == "none"]
    if not alone:
        return Streams(heard[-1], None)
    return Streams(alone[-1], _lowest(seen))


def _lowest(seen: list[Stream]) -> Stream | None:
    full_rate = max((_rate(stream) for stream in seen), default=0.0)

    def shortcomings(stream: Stream) -> tuple[bool, bool, bool, float, float]:
        lines, codec = stream.get("height"), stream.get("vcodec") or "avc"
        return (
            _rate(stream) < 0.95 * full_rate,
            lines is not None and lines < _LEAST_LINES,
            not codec.startswith(_PLAIN_CODECS),
            stream.get("tbr") or float("inf"),
            lines or float("inf"),
        )

    return min(seen, key=shortcomings, default=None)


def _rate(stream: Stream) -> float:
    return float(stream.get("fps") or _UNREAD_RATE)
