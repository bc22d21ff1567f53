"""A DFDC-like tree from its files to the clips that may enter a split: only a copied sound counts as real."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from avfake.audio.blur import Blur
from avfake.audio.decode import decode_sound
from avfake.audio.io import SAMPLE_RATE, Waveform, load_flac, resample
from avfake.curate.demux import CONFIG, INDEX_COLUMNS, Demux, demux_tasks
from avfake.curate.index import index
from avfake.curate.sound_files import AUDIO_FIELDS
from avfake.curate.stage import Stage, StageReport, read_ledger, run_stage
from avfake.curate.task import OneByOne, Outcome, Task
from avfake.curate.vocode import vocode
from avfake.curate.workspace import Workspace
from avfake.errors import ClipError, ErrorKind
from avfake.manifest.candidates import judge_clips, load_tables
from avfake.manifest.database import open_database
from avfake.manifest.split_config import SplitConfig
from avfake.vocoders.registry import load_vocoder
from avfake.vocoders.resynthesis import resynthesize
from tests.dummies import speech_like, write_clip
from tests.split_tables import tables_of

RATE = 44_100
SECONDS = 2.0


def entry(original: str | None) -> dict[str, Any]:
    return {"label": "FAKE" if original else "REAL", "split": "train", "original": original}


FIRST_PART = {
    "anna.mp4": entry(None),
    "annb.mp4": entry("anna.mp4"),  # re-encoded
    "annc.mp4": entry("anna.mp4"),  # another codec, rate, level and number of channels
    "annd.mp4": entry("anna.mp4"),  # vocoded
    "anne.mp4": entry("anna.mp4"),  # another sentence
    "annf.mp4": entry("anna.mp4"),  # mute
    "benb.mp4": entry("bena.mp4"),  # its original is not there
    "cara.mp4": entry(None),  # mute
    "carb.mp4": entry("cara.mp4"),
    "dana.mp4": entry(None),  # cut off
    "danb.mp4": entry("dana.mp4"),
}
SECOND_PART = {"anng.mp4": entry("anna.mp4")}  # its original is in the other part

MATCHES = {"annb": True, "annc": True, "annd": False, "anne": False, "anng": True}
REASONS = {
    **dict.fromkeys(("anna", "annb", "annc", "anng"), None),
    **dict.fromkeys(("annd", "anne"), "audio differs from its original"),
    **dict.fromkeys(("annf", "cara"), "no audio"),
    **dict.fromkeys(("benb", "carb", "danb"), "audio label unknown"),
    "dana": "video unreadable",
}


def clip(path: Path, sound: Waveform | None, **how: Any) -> Path:
    return write_clip(path, sound, duration_s=SECONDS, sample_rate=how.pop("sample_rate", RATE), **how)


def vocoded(sound: Waveform) -> Waveform:
    made = resynthesize(load_vocoder("griffin-lim"), resample(sound, RATE, SAMPLE_RATE), Blur())
    return resample(made, SAMPLE_RATE, RATE)


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree, made once; tests that change it copy it."""
    root = tmp_path_factory.mktemp("dfdc")
    first, second = root / "dfdc_train_part_0", root / "dfdc_train_part_1"
    speech = speech_like(SECONDS, RATE)
    heard = decode_sound(clip(first / "anna.mp4", speech)).waveform
    clip(first / "annb.mp4", heard)
    stereo = np.tile(0.3 * resample(heard, RATE, 48_000), (2, 1))
    clip(first / "annc.mp4", stereo, sample_rate=48_000, audio_codec="libmp3lame", layout="stereo")
    clip(first / "annd.mp4", vocoded(heard))
    clip(first / "anne.mp4", speech_like(SECONDS, RATE, seed=1))
    clip(first / "annf.mp4", None)
    clip(first / "benb.mp4", heard)
    clip(first / "cara.mp4", None)
    clip(first / "carb.mp4", heard)
    (first / "dana.mp4").write_bytes((first / "anna.mp4").read_bytes()[:9_000])
    clip(first / "danb.mp4", heard)
    clip(second / "anng.mp4", heard)
    for part, entries in ((first, FIRST_PART), (second, SECOND_PART)):
        (part / "metadata.json").write_text(json.dumps(entries))
    return root


@pytest.fixture
def root(shot: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shot, tmp_path / "dfdc"))


def tasks(workspace: Workspace, root: Path) -> dict[str, Task]:
    rows = pq.read_table(workspace.index("dfdc"), columns=list(INDEX_COLUMNS)).to_pylist()
    return {task.clip_id: task for task in demux_tasks(rows, root)}


def demux(workspace: Workspace, root: Path) -> StageReport:
    stage = Stage(
        ledger=workspace.ledger("audio"),
        scope="dfdc",
        fields=AUDIO_FIELDS,
        config=CONFIG,
        work=OneByOne(Demux(workspace.root, root)),
        root=workspace.root,
        media_column="audio_path",
    )
    return run_stage(stage, tasks(workspace, root).values())


def ledger(workspace: Workspace) -> dict[str, Outcome]:
    return {row["clip_id"]: row for row in read_ledger(workspace.ledger("audio"), "dfdc")}


def test_only_fakes_with_the_sound_of_their_original_enter_a_split(workspace: Workspace, root: Path) -> None:
    index(workspace, "dfdc", root)
    demux(workspace, root)
    found = ledger(workspace)
    assert {
        name: row["audio_matches_original"] for name, row in found.items() if row["original_residual_db"]
    } == MATCHES
    vocode(workspace, vocoders=["griffin-lim"])
    with open_database(workspace.root / "building", threads=1) as database:
        load_tables(database, tables_of(workspace))
        judge_clips(database, SplitConfig(corpora=("dfdc",), vocoders=("griffin-lim",), min_duration_s=1.0))
        clips = database.execute("SELECT clip_id, reason, video_label FROM clips").fetchall()
    assert {name: reason for name, reason, _ in clips} == REASONS
    assert sorted(name for name, reason, fake in clips if fake and not reason) == ["annb", "annc", "anng"]


