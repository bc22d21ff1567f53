"""What came of a recovery: uploads by state, what is lost, and how much of each official split has sound."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from avfake.curate.recovery.clips import Clip, by_upload
from avfake.curate.stage import read_ledger
from avfake.curate.task import Outcome
from avfake.curate.workspace import Workspace
from avfake.files import write_bytes
from avfake.manifest.schema import SPLITS

_NAMED = 10  # lost uploads that are printed; the file names all


@dataclass(frozen=True)
class Lost:
    """An upload whose sound could not be had.

    Attributes:
        youtube_id: 11 characters.
        reason: An error kind.
        sequences: Sequences that were cut from it.
    """

    youtube_id: str
    reason: str
    sequences: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """Sequences of one official split.

    Attributes:
        n_sequences: That the indexed clips need.
        n_with_sound: Of which at least one clip has its sound now.
    """

    n_sequences: int
    n_with_sound: int


@dataclass(frozen=True)
class Recovery:
    """The recovery of one corpus.

    Attributes:
        corpus: Its name.
        uploads: Number of uploads in each state, ``ok`` first.
        lost: Uploads without sound.
        coverage: By official split.
        largest_error_ms: Between pictures and sound, over all clips whose pictures could be compared.
        path: Where this report is stored, relative to the workspace.
    """

    corpus: str
    uploads: Mapping[str, int]
    lost: tuple[Lost, ...]
    coverage: Mapping[str, Coverage]
    largest_error_ms: float | None
    path: str

    def __str__(self) -> str:
        n_uploads = sum(self.uploads.values())
        share = 100 * self.uploads.get("ok", 0) / max(n_uploads, 1)
        states = ", ".join(f"{count} {state}" for state, count in self.uploads.items())
        lines = [f"{self.corpus}: {share:.1f} % of {n_uploads} uploads recovered ({states})"]
        for split, coverage in self.coverage.items():
            lines.append(f"  {split}: {coverage.n_with_sound} of {coverage.n_sequences} sequences with sound")
        if self.largest_error_ms is not None:
            lines.append(f"  pictures and sound at most {self.largest_error_ms:.1f} ms apart")
        lines += [f"  lost: {lost.youtube_id} ({lost.reason})" for lost in self.lost[:_NAMED]]
        if len(self.lost) > _NAMED:
            lines.append(f"  and {len(self.lost) - _NAMED} more; all stand in {self.path}")
        return "\n".join(lines)


def tell_recovery(workspace: Workspace, corpus: str, clips: Iterable[Clip]) -> Recovery:
    """Sum up a recovery and store it as ``audio/<corpus>/recovery.json``."""
    rows = {row["clip_id"]: row for row in read_ledger(workspace.ledger("audio"), corpus)}
    errors = [abs(row["align_error_ms"]) for row in rows.values() if row["align_error_ms"] is not None]
    groups = by_upload(clips)
    states = {youtube_id: _state(group, rows) for youtube_id, group in groups.items()}
    counts = Counter(states.values())
    recovery = Recovery(
        corpus=corpus,
        uploads=dict(sorted(counts.items(), key=lambda state: (state[0] != "ok", state[0]))),
        lost=tuple(
            Lost(youtube_id, state, _sequences(groups[youtube_id]))
            for youtube_id, state in states.items()
            if state != "ok"
        ),
        coverage=_coverage(clips, rows),
        largest_error_ms=max(errors, default=None),
        path=f"audio/{corpus}/recovery.json",
    )
    text = json.dumps(asdict(recovery), indent=1)
    write_bytes(workspace.root / recovery.path, text.encode() + b"\n")
    return recovery


def _state(clips: Sequence[Clip], rows: Mapping[str, Outcome]) -> str:
    """``ok`` when any clip has its sound from the upload, else the most frequent reason why not."""
    outcomes = [rows[clip.row["clip_id"]] for clip in clips]
    if any(row["status"] == "ok" for row in outcomes):
        return "ok"
    reasons = Counter(sorted(str(row["error_kind"]) for row in outcomes))
    return reasons.most_common(1)[0][0]


def _sequences(clips: Iterable[Clip]) -> tuple[str, ...]:
    return tuple(sorted({clip.donor.sequence.sequence_id for clip in clips if clip.donor is not None}))


def _coverage(clips: Iterable[Clip], rows: Mapping[str, Outcome]) -> dict[str, Coverage]:
    wanted: dict[str, set[str]] = {split: set() for split in SPLITS}
    found: dict[str, set[str]] = {split: set() for split in SPLITS}
    for clip in clips:
        if clip.donor is not None:
            sequence = clip.donor.sequence
            wanted[sequence.split].add(sequence.sequence_id)
            if rows[clip.row["clip_id"]]["status"] == "ok":
                found[sequence.split].add(sequence.sequence_id)
    return {split: Coverage(len(wanted[split]), len(found[split])) for split in SPLITS if wanted[split]}
