"""A stage: a plan of clips, cut into shards, each finished shard one Parquet part; so any run can resume.

The parts of a finished stage depend on its tasks and configuration alone: not on the number of jobs, the
executor, the order of finishing, or how often the run was killed.
"""

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from avfake.curate.executors import EXECUTORS
from avfake.curate.task import Outcome, Task, Work
from avfake.errors import AvfakeError, ClipError, ErrorKind, one_line
from avfake.manifest.schema import STATUS_FIELDS
from avfake.manifest.table import read_metadata, write_rows
from avfake.progress import track

Retry = Literal["transient", "failed", "all"]
logger = logging.getLogger("avfake")

KEY_FIELDS = [
    pa.field("corpus", pa.string(), nullable=False),
    pa.field("clip_id", pa.string(), nullable=False),
    *STATUS_FIELDS,
    pa.field("inputs", pa.string(), nullable=False),  # fingerprint of what the outcome was made from
]


@dataclass(frozen=True)
class Stage:
    """What a stage does and where its ledger lies.

    Attributes:
        ledger: Folder of the Parquet parts.
        scope: Which of the ledger's parts are this stage's (``dfdc``, ``world-dfdc``); part of their names.
        fields: Columns of an outcome, after the key columns.
        config: Everything besides the clips that decides the outcome; stored in each part.
        work: Makes the outcomes of a shard's clips; must be picklable. ``OneByOne`` makes it of a function of
            one clip.
        root: Workspace folder; media written by ``work`` lie under it.
        media_column: Outcome column with the path of the written file, if the stage writes one.
        shard_size: Clips in a shard, the most that a kill can lose per worker; by default 16, and more where
            that would make more than a thousand parts.
    """

    ledger: Path
    scope: str
    fields: Sequence[pa.Field]
    config: Mapping[str, Any]
    work: Work
    root: Path
    media_column: str | None = None
    shard_size: int | None = None

    @property
    def schema(self) -> pa.Schema:
        """Columns of a part."""
        return pa.schema([*KEY_FIELDS, *self.fields])


@dataclass(frozen=True)
class StageReport:
    """What a run of a stage found, did and could not do.

    Attributes:
        stage: Scope of the stage.
        n_tasks: Clips planned.
        n_done_before: Clips that needed nothing.
        n_ok: Clips that are fine now, earlier ones included.
        failures: How many clips failed, by ``error_kind``.
    """

    stage: str
    n_tasks: int
    n_done_before: int
    n_ok: int
    failures: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_failed(self) -> int:
        """Clips without a result."""
        return sum(self.failures.values())

    def __str__(self) -> str:
        failed = "".join(f", {count} failed: {kind}" for kind, count in self.failures.items())
        done = f"{self.n_ok} of {self.n_tasks} clips ok, {self.n_done_before} of them done before"
        return f"{self.stage}: {done}{failed}"


@dataclass(frozen=True)
class _Shard:
    path: Path
    tasks: tuple[Task, ...]  # what is to be done
    kept: tuple[Outcome, ...] = ()  # earlier outcomes that stay


def run_stage(
    stage: Stage,
    tasks: Iterable[Task],
    *,
    jobs: int = 1,
    executor: str = "local",
    retry: Retry = "transient",
) -> StageReport:
    """Bring a stage's ledger up to date with its tasks.

    Args:
        stage: What to do.
        tasks: Every clip the ledger shall hold, in any order.
        jobs: Worker processes.
        executor: A key of ``EXECUTORS``.
        retry: Which earlier rows are tried again besides missing and outdated ones.

    Returns:
        Counts, failed clips included; their reasons stand in the ledger.

    Raises:
        AvfakeError: The ledger was made with another configuration, a worker died, or the name of the
            executor is unknown.
        StorageError: The disk is full or read-only.
    """
    if executor not in EXECUTORS:
        raise AvfakeError(f"executor {executor!r} is unknown; choose one of {', '.join(EXECUTORS)}")
    plan = sorted(tasks, key=lambda task: (task.corpus, task.clip_id))
    _refuse_duplicates(plan)
    old_parts = find_parts(stage.ledger, stage.scope)
    kept = {} if retry == "all" else _still_good(stage, plan, old_parts, retry)
    old_media = _media(stage, old_parts)
    shards = list(_cut(stage, plan, kept))
    unfinished = [shard for shard in shards if shard.tasks or not shard.path.exists()]
    with track(stage.scope, total=len(plan)) as advance:
        advance(len(plan) - sum(len(shard.tasks) + len(shard.kept) for shard in unfinished))
        try:
            for n_clips in EXECUTORS[executor](_Finish(stage), unfinished, jobs=jobs):
                advance(n_clips)
        except KeyboardInterrupt:
            raise AvfakeError(
                f"{stage.scope}: interrupted; finished shards are kept, the same command goes on from there"
            ) from None
    parts = [shard.path for shard in shards]
    for name in old_media - _media(stage, parts):
        (stage.root / name).unlink(missing_ok=True)
    for part in set(old_parts) - set(parts):
        part.unlink()
    return _report(stage, plan, len(kept), parts)


def find_parts(ledger: Path, scope: str) -> list[Path]:
    """Parts of one scope, in order; none when the stage never ran."""
    name = re.compile(rf"part-{re.escape(scope)}-\d{{5,}}-[0-9a-f]{{8}}\.parquet")
    return sorted(path for path in ledger.glob("part-*.parquet") if name.fullmatch(path.name))


