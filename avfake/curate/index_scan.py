"""The first half of ``index``: what a corpus says of its videos, into a database, one row per clip id."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection as Database

from avfake.corpora.base import Finding, Refused, Skipped
from avfake.corpora.presence import Presence
from avfake.errors import AvfakeError, ClipError, one_line
from avfake.manifest.database import load_table
from avfake.manifest.schema import ROW_FIELDS, STATUS_FIELDS

_BATCH = 8192  # rows on their way into the database
_NAMED = 100  # skipped files whose names are kept
_SCHEMA = pa.schema(
    [*ROW_FIELDS, *STATUS_FIELDS, pa.field("size", pa.int64()), pa.field("mtime_ns", pa.int64())]
)
_row_values = attrgetter(*(field.name for field in ROW_FIELDS))

# Of rows with one clip id the one that can be used stays, else the first by path.
_CHOOSE = """
CREATE TABLE chosen AS SELECT * FROM scan
QUALIFY row_number() OVER (PARTITION BY clip_id ORDER BY status = 'failed', video_path) = 1
"""
_DUPLICATES = """
SELECT scan.video_path, chosen.video_path FROM scan JOIN chosen USING (clip_id)
WHERE scan.video_path <> chosen.video_path ORDER BY scan.video_path
"""


@dataclass
class Skips:
    """Files that are no rows.

    Attributes:
        n: How many.
        named: Path and reason of the first of them.
    """

    n: int = 0
    named: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, reason: str) -> None:
        """Count a file, and keep its name while there are few."""
        self.n += 1
        if len(self.named) < _NAMED:
            self.named.append((path.encode("utf-8", "backslashreplace").decode(), reason))


def scan(database: Database, findings: Iterator[Finding], root: Path, *, own: Path) -> Skips:
    """Make the table ``chosen``: the columns of a row, its status, and size and time of its file.

    Args:
        database: Where the table is made.
        findings: What the corpus says.
        root: Of the corpus.
        own: Folder of the workspace; what lies in it is no part of the corpus.

    Returns:
        What became no row.

    Raises:
        AvfakeError: A folder cannot be read, or nothing was found.
    """
    skips = Skips()
    load_table(database, "scan", _SCHEMA.empty_table())
    lines = _lines(_readable(findings, root), root, own, skips)
    while batch := list(islice(lines, _BATCH)):
        columns = zip(zip(*batch, strict=True), _SCHEMA, strict=True)
        arrays = [pa.array(column, field.type) for column, field in columns]
        database.register("arriving", pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))
        database.execute("INSERT INTO scan SELECT * FROM arriving")
        database.unregister("arriving")
    database.execute(_CHOOSE)
    for path, kept in database.execute(_DUPLICATES).fetchall():
        skips.add(path, f"the same clip as {kept}")
    if not database.execute("SELECT clip_id FROM chosen LIMIT 1").fetchall():
        reasons = "".join(f"; {path}: {reason}" for path, reason in skips.named[:3])
        raise AvfakeError(f"{root} holds no video of this kind of corpus{reasons}")
    return skips


def _readable(findings: Iterator[Finding], root: Path) -> Iterator[Finding]:
    """The same findings; a folder that cannot be read is one line."""
    try:
        yield from findings
    except OSError as error:
        raise AvfakeError(f"{error.filename or root} cannot be read: {error.strerror}") from error


def _lines(findings: Iterator[Finding], root: Path, own: Path, skips: Skips) -> Iterator[tuple[Any, ...]]:
    """Values of a row in the order of the schema."""
    presence = Presence(root)
    prefix = f"{own.relative_to(root).as_posix()}/" if root in own.parents else None
    for finding in findings:
        if isinstance(finding, Skipped):
            skips.add(finding.path, finding.reason)
            continue
        row, error = (finding.row, finding.error) if isinstance(finding, Refused) else (finding, None)
        if prefix is not None and row.video_path.startswith(prefix):
            continue
        if not _is_utf8(row.video_path):
            skips.add(row.video_path, "its name is not UTF-8; rename it")
            continue
        try:
            if error is not None:
                raise error
            state = presence.look_up(row.video_path)
        except ClipError as failure:
            yield *_row_values(row), "failed", failure.kind.value, one_line(failure), None, None
        else:
            yield *_row_values(row), "ok", None, None, state.st_size, state.st_mtime_ns


def _is_utf8(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
