"""``avfake screen``: do mouth and sound of each clip belong together, or does somebody speak off camera?"""

from collections.abc import Iterator, Mapping, Sequence
from heapq import nsmallest
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from avfake.curate.executors import EXECUTORS
from avfake.curate.faces import KINDS
from avfake.curate.screening.report import ScreenReport, summarize
from avfake.curate.screening.scores import SCREENED_FIELDS, Person, Score, make_standard, rank
from avfake.curate.screening.separation import Separation, separation
from avfake.curate.screening.signals import CONFIG, SIGNAL_FIELDS, Watch
from avfake.curate.stage import Retry, Stage, find_parts, fingerprint, read_ledger, run_stage
from avfake.curate.task import OneByOne, Outcome, Task
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.files import sha256_of
from avfake.manifest.table import read_metadata, write_rows

_SCHEMA = pa.schema(SCREENED_FIELDS)
_MOST_COMPARED = 2000  # clips, of which the AUC of a report is taken
_BATCHES_PER_JOB = 4  # few, for with each goes the standard, which knows everybody's name


def screen(
    workspace: Workspace,
    *,
    corpora: Sequence[str] = (),
    syncnet: Path | None = None,
    jobs: int = 1,
    executor: str = "local",
    retry: Retry = "transient",
) -> ScreenReport:
    """Score how well mouth and sound of each clip belong together; drops nothing.

    Writes one table per corpus to ``screened.parquet/``. Clips are compared within their corpus.

    Args:
        workspace: Where crops and sound lie and the tables go.
        corpora: Names of indexed corpora; all that have crops and sound when empty.
        syncnet: Weights of a SyncNet that shall judge instead.
        jobs: Worker processes; no result depends on it.
        executor: A key of ``EXECUTORS``.
        retry: Which failed clips are tried again.

    Raises:
        AvfakeError: A corpus has no crops or no sound, or the weights are no SyncNet's.
    """
    if syncnet:
        from avfake.faces.syncnet import load_syncnet  # torch: seconds to import, and few have the weights

        load_syncnet(syncnet)  # what cannot be loaded is refused before any work
    plans = {name: list(_tasks(workspace, name)) for name in workspace.chosen(corpora)}
    lacking = [name for name in corpora if not plans[name]] or ([] if any(plans.values()) else list(plans))
    if lacking:
        raise AvfakeError(
            f"corpus {lacking[0]!r} has no clip with both crops and sound; "
            "run avfake fetch-audio and avfake faces first"
        )
    stages, found = [], []
    with workspace.lock():
        for name, tasks in plans.items():
            if not tasks:
                continue
            stage = _lip_stage(workspace, name, syncnet) if syncnet else _signal_stage(workspace, name)
            stages.append(run_stage(stage, tasks, jobs=jobs, executor=executor, retry=retry))
            rows, compared = (
                _lip_rows(stage) if syncnet else _scores(workspace, stage, jobs=jobs, executor=executor)
            )
            rows = [{column: row.get(column) for column in _SCHEMA.names} for row in rows]
            path = workspace.ledger("screened") / f"part-{name}.parquet"
            write_rows(path, rows, _SCHEMA, {"config": dict(stage.config)})
            found.append(summarize(name, rows, compared))
    return ScreenReport(tuple(stages), tuple(found))


