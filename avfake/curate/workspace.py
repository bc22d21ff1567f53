"""The workspace: where each stage's files lie, and who may write there now."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from avfake.errors import AvfakeError
from avfake.files import hold

DEFAULT = "avfake-data"
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")


@dataclass(frozen=True)
class Workspace:
    """One data root; every path in a manifest is relative to it.

    Attributes:
        root: Folder of the workspace; made on first use.
    """

    root: Path

    def index(self, corpus: str) -> Path:
        """Table of one corpus's videos."""
        return self.root / "index" / f"{safe_name(corpus, 'corpus')}.parquet"

    def corpora(self) -> list[str]:
        """Names of the indexed corpora, sorted."""
        return sorted(path.stem for path in (self.root / "index").glob("*.parquet"))

    def chosen(self, names: Sequence[str]) -> tuple[str, ...]:
        """Names of indexed corpora, sorted: those asked for, or all when none is.

        Raises:
            AvfakeError: One is not indexed, or nothing is.
        """
        indexed = self.corpora()
        if not indexed:
            raise AvfakeError(f"{self.root} holds no index; run avfake index first")
        if unknown := sorted(set(names) - set(indexed)):
            known = ", ".join(indexed)
            raise AvfakeError(
                f"corpus {unknown[0]!r} is not indexed (indexed: {known}); run avfake index first"
            )
        return tuple(sorted(set(names) or indexed))

    def ledger(self, stage: str) -> Path:
        """Folder of a stage's Parquet parts."""
        return self.root / f"{stage}.parquet"

    def split(self, name: str) -> Path:
        """Folder of one named split."""
        return self.root / "splits" / safe_name(name, "split")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for one writing command.

        Raises:
            AvfakeError: Another process holds it.
            StorageError: The workspace cannot be written.
        """
        busy = f"another avfake command is writing to {self.root}; wait for it or choose another --workspace"
        with hold(self.root / ".lock", busy=busy):
            yield


def open_workspace(root: Path | str | None = None) -> Workspace:
    """The workspace at ``root``, else at ``$AVFAKE_WORKSPACE``, else ``./avfake-data``."""
    return Workspace(Path(root or os.environ.get("AVFAKE_WORKSPACE") or DEFAULT))


def safe_name(name: str, what: str) -> str:
    """Check a user's name for a corpus or a split, as it becomes a file name.

    Raises:
        AvfakeError: It holds anything but letters, digits, dot, plus, hyphen and underscore.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise AvfakeError(
            f"{what} name {name!r} must be 1 to 64 letters, digits or . _ + -, the first a letter or digit"
        )
    return name
