"""``avfake index``: one row per video of a corpus, with its labels, identity and what its file holds."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection as Database

from avfake.corpora.base import Labelling
from avfake.corpora.probe import probe as probe_file
from avfake.corpora.registry import find_corpus
from avfake.curate.index_report import IndexReport, count
from avfake.curate.index_scan import scan
from avfake.curate.stage import Retry, Stage, find_parts, fingerprint, run_stage
from avfake.curate.task import OneByOne, Outcome, Task
from avfake.curate.workspace import Workspace, safe_name
from avfake.errors import AvfakeError
from avfake.files import inside
from avfake.manifest.database import load_table, open_database, stream
from avfake.manifest.schema import INDEX_SCHEMA, PROBE_FIELDS, STATUS_FIELDS
from avfake.manifest.table import read_metadata, write_table

_SHARD = 128  # looking into a file takes milliseconds
_PROBED = pa.schema([pa.field("clip_id", pa.string()), *STATUS_FIELDS, *PROBE_FIELDS])

_PRESENT = "SELECT clip_id, video_path, size, mtime_ns FROM chosen WHERE status = 'ok' ORDER BY clip_id"
_FROM_BOTH = {
    # A file without sound has no label for it, whatever was said of the folder.
    "audio_label": "CASE WHEN probed.has_audio IS FALSE THEN NULL ELSE chosen.audio_label END",
    **{name: f"coalesce(probed.{name}, chosen.{name})" for name in ("status", "error_kind", "error")},
}
_COMPOSE = f"""
CREATE VIEW indexed AS
SELECT {", ".join(f"{_FROM_BOTH.get(name, name)} AS {name}" for name in INDEX_SCHEMA.names)}
FROM chosen LEFT JOIN probed USING (clip_id)
"""


def index(
    workspace: Workspace,
    kind: str,
    root: Path,
    *,
    name: str | None = None,
    video_label: str = "real",
    audio_label: str = "real",
    method: str | None = None,
    labels: Path | None = None,
    identity_regex: str | None = None,
    probe: bool = True,
    jobs: int = 1,
    executor: str = "local",
    retry: Retry = "transient",
) -> IndexReport:
    """List a corpus on disk and look into its files; a file looked into before is not opened again.

    Args:
        workspace: Where the index goes.
        kind: A key of ``CORPORA``.
        root: Folder of the corpus.
        name: Of the corpus in the workspace; its kind by default.
        video_label: Of a folder's clips; for this and the next four see :class:`Labelling`.
        audio_label: Of their sound.
        method: How fake clips were made.
        labels: CSV file with one line per clip.
        identity_regex: Finds the identity in a path.
        probe: Whether to look into the files; if not, the probe columns stay empty.
        jobs: Worker processes.
        executor: A key of ``EXECUTORS``.
        retry: Which failed files are opened again.

    Raises:
        AvfakeError: ``root`` does not hold such a corpus, or the name belongs to another one.
    """
    corpus = safe_name(name or kind, "corpus")
    rows = find_corpus(kind).rows
    if not root.is_dir():
        raise AvfakeError(f"{root} is no folder; give the folder that holds the corpus")
    root = root.resolve()
    labelling = Labelling(video_label, audio_label, method, labels, identity_regex)
    facts = {
        "kind": kind,
        "root": str(root),
        "labelling": {**asdict(labelling), "labels": labels and str(labels.absolute())},
        "probed": probe,
    }
    path = workspace.index(corpus)
    with workspace.lock():
        _refuse_other(path, corpus, kind, root)
        with open_database(path.with_name(f".{corpus}.build"), threads=jobs) as database:
            findings = rows(root, corpus=corpus, labelling=labelling)
            skips = scan(database, findings, root, own=workspace.root.resolve())
            load_table(database, "probed", _PROBED.empty_table())
            if probe:
                stage = _stage(workspace, corpus, root)
                run_stage(stage, _tasks(database, corpus, root), jobs=jobs, executor=executor, retry=retry)
                _load_probed(database, stage)
            facts = {**facts, "n_skipped": skips.n, "skipped": skips.named}
            database.execute(_COMPOSE)
            ordered = stream(database, "SELECT * FROM indexed ORDER BY clip_id", [])
            write_table(path, ordered, INDEX_SCHEMA, facts)
            return count(database, corpus, skips.n, skips.named)


def _refuse_other(path: Path, corpus: str, kind: str, root: Path) -> None:
    """Keep one name for one corpus: later tables know a clip by the corpus's name and its own."""
    if not path.exists():
        return
    before = read_metadata(path)
    if (before.get("kind"), before.get("root")) != (kind, str(root)):
        raise AvfakeError(
            f"{corpus!r} is already the name of {before.get('kind')} at {before.get('root')}; "
            f"give this one another with --name, or delete {path}"
        )


@dataclass(frozen=True)
class _Probe:
    """Work of the stage: one file's header and first frame."""

    root: Path  # of the corpus

    def __call__(self, task: Task) -> Outcome:
        return asdict(probe_file(inside(self.root, task.facts["video_path"])))


def _stage(workspace: Workspace, corpus: str, root: Path) -> Stage:
    return Stage(
        ledger=workspace.ledger("probe"),
        scope=corpus,
        fields=PROBE_FIELDS,
        config={},
        work=OneByOne(_Probe(root)),
        root=workspace.root,
        shard_size=_SHARD,
    )


def _tasks(database: Database, corpus: str, root: Path) -> Iterator[Task]:
    """A task for every file that is there."""
    for batch in stream(database, _PRESENT, []):
        for row in batch.to_pylist():
            inputs = fingerprint(str(root), row["video_path"], row["size"], row["mtime_ns"])
            yield Task(corpus, row["clip_id"], inputs, {"video_path": row["video_path"]})


def _load_probed(database: Database, stage: Stage) -> None:
    """Copy the ledger of the stage into the table ``probed``."""
    for part in find_parts(stage.ledger, stage.scope):
        database.register("arriving", pq.ParquetFile(part).read(_PROBED.names))
        database.execute("INSERT INTO probed SELECT * FROM arriving")
        database.unregister("arriving")
