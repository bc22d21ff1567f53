"""Which files of a folder are which YouTube upload."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from avfake.errors import AvfakeError, ClipError
from avfake.manifest.splits import ffpp_sequences
from avfake.media import open_media

# Best first, where an upload comes in several: Opus states its delay, MP3 was encoded once more. Raw AAC is
# not among them, as nothing in it tells how much its encoder put before the sound.
_SOUND = ("opus", "ogg", "oga", "weba", "m4a", "mka", "flac", "wav", "mp3")
_VIDEO = ("mp4", "m4v", "mov", "webm", "mkv", "avi", "flv", "ts", "mpg", "mpeg", "wmv", "3gp", "ogv")
_MARKS = ("sound", "pictures", "")  # best first; last come yt-dlp's formats, f140
_ID = "[A-Za-z0-9_-]{11}"
_NAME = re.compile(
    rf"(?:(?P<id>{_ID})|.*\[(?P<id_in_title>{_ID})\])"
    r"(?:\.(?P<mark>sound|pictures|f[A-Za-z0-9_+-]+))?"
    rf"\.(?P<extension>{'|'.join(_SOUND + _VIDEO)})",
    re.DOTALL | re.IGNORECASE,
)
_LAYOUTS = "<id>.mp4, <id>/<id>.mp4, 'Title [<id>].webm', or <id>.m4a beside <id>.mp4"


class Upload(NamedTuple):
    """Files of one YouTube upload.

    Attributes:
        sound: Holds its sound; its pictures too where ``pictures`` is None.
        pictures: Holds its pictures alone, on the same clock; None where one file holds both.
    """

    sound: Path
    pictures: Path | None


def find_uploads(folder: Path) -> dict[str, Upload]:
    """Find the uploads of FaceForensics++ in a folder, by the names of its files.

    A file belongs to an upload if it lies in the folder, or in a folder ``<id>`` in it, and is named
    ``<id>.<ext>`` or ``<anything> [<id>].<ext>``; before the extension, which is one of a container of sound
    or video, there may be ``.sound``, ``.pictures``, or a format of yt-dlp's like ``.f140``. Ids are the 977
    known ones, case and all. Hidden files, and whatever else there is, are left alone. Names come from the
    folder, not from metadata, so that no name leads out of it; links do, if the user put any there.

    Which file of an upload is which: ``.sound`` and extensions of sound hold its sound, ``.pictures`` its
    pictures, any other its pictures when there is sound apart, else both. Only where several others could be
    either are their headers looked into: one with both is preferred to two with one each. Among several of a
    kind the marked ones come first, those with a format last; then the extensions in the order above; then
    those in the folder itself; then the name.

    Args:
        folder: The crawl's own, or a user's.

    Returns:
        Files of each upload by its id, sorted. ``sound`` may turn out to hold no sound, and pictures may be
        in neither: an upload that is there as sound alone has ``pictures=None`` too.

    Raises:
        AvfakeError: The folder cannot be read, or holds none of the uploads.
    """
    files = defaultdict(list)
    known = {sequence.youtube_id for sequence in ffpp_sequences().values()}
    try:
        for file in _list_files(folder, known):
            files[file.youtube_id].append(file)
    except OSError as error:
        raise AvfakeError(f"uploads cannot be read from {error.filename}: {error.strerror}") from error
    if not files:
        raise AvfakeError(
            f"{folder} holds no upload of FaceForensics++; name files by their YouTube id: {_LAYOUTS}"
        )
    return {youtube_id: _choose(sorted(files[youtube_id])) for youtube_id in sorted(files)}


class _File(NamedTuple):
    """One file, in the order of preference."""

    youtube_id: str
    mark: int
    extension: int
    depth: int
    path: Path
    holds: str  # sound, pictures, or either


def _list_files(folder: Path, known: set[str]) -> Iterator[_File]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in known and entry.is_dir():
                with os.scandir(entry) as inner:
                    found = [_recognise(file, {entry.name}, depth=1) for file in inner]
            else:
                found = [_recognise(entry, known, depth=0)]
            yield from filter(None, found)


def _recognise(entry: os.DirEntry[str], known: set[str], *, depth: int) -> _File | None:
    name = _NAME.fullmatch(entry.name)
    youtube_id = name and (name["id"] or name["id_in_title"])
    if name is None or youtube_id not in known or entry.name.startswith(".") or not entry.is_file():
        return None
    mark, extension = (name["mark"] or "").lower(), name["extension"].lower()
    holds = mark if mark in ("sound", "pictures") else "sound" if extension in _SOUND else "either"
    marks, extensions = (*_MARKS, mark), _SOUND + _VIDEO
    return _File(youtube_id, marks.index(mark), extensions.index(extension), depth, Path(entry.path), holds)


def _choose(files: Sequence[_File]) -> Upload:
    """Which of the files of one upload are used, best first."""
    sounds, pictures, either = (
        [file.path for file in files if file.holds == what] for what in ("sound", "pictures", "either")
    )
    if not sounds and not pictures and (whole := _pick(either, {"audio", "video"})):
        return Upload(whole, None)
    sound = sounds[0] if sounds else _pick(either, {"audio"})
    if sound is None:
        return Upload(files[0].path, None)  # which the next stage refuses, with the reason
    others = [path for path in either if path != sound]
    return Upload(sound, pictures[0] if pictures else _pick(others, {"video"}))


def _pick(paths: Sequence[Path], wanted: set[str]) -> Path | None:
    """The only one of some files, else the first whose header promises what is wanted."""
    if len(paths) == 1:
        return paths[0]
    return next((path for path in paths if wanted <= _streams(path)), None)


def _streams(path: Path) -> set[str]:
    try:
        with open_media(path) as container:
            return {stream.type for stream in container.streams}
    except ClipError:
        return set()
