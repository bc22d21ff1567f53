"""The stage that looks at every upload once: when each frame is shown, and what it shows, in small."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from avfake.curate.recovery.material import Material
from avfake.curate.stage import Stage, fingerprint, read_ledger
from avfake.curate.task import OneByOne, Outcome, Task
from avfake.curate.workspace import Workspace
from avfake.video.frames import frame_times
from avfake.video.track import save_track, track_frames

_MARGIN = 75  # frames on either side of a listed span, within which its error is looked for
TRACK_FIELDS = [
    pa.field("track_path", pa.string()),
    pa.field("n_frames", pa.int64()),
    pa.field("start_s", pa.float64()),
    pa.field("end_s", pa.float64()),
]
Span = tuple[int, int]


def track_stage(workspace: Workspace, corpus: str) -> Stage:
    """The stage ``tracks`` of one corpus."""
    return Stage(
        ledger=workspace.ledger("tracks"),
        scope=corpus,
        fields=TRACK_FIELDS,
        config={"margin": _MARGIN},
        work=OneByOne(_Look(workspace.root)),
        root=workspace.root,
        media_column="track_path",
    )


def track_tasks(
    workspace: Workspace, corpus: str, uploads: Iterable[tuple[Material, Sequence[Span] | None]]
) -> Iterator[Task]:
    """A task for every upload that clips wait for and that is at hand, and for the earlier tracks of others.

    Args:
        workspace: Where the ledger lies.
        corpus: Name of the corpus.
        uploads: Each with the spans of frames that are needed, None for all.
    """
    waited_for = set()
    for upload, spans in uploads:
        waited_for.add(upload.youtube_id)
        if upload.files is not None:
            pictures = upload.files.pictures or upload.files.sound
            inputs = fingerprint(upload.inputs, spans)
            yield Task(corpus, upload.youtube_id, inputs, {"pictures": str(pictures), "spans": spans})
    for row in read_ledger(workspace.ledger("tracks"), corpus):
        if row["status"] == "ok" and row["clip_id"] not in waited_for:
            yield Task(corpus, row["clip_id"], row["inputs"], {}, spent=True)


@dataclass(frozen=True)
class _Look:
    """Work of the stage: one upload's pictures in, one track out."""

    root: Path  # of the workspace

    def __call__(self, task: Task) -> Outcome:
        path = Path(task.facts["pictures"])
        track = track_frames(path, _wide(task.facts["spans"], path))
        name = f"tracks/{task.corpus}/{task.clip_id}.npz"
        save_track(self.root / name, track)
        return {
            "track_path": name,
            "n_frames": len(track.numbers),
            "start_s": float(np.min(track.times_s, initial=0.0)),
            "end_s": float(np.max(track.times_s, initial=0.0)),
        }


def _wide(spans: Sequence[Span] | None, path: Path) -> list[Span] | None:
    """Spans with their margins, as far as the video goes; None, that is all, when it does not go so far."""
    last_frame = len(frame_times(path)) - 1
    if spans is None or any(last > last_frame for _, last in spans):
        return None
    return [(max(first - _MARGIN, 0), min(last + _MARGIN, last_frame)) for first, last in spans]
