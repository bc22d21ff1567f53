"""How avfake touches the disk: whole files or none, and never outside a root."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from filelock import FileLock, Timeout

from avfake.errors import AvfakeError, ClipError, ErrorKind, StorageError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write; on success it becomes ``path`` in one step, on failure it is gone.

    The temporary name depends on ``path`` alone, so what a killed process leaves behind is overwritten
    by the next run and never accumulates.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except OSError as error:
        _remove(temporary)
        reason = error.strerror or error
        raise StorageError(
            f"cannot write {path}: {reason}; free some space or choose another --workspace"
        ) from error
    except BaseException:
        _remove(temporary)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def hold(lock: Path, *, busy: str) -> Iterator[None]:
    """Hold a lock file for this process, without waiting for another one.

    Args:
        lock: The file; its folder is made.
        busy: What to say where another process holds it.

    Raises:
        AvfakeError: Another process holds it.
        StorageError: The folder cannot be written.
    """
    held = FileLock(lock, timeout=0)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held.acquire()
    except Timeout as error:
        raise AvfakeError(busy) from error
    except OSError as error:
        raise StorageError(f"{lock.parent} cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        held.release()


def inside(root: Path, name: str) -> Path:
    """Path of ``name`` under ``root``, for names that come from metadata or a manifest.

    Raises:
        ClipError: The name is empty, absolute, climbs out with ``..``, or is a link out of ``root``.
    """
    flavours = PurePosixPath(name), PureWindowsPath(name)
    climbs = any(path.anchor or path.drive or ".." in path.parts for path in flavours)
    if not name.strip() or "\0" in name or climbs:
        raise ClipError(ErrorKind.UNSAFE_PATH, f"path {name!r} must be relative and stay inside {root}")
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise ClipError(ErrorKind.UNSAFE_PATH, f"path {name!r} is a link that leaves {root}")
    return path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
