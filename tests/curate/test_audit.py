"""The audit finds planted shortcuts, leaves clean splits alone, and says what it cannot know."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from avfake.curate.audit import audit, refuse_shortcuts
from avfake.curate.shortcuts.report import AuditReport, Finding, Verdict, judge
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.manifest.schema import SPLIT_SCHEMA
from avfake.manifest.table import write_rows
from tests.curate.audit_split import RATE, make_crops, make_index, make_split


def find(report: AuditReport, label: str, cue: str) -> Finding:
    (finding,) = (f for f in report.findings if (f.label, f.cue) == (label, cue))
    return finding


def louder(sound: np.ndarray, audio_label: int, rng: np.random.Generator) -> np.ndarray:
    return sound * 10 ** (3 * audio_label / 20)


def quieter_or_louder(sound: np.ndarray, audio_label: int, rng: np.random.Generator) -> np.ndarray:
    return sound * 10 ** (audio_label * rng.choice([-6, 6]) / 20)


def a_little_louder_or_softer(sound: np.ndarray, audio_label: int, rng: np.random.Generator) -> np.ndarray:
    return sound * 10 ** (audio_label * rng.normal(scale=0.1) / 20)


def trailing_zeros(sound: np.ndarray, audio_label: int, rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([sound, np.zeros(RATE // 10 if audio_label else 0)])


def offset(sound: np.ndarray, audio_label: int, rng: np.random.Generator) -> np.ndarray:
    return sound + 0.02 * audio_label


@pytest.mark.parametrize(
    ("facts", "cue"),
    [
        ({"change": louder}, "loudness_db"),
        ({"change": quieter_or_louder}, "loudness_db"),
        ({"change": trailing_zeros}, "trail_silence_s"),
        ({"rates": (RATE, 16_000)}, "sample_rate"),
        ({"subtypes": ("PCM_16", "PCM_24")}, "codec"),
    ],
)
def test_a_planted_shortcut_fails_the_audit(workspace: Workspace, facts: dict[str, Any], cue: str) -> None:
    make_split(workspace, n_groups=14, **facts)
    report = audit(workspace, "balanced")
    finding = find(report, "audio", cue)
    assert finding.auc is not None
    assert finding.auc > 0.7
    assert finding.verdict == report.verdict == Verdict.FAIL
    assert "FAIL" in str(report)
    with pytest.raises(AvfakeError, match="has shortcuts: audio label from"):
        refuse_shortcuts(report)
    allowed = replace(report, allow_shortcuts=True)
    refuse_shortcuts(allowed)
    assert "shortcuts allowed" in str(allowed)


def test_a_clean_split_passes_and_writes_its_report(workspace: Workspace) -> None:
    make_split(workspace)
    make_index(workspace)
    report = audit(workspace, "balanced")
    refuse_shortcuts(report)
    stored = json.loads((workspace.split("balanced") / "audit.json").read_text())
    assert stored["verdict"] == report.verdict != Verdict.FAIL
    assert len(stored["findings"]) == len(report.findings)
    assert all(f.auc == 0.5 for f in report.findings if f.label == "audio")  # every pair is equal
    assert find(report, "video", "sample_rate").note == "constant"


def test_the_size_of_fake_videos_is_a_shortcut(workspace: Workspace) -> None:
    make_split(workspace, n_groups=14)
    make_index(workspace, fake_width=320)
    report = audit(workspace, "balanced")
    assert find(report, "video", "video_width").auc == 1.0
    assert find(report, "audio", "video_width").auc == 0.5


def test_darker_faces_of_fakes_are_a_shortcut(workspace: Workspace) -> None:
    make_split(workspace, n_groups=14, faces_path="faces/made/x.avi")
    make_index(workspace)
    make_crops(workspace, fake_brightness=0.4)
    report = audit(workspace, "balanced")
    assert find(report, "video", "face_brightness").auc == 1.0
    assert find(report, "audio", "face_brightness").auc == 0.5
    assert find(report, "video", "face_height_px").auc == pytest.approx(0.5, abs=0.1)
    assert find(report, "video", "face_frames").note == "constant"
    assert not any("faces were not measured" in note for note in report.notes)


def test_a_recording_in_several_identity_groups_is_no_shortcut(workspace: Workspace) -> None:
    """Its copies measure the same to the last digit, its resyntheses do not: any cue would know it again."""
    make_split(workspace, n_groups=24, n_voices=6, change=a_little_louder_or_softer)
    report = audit(workspace, "balanced")
    assert report.n_groups == 6
    finding = find(report, "audio", "loudness_db")
    assert finding.auc is not None
    assert finding.auc < 0.65


def test_few_rows_and_a_missing_index_are_notes_and_no_failure(workspace: Workspace) -> None:
    make_split(workspace, n_groups=3, change=offset)
    report = audit(workspace, "balanced")
    finding = find(report, "audio", "dc_offset")
    assert finding.auc is not None
    assert finding.auc > 0.7
    assert finding.verdict == Verdict.UNSURE
    assert any("too few rows to tell" in note for note in report.notes)
    assert any("video cues of made are missing" in note for note in report.notes)
    assert any("faces were not measured" in note for note in report.notes)
    assert find(report, "video", "video_width").note == "constant"
    refuse_shortcuts(report)


def test_jobs_leave_no_trace(workspace: Workspace) -> None:
    make_split(workspace, n_groups=9)  # 36 files: two shards
    written = []
    for jobs in (1, 2):
        audit(workspace, "balanced", jobs=jobs, seed=5)
        written.append((workspace.split("balanced") / "audit.json").read_bytes())
    assert written[0] == written[1]


def test_a_large_split_is_sampled_by_group_and_says_so(workspace: Workspace) -> None:
    make_split(workspace, n_groups=20)
    report = audit(workspace, "balanced", max_rows=40)
    assert (report.n_rows, report.n_audited, report.n_groups) == (80, 40, 10)
    assert "40 rows of 10 identity groups, a sample of 80" in str(report)
    assert audit(workspace, "balanced", max_rows=40, seed=1).findings != report.findings


def test_each_file_is_read_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from avfake.curate.shortcuts import cues

    read: list[str] = []
    load: Callable = cues.load_flac
    monkeypatch.setattr(cues, "load_flac", lambda path: read.append(path.name) or load(path))
    make_split(workspace, n_groups=3, audio_path="audio/made/g000real.flac", duration_s=0.1)
    audit(workspace, "balanced")
    assert read == ["g000real.flac"]


def test_a_broken_file_names_its_row(workspace: Workspace) -> None:
    make_split(workspace, n_groups=3)
    (workspace.root / "vocoded/made/g001fake.flac").write_bytes(b"RIFF")
    with pytest.raises(AvfakeError, match="row made/g001fake/fake-fake: .*g001fake.flac is not a readable"):
        audit(workspace, "balanced")
    assert not (workspace.split("balanced") / "audit.json").exists()


def test_a_missing_file_names_its_row_across_processes(workspace: Workspace) -> None:
    make_split(workspace, n_groups=10)
    (workspace.root / "audio/made/g001real.flac").unlink()
    with pytest.raises(AvfakeError, match="row made/g001real/real-real: "):
        audit(workspace, "balanced", jobs=2)


def test_paths_out_of_the_workspace_are_refused(workspace: Workspace) -> None:
    make_split(workspace, n_groups=3, audio_path="../secret.flac")
    with pytest.raises(AvfakeError, match="stay inside"):
        audit(workspace, "balanced")


@pytest.mark.parametrize(
    ("facts", "build", "message"),
    [
        ({"schema_version": 99}, "one", "has schema version 99"),
        ({}, "two", "of different builds"),
    ],
)
def test_a_split_of_another_make_is_refused(
    workspace: Workspace, facts: dict[str, object], build: str, message: str
) -> None:
    make_split(workspace, n_groups=3)
    write_rows(workspace.split("balanced") / "val.parquet", [], SPLIT_SCHEMA, {**facts, "build": build})
    with pytest.raises(AvfakeError, match=message):
        audit(workspace, "balanced")


def test_missing_columns_are_named(workspace: Workspace) -> None:
    schema = SPLIT_SCHEMA.remove(SPLIT_SCHEMA.get_field_index("pad_s"))
    write_rows(workspace.split("balanced") / "val.parquet", [], schema, {})
    with pytest.raises(AvfakeError, match=r"lacks columns .*: pad_s"):
        audit(workspace, "balanced")


def test_an_empty_or_absent_split_is_one_line(workspace: Workspace) -> None:
    with pytest.raises(AvfakeError, match="avfake build-split"):
        audit(workspace, "balanced")
    write_rows(workspace.split("balanced") / "train.parquet", [], SPLIT_SCHEMA, {})
    with pytest.raises(AvfakeError, match="has no rows"):
        audit(workspace, "balanced")


def test_a_split_of_one_label_is_not_tested(workspace: Workspace) -> None:
    make_split(workspace, n_groups=4, label=1)
    report = audit(workspace, "balanced")
    assert find(report, "whole", "loudness_db").auc is None
    assert any(note.startswith("whole label: not tested") for note in report.notes)


@pytest.mark.parametrize(
    ("auc", "p_value", "verdict"),
    [
        (0.60, 1e-9, Verdict.OK),
        (0.61, 1e-9, Verdict.WARNING),
        (0.70, 1e-9, Verdict.WARNING),
        (0.71, 1e-9, Verdict.FAIL),
        (0.71, 0.02, Verdict.UNSURE),  # three tries: 0.06
        (0.71, 0.01, Verdict.FAIL),
        (0.99, 0.40, Verdict.UNSURE),
    ],
)
def test_verdicts_follow_thresholds_and_chance(auc: float, p_value: float, verdict: Verdict) -> None:
    others = [Finding("audio", name, 0.5, 0.4, 0.6, 0.5) for name in ("one", "two")]
    constant = Finding("audio", "three", 0.5, 0.5, 0.5, 1.0, note="constant")
    judged, worst = judge([Finding("audio", "cue", auc, 0.6, 0.8, p_value), *others, constant])
    assert judged[0].verdict == worst == verdict
