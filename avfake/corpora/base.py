"""What every corpus gives: rows, rows that cannot be used, and files that are no rows at all."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from avfake.errors import AvfakeError, ClipError
from avfake.manifest.schema import Row


@dataclass(frozen=True)
class Labelling:
    """What a user says of a folder of clips; corpora with metadata of their own refuse it.

    Attributes:
        video_label: ``real`` or ``fake``, for every clip the labels file does not say otherwise of.
        audio_label: Of every clip's sound, likewise; also ``unknown``.
        method: How fake videos were made.
        labels: CSV file with one line per clip.
        identity_regex: Finds the identity in a clip's relative path: its first group, or the whole match.
    """

    video_label: str = "real"
    audio_label: str = "real"
    method: str | None = None
    labels: Path | None = None
    identity_regex: str | None = None


@dataclass(frozen=True)
class Refused:
    """A row the metadata itself spoils; it stays in the index as failed.

    Attributes:
        row: As far as it can be told.
        error: The reason.
    """

    row: Row
    error: ClipError


@dataclass(frozen=True)
class Skipped:
    """A file that is no row, because nothing says what it is; the index counts and names it.

    Attributes:
        path: Relative to the corpus root.
        reason: Why there is no row.
    """

    path: str
    reason: str


Finding = Row | Refused | Skipped


class Corpus(Protocol):
    """A module that knows the layout of one data set."""

    def rows(self, root: Path, *, corpus: str, labelling: Labelling) -> Iterator[Finding]:
        """Read the data set's metadata and list its files, without opening any.

        Args:
            root: Folder of the data set.
            corpus: Its name in the workspace.
            labelling: What the user says of the clips.

        Raises:
            AvfakeError: ``root`` does not hold this data set, or its metadata cannot be read.
        """
        ...


def own_labels_only(labelling: Labelling, what: str) -> None:
    """Refuse the user's labels for a corpus that brings its own.

    Raises:
        AvfakeError: Any label was given.
    """
    if labelling != Labelling():
        raise AvfakeError(
            f"{what} brings its own labels; --video-label, --audio-label, --method, --labels and "
            "--identity-regex are for `avfake index folder`"
        )


def slug(name: str) -> str:
    """Clip id for an arbitrary name: readable, safe as a file name, and different for different names."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-_")[-48:].strip("-_") or "clip"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{readable}-{digest}"
