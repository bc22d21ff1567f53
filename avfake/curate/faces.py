"""``avfake faces``: the speaking face of each clip, tracked, aligned and cropped at 10 fps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from avfake.curate.crops import CONFIG, FACES_FIELDS, Crop
from avfake.curate.previews import draw_previews
from avfake.curate.stage import (
    Retry,
    Stage,
    StageReport,
    file_state,
    find_parts,
    fingerprint,
    read_ledger,
    run_stage,
)
from avfake.curate.task import OneByOne, Outcome, Task
from avfake.curate.workspace import Workspace
from avfake.faces.detect import load_detector
from avfake.manifest.table import read_metadata

INDEX_COLUMNS = ("corpus", "clip_id", "video_path", "video_label", "video_fps", "original", "status")
KINDS = ("real", "fake")
_NO_TRACK = {"part": None, "faces_sha256": None}
_LARGEST_DRIFT = 1e-3  # between two frame rates that count as one: half a frame in 20 s


@dataclass(frozen=True)
class FacesReport:
    """What each corpus's run found.

    Attributes:
        stages: One report for the real clips of each corpus, one for the fakes.
        n_by_size: Clips with several people whose sound did not tell, or was not there to tell, who speaks.
        n_previews: Contact sheets drawn.
    """

    stages: tuple[StageReport, ...]
    n_by_size: int = 0
    n_previews: int = 0

    @property
    def n_failed(self) -> int:
        """Clips without a face track, over all corpora."""
        return sum(stage.n_failed for stage in self.stages)

    def __str__(self) -> str:
        lines = [str(stage) for stage in self.stages]
        if self.n_by_size:
            lines.append(
                f"{self.n_by_size} clips show several people and got the most prominent one; where sound was "
                "fetched since, avfake faces --retry all listens to it"
            )
        if self.n_previews:
            lines.append(f"{self.n_previews} contact sheets drawn, each beside its crops")
        return "\n".join(lines)


def faces(
    workspace: Workspace,
    *,
    corpora: Sequence[str] = (),
    detector: str = "retinaface",
    share_tracks: bool = False,
    preview: bool = False,
    jobs: int = 1,
    executor: str = "local",
    retry: Retry = "transient",
) -> FacesReport:
    """Crop the speaking face of each indexed clip; where several talk, sound that is there decides.

    Args:
        workspace: Where the index lies and the crops go.
        corpora: Names of indexed corpora; all when empty.
        detector: A key of ``DETECTORS``.
        share_tracks: Fakes take the track of the clip they were made from, where it fits.
        preview: Draw a contact sheet of every clip.
        jobs: Worker processes.
        executor: ``local`` or ``ray``.
        retry: Which failed clips are tried again.

    Raises:
        AvfakeError: A corpus is not indexed, or the detector cannot be used.
    """
    names = workspace.chosen(corpora)
    load_detector(detector)  # what cannot be loaded is refused before any work
    stages, n_previews = [], 0
    with workspace.lock():
        for name in names:
            corpus = _Corpus(workspace, name)
            for kind in KINDS:
                stage = corpus.stage(kind, detector, share_tracks=share_tracks)
                tasks = corpus.tasks(kind, share_tracks=share_tracks)
                stages.append(run_stage(stage, tasks, jobs=jobs, executor=executor, retry=retry))
                if preview:
                    n_previews += draw_previews(
                        workspace, stage.scope, corpus.root, corpus.videos, jobs=jobs, executor=executor
                    )
    rows = [row for name in names for row in read_faces(workspace, name, ["chosen_by"])]
    n_by_size = sum(row["chosen_by"] == "size" for row in rows)
    return FacesReport(tuple(stage for stage in stages if stage.n_tasks), n_by_size, n_previews)


def read_faces(workspace: Workspace, corpus: str, columns: Sequence[str] | None = None) -> list[Outcome]:
    """Rows of the ledger for one corpus, real clips first, with the named columns or all."""
    parts = face_parts(workspace, corpus)
    return [row for part in parts for row in pq.ParquetFile(part).read(columns).to_pylist()]


def face_parts(workspace: Workspace, corpus: str) -> list[Path]:
    """Parts of the ledger for one corpus, those of real clips first."""
    ledger = workspace.ledger("faces")
    return [part for kind in KINDS for part in find_parts(ledger, f"{corpus}-{kind}")]


class _Corpus:
    """The plan for one corpus: real clips first, since fakes may share their tracks."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self._workspace, self._name = workspace, name
        facts = read_metadata(workspace.index(name))
        self.root = Path(facts["root"])
        self._rows = pq.read_table(workspace.index(name), columns=list(INDEX_COLUMNS)).to_pylist()
        columns = ("clip_id", "status", "audio_path", "frame_rate")
        sounds = read_ledger(workspace.ledger("audio"), name, columns)
        self._sounds = {row["clip_id"]: row for row in sounds if row["status"] == "ok"}
        # A manipulated file of FaceForensics++ may claim the frame rate of its source.
        claims_falsely = facts["kind"] == "ffpp"
        rates = {row["clip_id"]: row["video_fps"] for row in self._rows} if claims_falsely else {}
        self._rates = rates

    @property
    def videos(self) -> dict[str, str]:
        """Path of each clip's video in the corpus."""
        return {row["clip_id"]: row["video_path"] for row in self._rows}

    def tasks(self, kind: str, *, share_tracks: bool) -> Iterator[Task]:
        """A task for each real or fake clip, broken ones included: the reason stands in this ledger too."""
        originals = self._originals() if share_tracks and kind == "fake" else {}
        for row in self._rows:
            if (row["video_label"] == 1) == (kind == "fake"):
                yield self._task(row, originals.get(row["original"], _NO_TRACK))

    def _task(self, row: Mapping[str, Any], original: Mapping[str, Any]) -> Task:
        sound = self._sounds.get(row["clip_id"], {})
        rate = sound.get("frame_rate") or self._rates.get(row["original"])
        claimed = row["video_fps"]
        if rate and claimed and abs(rate / claimed - 1) < _LARGEST_DRIFT:
            rate = None
        facts = {
            "video_path": row["video_path"],
            "frame_rate": rate,
            "audio_path": sound.get("audio_path"),
            "original": row["original"],
            "track_part": original["part"],
        }
        state = file_state(self.root / row["video_path"])
        return Task(self._name, row["clip_id"], fingerprint(state, rate, original["faces_sha256"]), facts)

    def _originals(self) -> dict[str, dict[str, str]]:
        """Where the track of each real clip stands."""
        columns = ["clip_id", "status", "faces_sha256"]
        return {
            row["clip_id"]: {**row, "part": str(part.relative_to(self._workspace.root))}
            for part in find_parts(self._workspace.ledger("faces"), f"{self._name}-real")
            for row in pq.ParquetFile(part).read(columns).to_pylist()
            if row["status"] == "ok"
        }

    def stage(self, kind: str, detector: str, *, share_tracks: bool) -> Stage:
        """The stage of the real or of the fake clips."""
        return Stage(
            ledger=self._workspace.ledger("faces"),
            scope=f"{self._name}-{kind}",
            fields=FACES_FIELDS,
            config={**CONFIG, "detector": detector, "share_tracks": share_tracks and kind == "fake"},
            work=OneByOne(Crop(self._workspace.root, self.root, detector)),
            root=self._workspace.root,
            media_column="faces_path",
        )
