"""Any file gets its prediction; one that is broken is no other's concern."""

import csv
import json
import shutil
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from avfake.curate.faces import faces
from avfake.curate.fetch_audio import fetch_audio
from avfake.curate.index import index
from avfake.curate.stage import read_ledger
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError, ClipError, ErrorKind
from avfake.evaluation import predict as module
from avfake.evaluation.evaluate import evaluate
from avfake.evaluation.inference import judge
from avfake.evaluation.predict import PredictionReport, predict
from avfake.evaluation.prediction import draw_prediction
from avfake.evaluation.recording import Recording, read_video
from avfake.evaluation.scores import HEADS, load_scores
from avfake.faces.detect import load_detector
from avfake.files import sha256_of
from tests.dataset.making import make_row
from tests.dummies import speech_like
from tests.evaluation.filming import SOUND_RATE, film, film_face, small_detector
from tests.training.making import write_part

CPU = torch.device("cpu")
SECONDS = {"short.mp4": 0.7, "long.mp4": 2.4, "mute.mp4": 1.5, "voice.mp4": 1.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    small_detector().save_pretrained(folder)
    return folder


def made(path: Path) -> Recording:
    """What is found in a file that is not there: noise, a picture and a sound for each tenth of a second."""
    if path.name not in SECONDS:
        raise ClipError(ErrorKind.CORRUPT, "it is cut off")
    n_frames = round(10 * SECONDS[path.name])
    rng = np.random.default_rng(n_frames)
    crops = rng.integers(0, 256, (n_frames, 112, 112, 3)).astype(np.uint8)
    waveform = (0.1 * rng.standard_normal(2205 * n_frames)).astype(np.float32)
    kinds = {"mute.mp4": (crops, None), "voice.mp4": (None, waveform)}
    return Recording(*kinds.get(path.name, (crops, waveform)))


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is spent on reading files and on drawing."""
    monkeypatch.setattr(module, "read_video", lambda path, _: made(path))
    monkeypatch.setattr(module, "draw_prediction", lambda path, *_: path.write_bytes(b"drawn"))


def test_a_face_that_talks_is_judged_from_file_to_files(model: Path, tmp_path: Path) -> None:
    video = film_face(tmp_path / "a talk, ü.mp4", 15, speech_like(1.5, SOUND_RATE))
    (prediction,) = predict([str(video)], str(model), out=str(tmp_path / "out"), hop_s=0.5)
    assert prediction.status == "ok"
    assert [(window.start_s, window.end_s) for window in prediction.windows] == [(0, 1), (0.5, 1.5)]
    assert prediction.p_whole == pytest.approx(np.mean([window.p_whole for window in prediction.windows]))
    found = json.loads((tmp_path / "out/a talk, ü.mp4.json").read_text())
    assert found["verdict"] == prediction.verdict
    assert found["p_whole"] == prediction.p_whole
    assert found["detector_sha256"] == sha256_of(model / "model.safetensors")
    assert (tmp_path / "out/a talk, ü.mp4.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_gets_the_scores_that_evaluate_gives_its_clip(model: Path, tmp_path: Path) -> None:
    film_face(tmp_path / "corpus" / "talk.mp4", 22, speech_like(2.2, SOUND_RATE))
    assert_same_scores(tmp_path, model)


@pytest.mark.shared
@pytest.mark.slow
def test_real_files_get_the_scores_that_evaluate_gives_their_clips(
    shared: Path, model: Path, tmp_path: Path
) -> None:
    with (shared / "data" / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    chosen = [shortest(rows, kind) for kind in ("talking", "videofake")]
    (tmp_path / "corpus").mkdir()
    for number, row in enumerate(chosen):
        path = shared / "data" / row["path"]
        shutil.copy(path, tmp_path / "corpus" / f"clip{number}{path.suffix}")
    assert_same_scores(tmp_path, model)


def assert_same_scores(folder: Path, model: Path) -> None:
    """Clips go through every stage to a split that is evaluated; their files are given to predict."""
    workspace = Workspace(folder / "data")
    index(workspace, "folder", folder / "corpus", name="made")
    fetch_audio(workspace)
    faces(workspace)
    shutil.copytree(model, workspace.root / "runs" / "run" / "model")
    indexed = pq.read_table(workspace.root / "index" / "made.parquet", columns=["clip_id", "video_path"])
    paths = dict(zip(*(column.to_pylist() for column in indexed.columns), strict=True))
    videos, rows = [], []
    ledgers = (ok_rows(workspace.ledger("audio"), "made"), ok_rows(workspace.ledger("faces"), "made-real"))
    for sound, shown in zip(*ledgers, strict=True):
        facts = {name: sound[name] for name in ("audio_path", "audio_sha256", "n_samples")}
        facts |= {name: shown[name] for name in ("faces_path", "faces_sha256")}
        rows.append(make_row(sound["clip_id"], "real-real", split="test", **facts))
        videos.append(folder / "corpus" / paths[sound["clip_id"]])
    write_part(workspace.root / "splits" / "made", "test", rows)
    for hop_s in (None, 0.5):
        report = evaluate(workspace.root, "run", "made", hop_s=hop_s)
        scores = load_scores(Path(report.folder) / "scores.parquet")
        assert scores.sample_id.tolist() == [row["sample_id"] for row in rows]
        predictions = predict(videos, model, hop_s=hop_s or 0.5)
        for number, prediction in enumerate(predictions):
            found = prediction.windows[0] if hop_s is None else prediction
            for head in HEADS:
                assert getattr(found, f"p_{head}") == pytest.approx(scores.p(head)[number], abs=1e-4)


def ok_rows(ledger: Path, scope: str) -> list[dict[str, Any]]:
    """Of every clip, in the order of clips."""
    rows = sorted(read_ledger(ledger, scope), key=itemgetter("clip_id"))
    assert rows
    assert {row["status"] for row in rows} == {"ok"}
    return rows


def test_a_film_without_sound_and_one_without_a_face_are_judged_by_what_they_have(
    model: Path, tmp_path: Path
) -> None:
    mute = film_face(tmp_path / "mute.mp4", 12, None)
    wall = film(tmp_path / "wall.mp4", np.full((12, 128, 128, 3), 90, np.uint8), speech_like(1.2, SOUND_RATE))
    neither = film(tmp_path / "neither.mp4", np.full((12, 128, 128, 3), 90, np.uint8), None)
    predictions = predict([mute, wall, neither], model)
    known = [(p.p_video is not None, p.p_audio is not None, p.p_whole is not None) for p in predictions]
    assert known == [(True, False, False), (False, True, False), (False, False, False)]
    assert predictions[0].notes == ("The sound is not judged: it has no sound track.",)
    assert predictions[1].notes[0].startswith("The pictures are not judged: no face is found")
    assert predictions[2].error_kind == "no_face"
    alone = small_detector()
    whole = read_video(mute, load_detector("retinaface")).windows(np.array([0, 2]), alone.config)
    np.testing.assert_allclose(
        [window.p_video for window in predictions[0].windows], judge(alone, [whole], CPU)[:, 0], atol=1e-6
    )


@pytest.mark.usefixtures("unread")
def test_windows_and_what_joins_them_are_the_detectors_own(model: Path) -> None:
    recording = made(Path("long.mp4"))
    detector = small_detector()
    starts = np.array([0, 5, 10, 14])
    wanted = judge(detector, [recording.windows(starts, detector.config)], torch.device("cpu"))
    for aggregation, join in (("mean", np.mean), ("max", np.max)):
        (prediction,) = predict(
            [Path("long.mp4")], model, hop_s=0.5, aggregation=aggregation, batch_size=3, accelerator="cpu"
        )
        found = [[window.p_video, window.p_audio, window.p_whole] for window in prediction.windows]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
        joined = [prediction.p_video, prediction.p_audio, prediction.p_whole]
        np.testing.assert_allclose(joined, join(found, axis=0), rtol=0, atol=1e-6)


@pytest.mark.usefixtures("unread")
def test_a_face_that_is_lost_costs_its_own_windows_alone(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made(Path("long.mp4"))
    gap = replace(whole, lost=((3, 9),), notes=("The face is lost.",))
    monkeypatch.setattr(module, "read_video", lambda *_: gap)
    monkeypatch.setattr(module, "draw_prediction", draw_prediction)
    (prediction,) = predict([Path("long.mp4")], model, out=tmp_path, hop_s=0.5, batch_size=2)
    config = small_detector().config
    wanted = judge(small_detector(), [whole.windows(np.array([0, 5, 10, 14]), config)], CPU)
    found = [[window.p_video, window.p_audio, window.p_whole] for window in prediction.windows]
    assert [[p is None for p in window] for window in found] == [[True, False, True]] * 2 + [[False] * 3] * 2
    np.testing.assert_allclose(np.array(found[2:], float), wanted[2:], rtol=0, atol=1e-6)
    assert prediction.p_video == pytest.approx(wanted[2:, 0].mean(), abs=1e-6)
    assert prediction.p_audio == pytest.approx(np.mean([window.p_audio for window in prediction.windows]))
    assert prediction.words.endswith(", as far as judged")
    assert prediction.notes == ("The face is lost.",)
    assert (tmp_path / "long.mp4.png").read_bytes().startswith(b"\x89PNG")


def test_a_face_in_no_window_and_no_sound_fails(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gap = replace(made(Path("mute.mp4")), lost=((7, 13),), notes=("The face is lost.",))
    monkeypatch.setattr(module, "read_video", lambda *_: gap)
    (prediction,) = predict([Path("mute.mp4")], model)
    assert prediction.error_kind == "face_lost"
    assert prediction.error == "no window of 1.0 s shows its face throughout; The face is lost."


@pytest.mark.usefixtures("unread")
def test_one_broken_file_stops_no_other(model: Path, tmp_path: Path) -> None:
    videos = [Path(name) for name in ("short.mp4", "broken.mp4", "mute.mp4", "voice.mp4")]
    (tmp_path / "broken.mp4.png").write_bytes(b"of an earlier run")
    predictions = predict(videos, model, out=tmp_path)
    assert [prediction.video for prediction in predictions] == [str(video) for video in videos]
    assert [prediction.status for prediction in predictions] == ["ok", "failed", "ok", "ok"]
    assert predictions[1].error == "it is cut off"
    judged = [(p.p_video is not None, p.p_audio is not None, p.p_whole is not None) for p in predictions]
    assert judged == [(True, True, True), (False, False, False), (True, False, False), (False, True, False)]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{video}.json" for video in videos} | {
        f"{p.video}.png" for p in predictions if p.verdict
    }
    assert PredictionReport(tuple(predictions), str(tmp_path)).n_failed == 1


@pytest.mark.usefixtures("unread")
def test_workers_change_no_number(model: Path) -> None:
    videos = [Path(name) for name in (*SECONDS, "broken.mp4")]
    assert predict(videos, model, workers=2) == predict(videos, model)


def test_a_mistake_of_ours_fails_one_file(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "read_video", lambda *_: 1 / 0)
    (prediction,) = predict([Path("short.mp4")], model)
    assert prediction.error_kind == "internal"
    assert "ZeroDivisionError" in prediction.error
    assert "short.mp4 failed unexpectedly" in caplog.text


@pytest.mark.usefixtures("unread")
def test_files_of_one_name_do_not_overwrite_each_other(model: Path, tmp_path: Path) -> None:
    videos = [Path("a/short.mp4"), Path("b/short.mp4"), Path("c/SHORT.mp4")]
    predict(videos, model, out=tmp_path)
    found = {path.name: json.loads(path.read_text())["video"] for path in tmp_path.glob("*.json")}
    assert found == {
        "short.mp4.json": "a/short.mp4",
        "short.mp4-2.json": "b/short.mp4",
        "SHORT.mp4-3.json": "c/SHORT.mp4",
    }


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"videos": "talk.mp4"}, "videos is one path, talk.mp4; wanted a list of paths"),
        ({"hop_s": 1.5}, "--hop: hop_s=1.5"),
        ({"face_detector": "eyes"}, "'eyes' is unknown; choose one of retinaface, mtcnn"),
        ({"model": Path("absent")}, "absent holds no detector"),
    ],
)
def test_what_cannot_be_done_is_one_line(model: Path, words: dict[str, object], text: str) -> None:
    with pytest.raises(AvfakeError, match=text) as caught:
        predict(**{"videos": [], "model": model, **words})
    assert "\n" not in str(caught.value)


def test_a_report_has_a_line_per_video_and_says_where_the_files_are(model: Path) -> None:
    predictions = tuple(predict([Path("absent.mp4")], model))
    lines = str(PredictionReport(predictions, "out")).splitlines()
    assert lines[0].startswith("absent.mp4: not judged: ")
    assert lines[-1] == "out"


@pytest.mark.shared
def test_real_clips_of_every_kind_are_judged(shared: Path, model: Path, tmp_path: Path) -> None:
    with (shared / "data" / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    chosen = {kind: shortest(rows, kind) for kind in ("talking", "dubbed", "videofake", "speech")}
    videos = [shared / "data" / row["path"] for row in chosen.values()]
    predictions = dict(zip(chosen, predict(videos, model, out=tmp_path), strict=True))
    assert all(prediction.status == "ok" for prediction in predictions.values())
    for kind, prediction in predictions.items():
        starts_s = np.array([window.start_s for window in prediction.windows])
        assert starts_s[0] == 0
        assert (np.diff(starts_s) <= 1).all()
        assert prediction.windows[-1].end_s == pytest.approx(prediction.duration_s, abs=0.06)
        assert prediction.duration_s == pytest.approx(float(chosen[kind]["duration_s"]), abs=0.3)
        known = (prediction.p_video is not None, prediction.p_audio is not None)
        assert known == (kind != "speech", True)
        assert (tmp_path / f"{Path(chosen[kind]['path']).name}.png").stat().st_size > 20_000


def shortest(rows: list[dict[str, str]], kind: str) -> dict[str, str]:
    """The shortest clip of a kind whose faces are easily found."""
    found = [row for row in rows if row["kind"] == kind and float(row["face_frac"] or 1) == 1]
    return min(found, key=lambda row: (float(row["duration_s"]), row["path"]))
