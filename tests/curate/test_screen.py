"""Screening, from crops and sound on disk to the table: of drawn heads that talk, and of real people."""

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from numpy.typing import NDArray

from avfake.audio.io import SAMPLE_RATE, save_flac
from avfake.curate.faces import faces
from avfake.curate.fetch_audio import fetch_audio
from avfake.curate.index import index
from avfake.curate.screen import screen
from avfake.curate.stage import read_ledger
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.faces.syncnet import SyncNet
from avfake.files import sha256_of
from avfake.video.lossless import write_pictures
from tests.split_tables import make_tables, sha
from tests.talking_heads import talk

N_PEOPLE = 5
Crops, Sound = NDArray[np.uint8], NDArray[np.float32]


def store(workspace: Workspace, clips: dict[str, tuple[Crops, Sound]]) -> None:
    """Tables and files as fetch-audio and faces leave them; up to a hyphen stands the person's name."""
    rows = []
    for name, (crops, sound) in clips.items():
        write_pictures(workspace.root / f"faces/folk/{name}.avi", crops, fps=10)
        save_flac(workspace.root / f"audio/folk/{name}.flac", sound, SAMPLE_RATE)
        row = {"corpus": "folk", "clip_id": name, "identity_group": name.split("-")[0], "sound": sha(name)}
        rows.append({**row, "faces": {"n_frames": len(crops)}, "video_label": int(name.endswith("-fake"))})
    make_tables(workspace, rows, vocoders=())


def heads() -> dict[str, tuple[Crops, Sound]]:
    return {f"id{number}": tuple(talk(number)) for number in range(N_PEOPLE)}  # type: ignore[misc]


def screened(workspace: Workspace) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(workspace.ledger("screened") / "part-folk.parquet").to_pylist()
    return {row["clip_id"]: row for row in rows}


def test_own_sound_scores_higher_than_anothers(workspace: Workspace) -> None:
    clips = heads()
    clips["id0-dubbed"] = clips["id0"][0], clips["id1"][1]
    store(workspace, clips)
    report = screen(workspace)
    found = screened(workspace)
    assert report.n_failed == 0
    for number in range(N_PEOPLE):
        row = found[f"id{number}"]
        assert row["sync_score"] > 2
        assert row["sync_lag_ms"] == 0
        assert row["off_camera"] is False
        assert row["reason"] is None
    assert found["id0-dubbed"]["sync_score"] < found["id0"]["sync_score"] - 2
    (corpus,) = report.corpora
    assert (corpus.n_clips, corpus.n_scored) == (N_PEOPLE + 1, N_PEOPLE + 1)
    assert corpus.separation is not None
    assert corpus.separation.auc > 0.9
    assert "AUC" in str(report)


@pytest.mark.parametrize("late_ms", [-150, 100])
def test_lag_is_recovered_and_loudness_does_not_count(workspace: Workspace, late_ms: int) -> None:
    clips = heads()
    crops, sound = clips["id2"]
    clips["id2"] = crops, np.roll(sound, round(late_ms / 1000 * SAMPLE_RATE)) / 8
    store(workspace, clips)
    screen(workspace)
    row = screened(workspace)["id2"]
    assert row["sync_lag_ms"] == late_ms
    assert row["sync_score"] > 2


