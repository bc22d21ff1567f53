"""``avfake audit``: can a label be guessed from what a detector should not live on?"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa

from avfake.curate.executors import EXECUTORS
from avfake.curate.shortcuts.evidence import NO_EFFECT, Deal, deal, derive_seed, estimate
from avfake.curate.shortcuts.files import sound_cues, video_cues
from avfake.curate.shortcuts.models import Cue, score_categories, score_numbers, score_together
from avfake.curate.shortcuts.report import (
    CONSTANT,
    TOGETHER,
    AuditReport,
    Finding,
    Verdict,
    explain_blindness,
    judge,
)
from avfake.curate.shortcuts.rows import read_face_facts, read_rows, read_video_facts
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.files import write_bytes

MAX_ROWS = 20_000

# Name in the report, column of the split, and what is one observation: rows of one clip repeat each other.
_LABELS = (
    ("video", "video_label", "clip_id"),
    ("audio", "audio_label", "audio_clip_id"),
    ("whole", "label", "clip_id"),
)
_TOGETHER_REPEATS = 2  # the boosted trees are slow


def audit(
    workspace: Workspace,
    split_name: str,
    *,
    allow_shortcuts: bool = False,
    seed: int = 0,
    jobs: int = 1,
    executor: str = "local",
    max_rows: int = MAX_ROWS,
) -> AuditReport:
    """Audit a split for shortcuts and write ``audit.json`` beside it.

    Finding a shortcut does not raise here, so that the report can be shown: see ``refuse_shortcuts``.

    Args:
        workspace: Holds the split and its media.
        split_name: Folder below ``splits/``.
        allow_shortcuts: Stored in the report; ``refuse_shortcuts`` then lets it pass.
        seed: Of the sample of rows, the folds and the bootstrap.
        jobs: Processes that measure sound; no result depends on it.
        executor: A key of ``EXECUTORS``.
        max_rows: Larger splits are sampled by identity group.

    Raises:
        AvfakeError: The split or one of its sound files is missing or broken.
        StorageError: The disk is full or read-only.
    """
    if executor not in EXECUTORS:
        raise AvfakeError(f"executor {executor!r} is unknown; choose one of {', '.join(EXECUTORS)}")
    with workspace.lock():
        rows, n_rows = read_rows(workspace, split_name, max_rows=max_rows, seed=seed)
        facts, notes = read_video_facts(workspace, rows)
        sounds = sound_cues(workspace.root, rows, jobs=jobs, executor=executor)
        videos = video_cues(rows, facts, read_face_facts(workspace, rows))
        findings, verdict = judge(_test_labels(rows, [*sounds, *videos], seed))
        report = AuditReport(
            split=split_name,
            verdict=verdict,
            n_rows=n_rows,
            n_audited=rows.num_rows,
            n_groups=len(rows["identity_group"].unique()),
            seed=seed,
            allow_shortcuts=allow_shortcuts,
            notes=(*explain_blindness(findings), *notes, *_missing_faces(rows)),
            findings=tuple(findings),
        )
        path = workspace.split(split_name) / "audit.json"
        write_bytes(path, json.dumps(asdict(report), indent=1, sort_keys=True, allow_nan=False).encode())
        return report


def refuse_shortcuts(report: AuditReport) -> None:
    """Stop a build whose audit failed, unless its report says that shortcuts are allowed.

    Raises:
        AvfakeError: A label can be guessed from a cue; the text names label, cue and AUC.
    """
    failed = [finding for finding in report.findings if finding.verdict == Verdict.FAIL]
    if not failed or report.allow_shortcuts:
        return
    shown = ", ".join(f"{f.label} label from {f.cue} (AUC {f.auc:.2f})" for f in failed[:3])
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    raise AvfakeError(
        f"split {report.split!r} has shortcuts: {shown}{more}; mend them, see docs/audit.md, "
        "or pass --allow-shortcuts"
    )


def _missing_faces(rows: pa.Table) -> Iterator[str]:
    if rows["faces_path"].null_count:
        yield "cues of faces were not measured: rows have no face crops"


def _test_labels(rows: pa.Table, cues: Sequence[Cue], seed: int) -> Iterator[Finding]:
    groups = rows["identity_group"].to_pylist()
    for label, column, unit in _LABELS:
        labels = rows[column].to_numpy().astype(np.int64)
        dealt = deal(labels, groups, rows[unit].to_pylist(), seed=derive_seed(seed, "audit", label))
        yield from _test_label(label, dealt, cues)


def _test_label(label: str, dealt: Deal | None, cues: Sequence[Cue]) -> Iterator[Finding]:
    """Findings on one label, all cues together first."""
    if dealt is None:
        why = "fewer than two identity groups hold one of its values"
        yield from (Finding(label, cue.name, note=why) for cue in cues)
        yield Finding(label, TOGETHER, note=why)
        return
    for cue in cues:
        if cue.constant:
            yield Finding(label, cue.name, *NO_EFFECT, chance_error=dealt.chance_error, note=CONSTANT)
        else:
            scorer = score_categories if cue.categorical else score_numbers
            found = estimate(dealt, cue.values, scorer)
            yield Finding(label, cue.name, *found, chance_error=dealt.chance_error)
    varying = [cue.values for cue in cues if not cue.constant]
    if not varying:
        yield Finding(label, TOGETHER, *NO_EFFECT, chance_error=dealt.chance_error, note=CONSTANT)
        return
    found = estimate(dealt, np.stack(varying, axis=1), score_together, n_repeats=_TOGETHER_REPEATS)
    yield Finding(label, TOGETHER, *found, chance_error=dealt.chance_error)
