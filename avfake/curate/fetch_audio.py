"""``avfake fetch-audio``: each clip's sound, on the time axis of its video, in one form for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from avfake.curate.demux import CONFIG, INDEX_COLUMNS, Demux, demux_tasks
from avfake.curate.recovery.config import RecoveryConfig
from avfake.curate.recovery.crawl_plan import CrawlPlan
from avfake.curate.recovery.recover import plan_recovery, recover
from avfake.curate.recovery.report import Recovery
from avfake.curate.sound_files import AUDIO_FIELDS
from avfake.curate.stage import Retry, Stage, StageReport, run_stage
from avfake.curate.task import OneByOne
from avfake.curate.workspace import Workspace
from avfake.manifest.table import read_metadata


@dataclass(frozen=True)
class FetchReport:
    """What each corpus's run found.

    Attributes:
        stages: One report per corpus.
        recoveries: What came of the uploads of each FaceForensics++.
        plans: What would be fetched, after a dry run; nothing else was done then.
    """

    stages: tuple[StageReport, ...] = ()
    recoveries: tuple[Recovery, ...] = ()
    plans: tuple[CrawlPlan, ...] = ()

    @property
    def n_failed(self) -> int:
        """Clips without sound, over all corpora."""
        return sum(stage.n_failed for stage in self.stages)

    def __str__(self) -> str:
        return "\n".join(map(str, [*self.stages, *self.recoveries, *self.plans]))


def fetch_audio(
    workspace: Workspace,
    *,
    corpora: Sequence[str] = (),
    recovery: RecoveryConfig | None = None,
    dry_run: bool = False,
    jobs: int = 1,
    executor: str = "local",
    retry: Retry = "transient",
) -> FetchReport:
    """Give each indexed clip its sound: mono, 22 050 Hz, 16 bits, no constant offset.

    Sound is in the files of DFDC and of folders; that of FaceForensics++ is recovered from its uploads.

    Args:
        workspace: Where the index lies and the sound goes.
        corpora: Names of indexed corpora; all when empty.
        recovery: How the sound of FaceForensics++ is recovered.
        dry_run: Only say what would be fetched, and how long that takes.
        jobs: Worker processes.
        executor: ``local`` or ``ray``.
        retry: Which failed clips are tried again.

    Raises:
        AvfakeError: A corpus is not indexed, or the choices for its recovery do not fit.
    """
    indexed = {name: read_metadata(workspace.index(name)) for name in workspace.chosen(corpora)}
    uploaded = {name: Path(facts["root"]) for name, facts in indexed.items() if facts["kind"] == "ffpp"}
    recovery = recovery or RecoveryConfig()
    if dry_run:
        plans = (plan_recovery(workspace, name, root, recovery, retry) for name, root in uploaded.items())
        return FetchReport(plans=tuple(plans))
    with workspace.lock():
        stages = [
            run_stage(
                _stage(workspace, name, Path(facts["root"])),
                demux_tasks(_rows(workspace, name), Path(facts["root"])),
                jobs=jobs,
                executor=executor,
                retry=retry,
            )
            for name, facts in indexed.items()
            if name not in uploaded
        ]
        recovered = [
            recover(workspace, name, root, recovery, jobs=jobs, executor=executor, retry=retry)
            for name, root in uploaded.items()
        ]
    return FetchReport(
        stages=(*stages, *(one.stage for one in recovered)),
        recoveries=tuple(one.recovery for one in recovered),
    )


def _stage(workspace: Workspace, corpus: str, root: Path) -> Stage:
    return Stage(
        ledger=workspace.ledger("audio"),
        scope=corpus,
        fields=AUDIO_FIELDS,
        config=CONFIG,
        work=OneByOne(Demux(workspace.root, root)),
        root=workspace.root,
        media_column="audio_path",
    )


def _rows(workspace: Workspace, corpus: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]]
    rows = pq.read_table(workspace.index(corpus), columns=list(INDEX_COLUMNS)).to_pylist()
    return rows