def test_where_nothing_can_be_said_a_reason_stands(workspace: Workspace) -> None:
    clips = heads()
    crops, sound = clips["id0"]
    hiss = (1e-4 * np.random.default_rng(0).standard_normal(len(sound))).astype(np.float32)
    clips["still"] = np.repeat(crops[:1], len(crops), axis=0), sound
    clips["hiss"] = crops, hiss
    clips["brief"] = crops[:9], sound
    clips["cut"] = crops, sound[: SAMPLE_RATE // 2]
    store(workspace, clips)
    report = screen(workspace)
    found = screened(workspace)
    reasons = {
        "still": "static face",
        "hiss": "silent",
        "brief": "shorter than 1 s",
        "cut": "shorter than 1 s",
    }
    for name, reason in reasons.items():
        assert found[name]["reason"] == reason
        assert found[name]["sync_score"] is None
        assert found[name]["off_camera"] is None
    assert report.corpora[0].reasons == {"shorter than 1 s": 2, "silent": 1, "static face": 1}
    assert report.n_failed == 0


def test_one_person_alone_has_nobody_to_be_compared_with(workspace: Workspace) -> None:
    store(workspace, {"id0": heads()["id0"], "id0-again": tuple(talk(0, take=1))})  # type: ignore[dict-item]
    report = screen(workspace)
    assert {row["reason"] for row in screened(workspace).values()} == {"nobody else to compare with"}
    assert report.corpora[0].separation is None


def test_fakes_are_scored_but_teach_nothing(workspace: Workspace) -> None:
    clips = heads()
    store(workspace, clips)
    screen(workspace)
    alone = screened(workspace)
    rng = np.random.default_rng(0)
    wrong = {f"id{n}-fake": (rng.permutation(clips[f"id{n}"][0]), clips[f"id{n}"][1]) for n in range(3)}
    store(workspace, clips | wrong)
    screen(workspace)
    found = screened(workspace)
    assert {name: found[name] for name in alone} == alone
    assert all(found[name]["sync_score"] is not None for name in wrong)


def test_jobs_and_a_second_run_change_no_byte(workspace: Workspace) -> None:
    store(workspace, heads())
    screen(workspace, jobs=2)
    files = [*workspace.ledger("screened").iterdir(), *workspace.ledger("signals").iterdir()]
    before = {path: sha256_of(path) for path in files}
    report = screen(workspace)
    assert {path: sha256_of(path) for path in files} == before
    assert report.stages[0].n_done_before == N_PEOPLE


def test_broken_files_are_rows_with_a_reason(workspace: Workspace) -> None:
    store(workspace, heads())
    (workspace.root / "faces/folk/id1.avi").write_bytes(b"RIFF")
    (workspace.root / "audio/folk/id3.flac").unlink()
    report = screen(workspace)
    assert report.n_failed == 2
    assert sorted(screened(workspace)) == ["id0", "id2", "id4"]
    failed = [row for row in read_ledger(workspace.ledger("signals"), "folk") if row["status"] == "failed"]
    assert [row["error_kind"] for row in failed] == ["corrupt", "not_found"]


def test_what_is_lacking_says_what_comes_first(workspace: Workspace) -> None:
    with pytest.raises(AvfakeError, match="run avfake index first"):
        screen(workspace)
    make_tables(workspace, [{"corpus": "folk", "clip_id": "a", "identity_group": "a"}])
    with pytest.raises(AvfakeError, match="run avfake fetch-audio and avfake faces first"):
        screen(workspace)


def test_a_file_that_is_no_syncnet_stops_before_any_work(workspace: Workspace, tmp_path: Path) -> None:
    store(workspace, {"id0": heads()["id0"]})
    (tmp_path / "weights").write_bytes(b"nothing")
    with pytest.raises(AvfakeError, match="no file of weights alone"):
        screen(workspace, syncnet=tmp_path / "weights")
    assert not workspace.ledger("lips").exists()


@pytest.fixture
def talking(shared: Path, tmp_path: Path) -> Path:
    """The real talking clips, each in a folder of its speaker's name."""
    with (shared / "data" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "talking"]
    for row in rows:
        path = shared / "data" / row["path"]
        copy = tmp_path / "clips" / row["speaker"] / f"{path.parent.name}-{path.name}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path / "clips"


@pytest.mark.slow
@pytest.mark.shared
def test_real_people_go_with_their_own_sound(workspace: Workspace, talking: Path) -> None:
    index(workspace, "folder", talking, name="folk", identity_regex="^([^/]+)/")
    fetch_audio(workspace, jobs=2)
    faces(workspace, jobs=2)
    report = screen(workspace, jobs=2)
    found = report.corpora[0].separation
    assert found is not None
    assert found.auc > 0.85
    assert found.low > 0.75
    assert report.corpora[0].n_off_camera <= 0.1 * report.corpora[0].n_scored


@pytest.mark.slow
@pytest.mark.shared
def test_a_syncnet_judges_instead(workspace: Workspace, talking: Path, tmp_path: Path) -> None:
    """With random weights, which tell nothing; the way there and back is tried."""
    lengths = {path: path.stat().st_size for path in talking.rglob("*.mp4")}
    (tmp_path / "few").mkdir()
    for path in sorted(lengths, key=lengths.__getitem__)[:2]:
        shutil.copy(path, tmp_path / "few")
    torch.manual_seed(0)
    torch.save(SyncNet().state_dict(), tmp_path / "syncnet.model")
    index(workspace, "folder", tmp_path / "few", name="folk")
    fetch_audio(workspace)
    faces(workspace)
    report = screen(workspace, syncnet=tmp_path / "syncnet.model", jobs=2)
    assert report.corpora[0].n_scored == 2
    for row in screened(workspace).values():
        assert np.isfinite(row["sync_score"])
        assert abs(row["sync_lag_ms"]) <= 200
        assert row["closeness"] is None
    (one, *_) = read_ledger(workspace.ledger("lips"), "folk")
    assert len(one["distances"]) == 31
