"""The errors a user can mend, and the reasons a clip can fail for."""

import importlib
from enum import StrEnum
from types import ModuleType


class ErrorKind(StrEnum):
    """Why a clip failed; stored in the ``error_kind`` column of every stage's ledger."""

    NOT_FOUND = "not_found"
    NOT_MEDIA = "not_media"
    CORRUPT = "corrupt"
    NO_VIDEO = "no_video"
    NO_AUDIO = "no_audio"
    SILENT = "silent"
    TOO_SHORT = "too_short"
    NOT_FINITE = "not_finite"
    NO_FACE = "no_face"
    FACE_LOST = "face_lost"
    MISALIGNED = "misaligned"
    WRONG_LEVEL = "wrong_level"
    UNSAFE_PATH = "unsafe_path"
    BAD_METADATA = "bad_metadata"
    DELETED = "deleted"
    PRIVATE = "private"
    GEO_BLOCKED = "geo_blocked"
    AGE_GATED = "age_gated"
    BOT_WALL = "bot_wall"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    INTERNAL = "internal"

    @property
    def transient(self) -> bool:
        """Whether trying again later can help: what a server did to us, never what a file is."""
        return self in {ErrorKind.BOT_WALL, ErrorKind.RATE_LIMITED, ErrorKind.TIMEOUT}


class AvfakeError(Exception):
    """A problem the user can mend; its text is one line: what came, what was wanted, what to do."""


class ClipError(AvfakeError):
    """One clip cannot be used; a stage keeps it as a failed row and goes on.

    Args:
        kind: The reason, for counting and for ``--retry``.
        message: What came and what was wanted, one line.
    """

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type["ClipError"], tuple[ErrorKind, str]]:
        """Keep both arguments when an executor carries the error between processes."""
        return type(self), (self.kind, str(self))


class StorageError(AvfakeError):
    """The workspace cannot be written (full, read-only); the whole stage stops, nothing is half-written."""


def one_line(error: BaseException | str) -> str:
    """Text of an error, folded to one line of at most 300 characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."


def need(module: str, *, extra: str) -> ModuleType:
    """Import an optional dependency, or say which extra brings it.

    Raises:
        AvfakeError: The module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise AvfakeError(
            f"this needs the package {module}, which is not installed: pip install 'avfake[{extra}]'"
        ) from error
