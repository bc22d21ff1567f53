"""The one way a media file is opened: itself and nothing it points to, with plain words when that fails."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer

from avfake.errors import ClipError, ErrorKind

# Playlists and still images are media to FFmpeg too; a file posing as a video must not make it
# open other files or addresses, nor pass as a film of one frame.
_CONTAINERS = "mov,mp4,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg,wav,mp3,flac,aac"
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
_TIMEOUT_S = 60.0  # for a disk that stops answering
_MAGIC = (b"ftyp", b"moov", b"mdat", b"\x1aE\xdf\xa3", b"RIFF", b"\0\0\x01\xba", b"FLV", b"OggS")


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading.

    Raises:
        ClipError: It is absent, empty, no media file, or broken; also while the block reads it.
    """
    file_size(path)
    source = str(path.absolute())
    try:
        with av.open(source, options=_OPTIONS, metadata_errors="replace", timeout=_TIMEOUT_S) as container:
            yield container
    except av.FFmpegError as error:
        raise _unreadable(path, error) from error


def file_size(path: Path) -> int:
    """Size in bytes of a regular file that holds something.

    Raises:
        ClipError: It is absent, no regular file, or empty.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise ClipError(ErrorKind.NOT_FOUND, f"{path.name!r} cannot be found: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise ClipError(ErrorKind.NOT_MEDIA, f"{path.name!r} is not a regular file")
    if not found.st_size:
        raise ClipError(ErrorKind.CORRUPT, "the file is empty")
    return found.st_size


def _unreadable(path: Path, error: av.FFmpegError) -> ClipError:
    """Tell a broken video from a file that never was one."""
    with path.open("rb") as file:
        head = file.read(512)
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return ClipError(ErrorKind.NOT_MEDIA, "it is a web page, not a video; fetch it again")
    if any(magic in head[:16] for magic in _MAGIC):
        return ClipError(ErrorKind.CORRUPT, f"it is cut off or broken (FFmpeg: {error.strerror})")
    return ClipError(ErrorKind.NOT_MEDIA, f"it is no media file (FFmpeg: {error.strerror})")
