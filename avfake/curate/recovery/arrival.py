"""Whether what a server sent is what was asked for; and by what name it is kept."""

from pathlib import Path
from typing import Any, Literal

import av
from av.container import InputContainer
from yt_dlp.utils import is_html

from avfake.curate.recovery.reasons import fetch_error
from avfake.errors import ClipError, ErrorKind
from avfake.media import open_media

_CONTAINERS = {
    "mov,mp4,m4a,3gp,3g2,mj2": "mp4",
    "matroska,webm": "mkv",
    "mpegts": "ts",
    "mpeg": "mpg",
    "asf": "wmv",
    **{name: name for name in ("avi", "flv", "ogg", "wav", "mp3", "flac", "aac")},
}
_WEBM = {"vp8", "vp9", "av1", "opus", "vorbis"}
EXTENSIONS = (*dict.fromkeys(("m4a", "webm", *_CONTAINERS.values())),)
_KNOW_THEIR_LENGTH = {"mp4", "m4a", "mkv", "webm"}  # the others' is FFmpeg's guess
_N_TRIED = 60  # packets that are decoded: noise of the right length is told from media by a few


def check_arrived(path: Path, holds: Literal["audio", "video"]) -> str:
    """Check that a file, complete as far as the server is concerned, is media and as long as it says.

    The whole file is read, but only its first second or so is decoded.

    Returns:
        Extension that its content calls for, one of ``EXTENSIONS``, whatever name the server gave it.

    Raises:
        FetchError: It is a web page, empty, broken, cut off, or has no such stream.
    """
    try:
        with open_media(path) as container:
            return _check(container, holds)
    except ClipError as error:
        if error.kind in {ErrorKind.NOT_MEDIA, ErrorKind.CORRUPT} and _is_page(path):
            raise fetch_error(ErrorKind.BOT_WALL, "the server sent a web page in place of media") from error
        if error.kind in {ErrorKind.NOT_MEDIA, ErrorKind.CORRUPT}:
            raise fetch_error(ErrorKind.CORRUPT, f"what the server sent is unusable: {error}") from error
        raise


def _check(container: InputContainer, holds: Literal["audio", "video"]) -> str:
    stream = next((stream for stream in container.streams if stream.type == holds), None)
    if stream is None and holds == "audio":
        raise fetch_error(ErrorKind.NO_AUDIO, "the upload has no sound track")
    if stream is None:
        raise ClipError(ErrorKind.CORRUPT, "it holds no pictures")
    extension = _extension(container)
    promised_s = (container.duration or 0) / av.time_base + (container.start_time or 0) / av.time_base
    end_s, tried, failed = 0.0, 0, 0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base:
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream is stream and packet.size and tried < _N_TRIED:
            tried += 1
            failed += not _decodes(packet)
    if 2 * failed >= tried:
        raise ClipError(ErrorKind.CORRUPT, f"{failed} of its first {tried} packets cannot be decoded")
    if extension in _KNOW_THEIR_LENGTH and promised_s - end_s > max(0.5, 0.02 * promised_s):
        raise ClipError(
            ErrorKind.CORRUPT, f"it is cut off: {end_s:.2f} s, and {promised_s:.2f} s by its header"
        )
    return extension


def _extension(container: InputContainer) -> str:
    codecs = {stream.codec_context.name for stream in container.streams if stream.codec_context}
    extension = _CONTAINERS.get(container.format.name)
    if extension is None:
        raise ClipError(ErrorKind.CORRUPT, f"its format {container.format.name} is not of a kind we keep")
    if extension == "mkv" and codecs <= _WEBM:
        return "webm"
    return "m4a" if extension == "mp4" and not container.streams.video else extension


def _decodes(packet: "av.Packet[Any]") -> bool:
    try:
        packet.decode()
    except av.FFmpegError:
        return False
    return True


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(is_html(file.read(512)))
