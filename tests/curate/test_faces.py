"""Face crops as a stage: what a row promises, shared tracks, who may speak, reasons, and resuming."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.audio.io import load_flac
from avfake.curate.crops import track_of
from avfake.curate.faces import faces, read_faces
from avfake.curate.fetch_audio import fetch_audio
from avfake.curate.index import index
from avfake.curate.workspace import Workspace
from avfake.demo.video import write_mp4
from avfake.errors import AvfakeError
from avfake.faces.retinaface import build
from avfake.faces.template import template
from avfake.files import sha256_of
from avfake.video.lossless import read_pictures
from tests.dummies import speech_like
from tests.faces.painted import paint_faces

FPS, RATE = 25, 44_100


def write_face(path: Path, number: int, *, duration_s: float = 1.2, right: float = 12.0) -> NDArray[np.uint8]:
    """A painted face that drifts to the right, with sound."""
    n_frames = round(duration_s * FPS)
    pictures = paint_faces(np.linspace(0, right, n_frames), number).pictures
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = speech_like(duration_s, RATE, seed=number)
    write_mp4(path, pictures, sound, fps=FPS, sample_rate=RATE)
    return pictures


def digests(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real clip, a fake made from it that changes the face a little, and one that shows somebody else."""
    part = tmp_path_factory.mktemp("dfdc") / "dfdc_train_part_0"
    pictures = write_face(part / "real.mp4", 0)
    sound = speech_like(1.2, RATE)
    faked = pictures.copy()
    faked[:, 100:160] = np.clip(faked[:, 100:160].astype(int) + 25, 0, 255)
    write_mp4(part / "fake.mp4", faked, sound, fps=FPS, sample_rate=RATE)
    write_mp4(part / "moved.mp4", np.roll(pictures, 60, axis=2), sound, fps=FPS, sample_rate=RATE)
    write_mp4(part / "faceless.mp4", np.full_like(pictures, 90), sound, fps=FPS, sample_rate=RATE)
    (part / "empty.mp4").touch()
    fakes = ("fake", "moved", "faceless")
    entries = {f"{name}.mp4": {"label": "FAKE", "split": "train", "original": "real.mp4"} for name in fakes}
    entries |= {f"{name}.mp4": {"label": "REAL", "split": "train"} for name in ("real", "empty")}
    (part / "metadata.json").write_text(json.dumps(entries))
    return part.parent


@pytest.fixture(scope="module")
def done(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("done") / "avfake-data")
    index(workspace, "dfdc", corpus)
    fetch_audio(workspace)
    faces(workspace)
    return workspace


def rows_of(workspace: Workspace) -> dict[str, dict[str, object]]:
    return {row["clip_id"].split("__")[-1]: row for row in read_faces(workspace, "dfdc")}


def test_crops_show_the_face_where_the_template_has_it(done: Workspace) -> None:
    row = rows_of(done)["real"]
    crops = read_pictures(done.root / str(row["faces_path"]))
    assert crops.shape == (12, 112, 112, 3)
    assert (row["n_frames"], row["width"], row["height"], row["chosen_by"]) == (12, 256, 256, "alone")
    assert sha256_of(done.root / str(row["faces_path"])) == row["faces_sha256"]
    for (face,) in build()(list(crops[::4])):
        assert np.abs(face.landmarks - template()).max() < 6


def test_a_row_says_where_in_the_picture_each_crop_lies(done: Workspace) -> None:
    row = rows_of(done)["real"]
    track = track_of(row)
    assert track.time_s == pytest.approx(np.arange(12) / 10)
    assert np.diff(track.boxes[:, 0]).mean() == pytest.approx(12 / 29 * 2.5, abs=0.3)  # its drift
    transforms = np.reshape(row["transforms"], (-1, 2, 3))
    placed = np.einsum("fij,fpj->fpi", transforms[:, :, :2], track.landmarks) + transforms[:, None, :, 2]
    assert np.abs(placed - template()).max() < 6


def test_a_clip_has_a_crop_for_each_tenth_of_a_second_of_its_sound(done: Workspace) -> None:
    for row in rows_of(done).values():
        if row["status"] == "ok":
            name = str(row["faces_path"]).replace("faces", "audio", 1).replace(".avi", ".flac")
            waveform, rate = load_flac(done.root / name)
            assert int(str(row["n_frames"])) >= int(10 * len(waveform) / rate)


def test_every_bad_clip_is_a_row_with_its_reason(done: Workspace) -> None:
    rows = rows_of(done)
    assert {name: row["error_kind"] for name, row in rows.items() if row["status"] == "failed"} == {
        "empty": "corrupt",
        "faceless": "no_face",
    }
    assert all("\n" not in str(row["error"]) for row in rows.values())


def test_fakes_share_the_track_of_their_original_where_it_fits(
    workspace: Workspace, corpus: Path, done: Workspace
) -> None:
    index(workspace, "dfdc", corpus)
    report = faces(workspace, share_tracks=True)
    assert report.n_failed == 2
    shared, alone = rows_of(workspace), rows_of(done)
    assert shared["fake"]["chosen_by"] == "shared"
    assert shared["fake"]["transforms"] == shared["real"]["transforms"] != alone["fake"]["transforms"]
    assert shared["moved"]["chosen_by"] == "alone"  # the face is not where the original's was
    assert shared["moved"]["transforms"] == alone["moved"]["transforms"]
    with pytest.raises(AvfakeError, match="share_tracks=True .now False.*--retry all"):
        faces(workspace)


def test_jobs_and_restarts_change_no_byte(workspace: Workspace, corpus: Path, done: Workspace) -> None:
    index(workspace, "dfdc", corpus)
    fetch_audio(workspace)
    faces(workspace, jobs=2)
    assert digests(workspace.root / "faces") == digests(done.root / "faces")
    assert rows_of(workspace) == rows_of(done)
    before = digests(workspace.root)
    assert sum(stage.n_done_before for stage in faces(workspace).stages) == 5
    assert digests(workspace.root) == before


def test_a_replaced_video_is_cropped_anew(workspace: Workspace, tmp_path: Path) -> None:
    write_face(tmp_path / "clips/a.mp4", 0, duration_s=0.4)
    write_face(tmp_path / "clips/b.mp4", 1, duration_s=0.4)
    index(workspace, "folder", tmp_path / "clips")
    faces(workspace)
    before = {row["clip_id"]: row for row in read_faces(workspace, "folder")}
    write_face(tmp_path / "clips/b.mp4", 2, duration_s=0.4)
    index(workspace, "folder", tmp_path / "clips")
    (report,) = faces(workspace).stages
    assert report.n_done_before == 1
    after = {row["clip_id"]: row for row in read_faces(workspace, "folder")}
    changed = {name for name in before if before[name]["faces_sha256"] != after[name]["faces_sha256"]}
    assert {name[0] for name in changed} == {"b"}


def test_contact_sheets_are_drawn_once(workspace: Workspace, tmp_path: Path) -> None:
    write_face(tmp_path / "clips/a.mp4", 0, duration_s=0.4)
    index(workspace, "folder", tmp_path / "clips")
    assert faces(workspace, preview=True).n_previews == 1
    (sheet,) = workspace.root.glob("faces/folder/*.png")
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert faces(workspace, preview=True).n_previews == 0


def test_what_cannot_be_done_is_one_line(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="holds no index; run avfake index first"):
        faces(workspace)
    write_face(tmp_path / "clips/a.mp4", 0, duration_s=0.2)
    index(workspace, "folder", tmp_path / "clips")
    with pytest.raises(AvfakeError, match="face detector 'x' is unknown"):
        faces(workspace, detector="x")
