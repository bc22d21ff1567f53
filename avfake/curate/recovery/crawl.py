"""The stage that fetches every upload once, at a polite pace, and knows of each why it is not there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from avfake.curate.recovery.crawl_plan import survey, uploads_folder
from avfake.curate.recovery.download import CrawlConfig, check_crawl, download
from avfake.curate.recovery.pace import Pace, Patience
from avfake.curate.stage import Retry, Stage, StageReport, fingerprint, run_stage
from avfake.curate.task import OneByOne, Outcome, Task
from avfake.curate.workspace import Workspace
from avfake.files import sha256_of

UPLOAD_FIELDS = [
    pa.field("sound_path", pa.string()),
    pa.field("sound_sha256", pa.string()),
    pa.field("sound_bytes", pa.int64()),
    pa.field("pictures_path", pa.string()),
    pa.field("pictures_sha256", pa.string()),
    pa.field("pictures_bytes", pa.int64()),
    pa.field("url", pa.string()),
]


def crawl(
    workspace: Workspace,
    corpus: str,
    youtube_ids: Mapping[str, bool],
    config: CrawlConfig,
    retry: Retry = "transient",
    *,
    pace: Pace | None = None,
) -> StageReport:
    """Fetch uploads into ``uploads/<corpus>/``, one at a time; the ledger ``uploads`` has a row of each.

    An upload that lies there is not asked for again, whatever ``retry`` says: to have it anew, delete its
    files. What earlier runs fetched for clips that are not indexed any more stays.

    Args:
        workspace: Where uploads and ledger go; the caller holds its lock.
        corpus: Name of the corpus.
        youtube_ids: For each upload, whether a clip waits for it; what none waits for is not fetched.
        config: Where uploads come from, and how fast.
        retry: Which failed uploads are tried again: those a server may give later, or all.
        pace: When requests are made; as ``config`` says by default.

    Returns:
        Counts; why an upload failed stands in the ledger.

    Raises:
        AvfakeError: The cookies cannot be read, or the user interrupts.
        StorageError: The disk is full or read-only.
    """
    standing = survey(workspace, corpus, youtube_ids, retry)
    if standing.to_fetch:
        check_crawl(config)
    folder = uploads_folder(workspace, corpus)
    stage = Stage(
        ledger=workspace.ledger("uploads"),
        scope=corpus,
        fields=UPLOAD_FIELDS,
        config={},  # from where and how fast is no reason to fetch anything twice
        work=OneByOne(
            _Fetch(workspace.root, folder, config, pace or _pace(workspace, config), standing.lying)
        ),
        root=workspace.root,
        media_column="sound_path",
        shard_size=1,  # a kill costs the one upload that is under way, and not even what came of it
    )
    tasks = _tasks(corpus, youtube_ids, standing.rows)
    return run_stage(stage, tasks, retry="transient" if retry == "transient" else "failed")


@dataclass(frozen=True)
class _Fetch:
    """Work of the stage: one YouTube id in, the files of its upload out."""

    root: Path  # of the workspace
    folder: Path  # of the uploads
    config: CrawlConfig
    pace: Pace
    lying: frozenset[str]  # ids whose files are there, as after a kill in the instant before their row

    def __call__(self, task: Task) -> Outcome:
        fetch = partial(download, task.clip_id, self.folder, self.config)
        upload = fetch() if task.clip_id in self.lying else self.pace.ask(fetch)
        url = self.config.url_template.replace("{id}", task.clip_id)
        return {**self._file("sound", upload.sound), **self._file("pictures", upload.pictures), "url": url}

    def _file(self, part: str, path: Path | None) -> Outcome:
        if path is None:
            return {}
        return {
            f"{part}_path": path.relative_to(self.root).as_posix(),
            f"{part}_sha256": sha256_of(path),
            f"{part}_bytes": path.stat().st_size,
        }


def _tasks(corpus: str, youtube_ids: Mapping[str, bool], rows: Mapping[str, Outcome]) -> Iterator[Task]:
    """A task for every upload that a clip waits for, and for every other that was fetched: they were dear."""
    waited_for = {youtube_id for youtube_id, waits in youtube_ids.items() if waits}
    fetched = {youtube_id for youtube_id, row in rows.items() if row["status"] == "ok"}
    for youtube_id in waited_for | fetched:
        yield Task(corpus, youtube_id, fingerprint(youtube_id), {}, spent=youtube_id not in waited_for)


def _pace(workspace: Workspace, config: CrawlConfig) -> Pace:
    patience = Patience(sleep_s=config.sleep_s, max_per_hour=config.max_per_hour)
    return Pace(patience, journal=workspace.root / "uploads" / "requests.txt")