def _tasks(workspace: Workspace, corpus: str) -> Iterator[Task]:
    """A task for every clip that has both crops and sound."""
    indexed = pq.read_table(workspace.index(corpus), columns=["clip_id", "video_path"]).to_pylist()
    videos = {row["clip_id"]: row["video_path"] for row in indexed}
    columns = ["clip_id", "status", "audio_path", "audio_sha256"]
    sounds = {row["clip_id"]: row for row in read_ledger(workspace.ledger("audio"), corpus, columns)}
    columns = ["clip_id", "status", "faces_path", "faces_sha256"]
    ledger = workspace.ledger("faces")
    for part in chain(*(find_parts(ledger, f"{corpus}-{kind}") for kind in KINDS)):
        for face in pq.ParquetFile(part).read(columns).to_pylist():
            sound = sounds.get(face["clip_id"], {"status": "absent"})
            video = videos.get(face["clip_id"])
            if video and face["status"] == sound["status"] == "ok":
                facts = {
                    "video_path": video,
                    "faces_path": face["faces_path"],
                    "audio_path": sound["audio_path"],
                    "track_part": str(part.relative_to(workspace.root)),
                }
                inputs = fingerprint(face["faces_sha256"], sound["audio_sha256"])
                yield Task(corpus, face["clip_id"], inputs, facts)


def _signal_stage(workspace: Workspace, corpus: str) -> Stage:
    return Stage(
        ledger=workspace.ledger("signals"),
        scope=corpus,
        fields=SIGNAL_FIELDS,
        config=CONFIG,
        work=OneByOne(Watch(workspace.root)),
        root=workspace.root,
    )


def _lip_stage(workspace: Workspace, corpus: str, weights: Path) -> Stage:
    from avfake.curate.screening.lip_network import LIP_FIELDS, LipNetwork

    facts = read_metadata(workspace.index(corpus))
    return Stage(
        ledger=workspace.ledger("lips"),
        scope=corpus,
        fields=LIP_FIELDS,
        config={"syncnet": sha256_of(weights)},
        work=OneByOne(LipNetwork(workspace.root, Path(facts["root"]), weights)),
        root=workspace.root,
    )


def _lip_rows(stage: Stage) -> tuple[list[Outcome], None]:
    """Rows of one corpus as SyncNet judges; it has a standard of its own."""
    return [row for row in read_ledger(stage.ledger, stage.scope) if row["status"] == "ok"], None


def _scores(
    workspace: Workspace, stage: Stage, *, jobs: int, executor: str
) -> tuple[list[Outcome], Separation | None]:
    """Rows of one corpus, in order, and how well the score tells a clip's own sound from others'."""
    people = _people(workspace, stage.scope)
    parts = find_parts(stage.ledger, stage.scope)
    with threadpool_limits(1):  # as in every worker, that no result depends on the number of cores
        standard = make_standard(parts, people)
    teachers = (name for name, person in people.items() if person.teaches)
    compared = set(nsmallest(_MOST_COMPARED, teachers, key=rank))
    rows: dict[str, Outcome] = {}
    scores: dict[str, Score] = {}
    n_batches = min(len(parts), _BATCHES_PER_JOB * jobs)
    batches = [parts[first::n_batches] for first in range(n_batches)]
    for found in EXECUTORS[executor](standard.scores, batches, jobs=jobs):
        rows |= {score.row["clip_id"]: score.row for score in found}
        scores |= {name: score for score in found if (name := score.row["clip_id"]) in compared}
    return [rows[name] for name in sorted(rows)], _separate([scores[name] for name in sorted(scores)], people)


def _separate(scores: Sequence[Score], people: Mapping[str, Person]) -> Separation | None:
    scored = [score for score in scores if len(score.shuffled)]
    if not scored:
        return None
    matched = np.array([score.row["sync_score"] for score in scored])
    shuffled = np.stack([score.shuffled for score in scored])
    return separation(matched, shuffled, [people[score.row["clip_id"]].group for score in scored])


def _people(workspace: Workspace, corpus: str) -> dict[str, Person]:
    """What the index knows of each clip of a corpus."""
    columns = ["clip_id", "identity_group", "video_label", "audio_label"]
    rows = pq.read_table(workspace.index(corpus), columns=columns).to_pylist()
    real = {row["clip_id"] for row in rows if row["video_label"] == 0 and row["audio_label"] != 1}
    # Where no clip is real in both, all must do.
    return {row["clip_id"]: Person(row["identity_group"], not real or row["clip_id"] in real) for row in rows}