def test_row_describes_the_sound(workspace: Workspace, root: Path) -> None:
    index(workspace, "dfdc", root)
    row = Demux(workspace.root, root)(tasks(workspace, root)["annc"])
    waveform, rate = load_flac(workspace.root / row["audio_path"])
    assert rate == row["sample_rate"] == SAMPLE_RATE
    assert len(waveform) == row["n_samples"] == SECONDS * SAMPLE_RATE
    assert (row["source_codec"], row["source_rate"], row["source_channels"]) == ("mp3float", 48_000, 2)
    assert (row["audio_from"], row["audio_clip_id"]) == ("own", "annc")
    assert abs(row["offset_ms"]) < 60
    assert set(row) <= {field.name for field in AUDIO_FIELDS}


@pytest.mark.parametrize(
    "original",
    [
        None,
        "absent.mp4",
        "bad/cut.mp4",
        "bad/empty.mp4",
        "bad/page.mp4",
        "bad/noise.mp4",
        "dfdc_train_part_0",
        "dfdc_train_part_0/cara.mp4",
        "../dfdc/dfdc_train_part_0/anna.mp4",
        "/etc/passwd",
        "a\0b",
    ],
)
def test_no_original_fails_the_row_of_its_fake(
    workspace: Workspace, root: Path, original: str | None
) -> None:
    (root / "bad").mkdir()
    data = (root / "dfdc_train_part_0/anna.mp4").read_bytes()
    (root / "bad/cut.mp4").write_bytes(data[: len(data) // 2])
    (root / "bad/empty.mp4").touch()
    (root / "bad/page.mp4").write_text("<html>Sign in</html>")
    noise = np.random.default_rng(0).integers(0, 256, len(data), np.uint8)
    broken = np.where(noise > 200, noise, np.frombuffer(data, np.uint8))
    (root / "bad/noise.mp4").write_bytes(broken.tobytes())
    facts = {"video_path": "dfdc_train_part_0/annb.mp4", "original_path": original}
    row = Demux(workspace.root, root)(Task("dfdc", "annb", "0", facts))
    assert row["n_samples"] == SECONDS * SAMPLE_RATE
    assert row["audio_matches_original"] is row["original_residual_db"] is None


def test_fake_without_usable_sound_fails_whatever_its_original(workspace: Workspace, root: Path) -> None:
    part = "dfdc_train_part_0"
    facts = {"video_path": f"{part}/annf.mp4", "original_path": f"{part}/anna.mp4"}
    with pytest.raises(ClipError) as caught:
        Demux(workspace.root, root)(Task("dfdc", "annf", "0", facts))
    assert caught.value.kind is ErrorKind.NO_AUDIO


def test_fakes_are_done_anew_when_their_original_changes(workspace: Workspace, root: Path) -> None:
    index(workspace, "dfdc", root)
    demux(workspace, root)
    before = tasks(workspace, root)
    assert demux(workspace, root).n_done_before == len(before)
    clip(root / "dfdc_train_part_0/anna.mp4", speech_like(SECONDS, RATE, seed=1))
    after = tasks(workspace, root)
    changed = {name for name in before if before[name].inputs != after[name].inputs}
    assert changed == {"anna", "annb", "annc", "annd", "anne", "annf", "anng"}
    assert demux(workspace, root).n_done_before == len(before) - len(changed)
    now = {name: ledger(workspace)[name]["audio_matches_original"] for name in MATCHES}
    assert now == {name: name == "anne" for name in MATCHES}


def test_an_original_that_arrives_later_is_compared(workspace: Workspace, root: Path) -> None:
    index(workspace, "dfdc", root)
    assert demux(workspace, root).n_ok
    assert ledger(workspace)["benb"]["audio_matches_original"] is None
    part = root / "dfdc_train_part_1"
    shutil.copy(root / "dfdc_train_part_0/anna.mp4", part / "bena.mp4")
    (part / "metadata.json").write_text(json.dumps({**SECOND_PART, "bena.mp4": entry(None)}))
    index(workspace, "dfdc", root)
    demux(workspace, root)
    assert ledger(workspace)["benb"]["audio_matches_original"] is True


@pytest.mark.parametrize(
    ("fake", "original", "counts"),
    [
        ({}, {}, True),
        ({"original": "nobody"}, {}, False),
        ({"original": None}, {}, False),
        ({"video_label": 0}, {}, False),
        ({}, {"audio_label": None}, False),  # whether its sound is real nobody knows
        ({}, {"audio_label": 1}, False),
        ({}, {"status": "failed"}, False),
    ],
)
def test_an_original_counts_when_its_own_sound_is_real(
    tmp_path: Path, fake: dict[str, Any], original: dict[str, Any], counts: bool
) -> None:
    real = {"clip_id": "a", "video_path": "p/a.mp4", "video_label": 0, "audio_label": 0, "original": None}
    made = {"clip_id": "b", "video_path": "q/b.mp4", "video_label": 1, "audio_label": None, "original": "a"}
    common = {"corpus": "dfdc", "status": "ok"}
    found = {
        task.clip_id: task
        for task in demux_tasks([{**common, **made, **fake}, {**common, **real, **original}], tmp_path)
    }
    assert found["b"].facts["original_path"] == ("p/a.mp4" if counts else None)
    assert found["a"].facts["original_path"] is None
    assert {task.corpus for task in found.values()} == {"dfdc"}
