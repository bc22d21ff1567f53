"""Opens whatever a checkpoint is published in: torch's own formats, safetensors, and archives of these."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import safetensors.torch

from avfake.errors import AvfakeError, one_line
from avfake.vocoders.unpickle import is_zip, read_torch

_MEMBER_LIMIT = 4 << 30  # bytes; the largest public checkpoint has 0.7 GB
_TORCH_ZIP = "data.pkl"


def open_checkpoint(path: Path, member: str | None = None) -> Any:
    """What a checkpoint file holds, read without running any code.

    Args:
        path: Of torch (either format), safetensors, or a tar or zip archive that holds one of these.
        member: Name of the weights inside an archive, with wildcards; may be left out for other files.

    Raises:
        AvfakeError: The file is missing, damaged, of another kind, or a web page.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path, member)
    except OSError as error:
        raise AvfakeError(f"weights file {path} cannot be read: {error.strerror or error}") from error


def read_member(path: Path, pattern: str) -> bytes | None:
    """Bytes of the one member of an archive whose bare name fits; None when there is none, or no archive."""
    with path.open("rb") as file, suppress(tarfile.TarError, zipfile.BadZipFile, EOFError):
        return _member(file, path, pattern)
    return None


def _read(file: BinaryIO, path: Path, member: str | None) -> Any:
    start = file.read(512)
    file.seek(0)
    if start.lstrip()[:1] == b"<":
        raise AvfakeError(f"weights file {path} is a web page; download the file itself")
    try:
        if _is_archive(file):
            data = _member(file, path, member) if member else None
            if data is None:
                raise AvfakeError(f"archive {path} holds no {member or 'weights that its card names'}")
            return _read(io.BytesIO(data), path, None)
        return _reader(start)(file)
    except (AvfakeError, OSError):
        raise
    except Exception as error:  # a damaged or hostile file may raise anything
        raise AvfakeError(
            f"weights file {path} is damaged, incomplete or no checkpoint: {one_line(error)}"
        ) from error


def _reader(start: bytes) -> Callable[[BinaryIO], Any]:
    if start[8:9] == b"{":  # after the length of the header
        return lambda file: safetensors.torch.load(file.read())
    return read_torch


def _is_archive(file: BinaryIO) -> bool:
    if is_zip(file):
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
        return not any(PurePosixPath(name).name == _TORCH_ZIP for name in names)
    found = tarfile.is_tarfile(file)
    file.seek(0)
    return found


def _member(file: BinaryIO, path: Path, pattern: str) -> bytes | None:
    if is_zip(file):
        with zipfile.ZipFile(file) as zipped:
            sizes = {info.filename: info.file_size for info in zipped.infolist()}
            name = _one(sizes, path, pattern)
            return zipped.read(name) if name else None
    with tarfile.open(fileobj=file) as tarred:
        members = {info.name: info for info in tarred if info.isfile()}
        name = _one({name: info.size for name, info in members.items()}, path, pattern)
        opened = tarred.extractfile(members[name]) if name else None
        return opened.read() if opened else None


def _one(sizes: dict[str, int], path: Path, pattern: str) -> str | None:
    """The one name that fits, folders left aside."""
    fitting = [name for name in sizes if fnmatch(PurePosixPath(name).name, pattern)]
    if len(fitting) > 1:
        raise AvfakeError(f"archive {path} holds {len(fitting)} files like {pattern}; one was expected")
    if fitting and sizes[fitting[0]] > _MEMBER_LIMIT:
        raise AvfakeError(f"archive {path} unpacks to {sizes[fitting[0]]} bytes; that is no checkpoint")
    return fitting[0] if fitting else None