def read_ledger(ledger: Path, scope: str, columns: Sequence[str] | None = None) -> list[Outcome]:
    """Rows of one scope of a ledger, in order, all columns or the named; none when the stage never ran."""
    parts = find_parts(ledger, scope)
    return [row for part in parts for row in pq.ParquetFile(part).read(columns).to_pylist()]


def fingerprint(*values: object) -> str:
    """Short stable text that changes when any of the values does."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]


def file_state(path: Path) -> str:
    """Short text that changes when a file does, is removed, or comes back."""
    try:
        state = path.stat()
    except OSError:
        return "absent"
    return fingerprint(state.st_size, state.st_mtime_ns)


@dataclass(frozen=True)
class _Finish:
    """Work on a shard and write its part; a picklable function of one argument."""

    stage: Stage

    def __call__(self, shard: _Shard) -> int:
        results = zip(shard.tasks, self.stage.work(shard.tasks), strict=True)
        outcomes = [*shard.kept, *(_row(task, result) for task, result in results)]
        outcomes.sort(key=lambda row: (row["corpus"], row["clip_id"]))
        write_rows(shard.path, outcomes, self.stage.schema, {"config": dict(self.stage.config)})
        return len(outcomes)


def _row(task: Task, result: Outcome | Exception) -> Outcome:
    key = {"corpus": task.corpus, "clip_id": task.clip_id, "inputs": task.inputs}
    if isinstance(result, ClipError):
        return {**key, **_failure(result.kind, result)}
    if isinstance(result, Exception):  # unforeseen: a row like any other, never a lost shard
        logger.warning("%s/%s failed unexpectedly", task.corpus, task.clip_id, exc_info=result)
        return {**key, **_failure(ErrorKind.INTERNAL, f"{type(result).__name__}: {result}")}
    return {**key, "status": "ok", **result}


def _failure(kind: ErrorKind, error: BaseException | str) -> Outcome:
    return {"status": "failed", "error_kind": kind.value, "error": one_line(error)}


def _cut(stage: Stage, plan: Sequence[Task], kept: Mapping[tuple[str, str], Outcome]) -> Iterator[_Shard]:
    """Shards of the sorted plan; a part's name holds a digest of its keys, so a grown plan recuts cleanly."""
    size = stage.shard_size or min(max(len(plan) // 1000, 16), 256)
    for number, start in enumerate(range(0, len(plan), size)):
        tasks = plan[start : start + size]
        digest = fingerprint([(task.corpus, task.clip_id) for task in tasks])[:8]
        path = stage.ledger / f"part-{stage.scope}-{number:05d}-{digest}.parquet"
        todo = tuple(task for task in tasks if (task.corpus, task.clip_id) not in kept)
        done = tuple(kept[key] for task in tasks if (key := (task.corpus, task.clip_id)) in kept)
        yield _Shard(path, todo, done)


def _still_good(
    stage: Stage, plan: Sequence[Task], parts: Sequence[Path], retry: Retry
) -> dict[tuple[str, str], Outcome]:
    """Earlier outcomes, by key, that this run need not make again."""
    tasks = {(task.corpus, task.clip_id): task for task in plan}
    config = json.loads(json.dumps(dict(stage.config)))
    kept = {}
    for part in parts:
        if (before := read_metadata(part)["config"]) != config:
            raise AvfakeError(_other_config(stage, before, config))
        for row in pq.ParquetFile(part).read().to_pylist():
            key = row["corpus"], row["clip_id"]
            task = tasks.get(key)
            if task and task.inputs == row["inputs"] and _settled(stage, task, row, retry):
                kept[key] = row
    return kept


def _media(stage: Stage, parts: Iterable[Path]) -> set[str]:
    """Files that the rows of some parts name; what no row names any more shall not lie about."""
    if stage.media_column is None:
        return set()
    columns = (pq.ParquetFile(part).read([stage.media_column])[0].to_pylist() for part in parts)
    return {name for column in columns for name in column if name}


def _settled(stage: Stage, task: Task, row: Outcome, retry: Retry) -> bool:
    if row["status"] == "ok":
        name = stage.media_column and row[stage.media_column]
        return task.spent or not name or (stage.root / name).exists()
    return retry == "transient" and not ErrorKind(row["error_kind"]).transient


def _other_config(stage: Stage, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    differences = ", ".join(f"{name}={before.get(name)!r} (now {now.get(name)!r})" for name in names)
    return (
        f"{stage.scope} was made earlier with {differences}; "
        "use the same settings, another --workspace, or --retry all to make it anew"
    )


def _refuse_duplicates(plan: Sequence[Task]) -> None:
    for before, after in pairwise(plan):
        if (before.corpus, before.clip_id) == (after.corpus, after.clip_id):
            raise AvfakeError(f"clip {after.corpus}/{after.clip_id} occurs twice; clip ids must be unique")


def _report(stage: Stage, plan: Sequence[Task], n_kept: int, parts: Iterable[Path]) -> StageReport:
    kinds: Counter[str] = Counter()
    for part in parts:
        kinds.update(pq.ParquetFile(part).read(["error_kind"])[0].to_pylist())
    n_ok = kinds.pop(None, 0)  # type: ignore[call-overload]
    return StageReport(stage.scope, len(plan), n_kept, n_ok, dict(sorted(kinds.items())))
