"""Where downloads are kept: fetched once, whoever asks, with the hash they came with beside them."""

import os
from pathlib import Path

from filelock import FileLock

from avfake.errors import AvfakeError, StorageError
from avfake.fetch import Progress, fetch
from avfake.files import sha256_of, write_bytes


def cache_folder() -> Path:
    """Root of what was downloaded.

    It is ``$AVFAKE_CACHE``, else ``avfake`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("AVFAKE_CACHE") or Path(base) / "avfake")


def fetch_once(
    url: str, path: Path, *, advice: str, sha256: str | None = None, progress: Progress | None = None
) -> None:
    """Download a file that is not there yet.

    Two processes that want the same file download it once. The hash of what came is written beside it, so
    that a later change shows even where no hash was published.

    Args:
        url: Where it is published.
        path: Where it goes; folders are made.
        advice: What to do when it cannot be had, which ends the message.
        sha256: Of the file, in hexadecimal, or its first digits, where they are published.
        progress: Called after each piece.

    Raises:
        AvfakeError: The file cannot be had.
        StorageError: The cache cannot be written.
    """
    if path.is_file():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if not path.is_file():
                fetch(url, path, sha256=sha256, progress=progress)
                write_bytes(_record(path), f"{sha256_of(path)}  {path.name}\n".encode())
    except AvfakeError as error:
        raise type(error)(f"{error}; {advice}") from error
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


def recorded_sha256(path: Path) -> str | None:
    """SHA-256 that a downloaded file had when it came; None for a file put there by hand."""
    record = _record(path)
    return record.read_text().split()[0] if record.is_file() else None


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")  # as sha256sum -c reads it
