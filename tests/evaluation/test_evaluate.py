"""An evaluation holds the detector's own numbers, is there whole or not at all, and is not made twice."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from filelock import FileLock

from avfake.dataset.clips import ClipDataset
from avfake.errors import AvfakeError
from avfake.evaluation import evaluate as module
from avfake.evaluation.evaluate import evaluate
from avfake.evaluation.scores import load_scores
from avfake.evaluation.summary import summarise
from avfake.files import sha256_of
from avfake.manifest.table import read_metadata
from avfake.manifest.validate import read_split
from avfake.reporting.reliability import draw_reliability
from tests.dataset.making import make_media, make_row
from tests.evaluation.filming import small_detector
from tests.training.making import write_part

FILES = {"metrics.json", "reliability.png", "scores.parquet", "tables.md", "tables.tex"}
CLIPS = [
    ("ann", "real-real"),
    ("ann", "real-fake"),
    ("bob", "fake-real"),
    ("bob", "fake-fake"),
    ("cleo", "real-real"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split of five clips of 1.6 s, of a real and two manipulated people, and two runs."""
    root = tmp_path_factory.mktemp("made")
    rows = []
    for number, (person, quadrant) in enumerate(CLIPS):
        clip_id = f"{person}_{number}"
        media = make_media(root, clip_id, seconds=1.6, frequency_hz=200.0 + 150 * number)
        rows.append(make_row(clip_id, quadrant, split="test", **media))
    write_part(root / "splits" / "made", "test", rows)
    for framework in ("two-plus-one", "independent"):
        small_detector(framework).save_pretrained(root / "runs" / framework / "model")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in, where no time is spent on drawing."""
    monkeypatch.setattr(module, "draw_reliability", lambda path, _: path.write_bytes(b"drawn"))
    return Path(shutil.copytree(made, tmp_path / "data"))


def bytes_of(folder: str) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in Path(folder).iterdir()}


def direct(root: Path, framework: str, hop_s: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Row of each window and its probabilities, one window at a time, by the detector itself."""
    table = read_split(root / "splits/made/test.parquet", root)
    dataset = ClipDataset(table, root, window_frames=10, hop_s=hop_s)
    detector = small_detector(framework)
    found = []
    with torch.inference_mode():
        for number in range(len(dataset)):
            clip = dataset[number]
            found.append(
                [p.item() for p in detector(clip.video[None] / 255, clip.audio[None]).probabilities()]
            )
    return dataset.windows[:, 0], np.array(found)


def test_scores_are_the_detectors_own_on_the_first_window_of_each_row(root: Path) -> None:
    report = evaluate(str(root), "two-plus-one", "made", batch_size=2)
    scores = load_scores(f"{report.folder}/scores.parquet")
    _, wanted = direct(root, "two-plus-one")
    found = np.stack([scores.p_video, scores.p_audio, scores.p_whole], axis=1)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    table = pq.read_table(root / "splits/made/test.parquet")
    assert scores.sample_id.tolist() == table["sample_id"].to_pylist()
    assert scores.whole_by == "head"


def test_windows_of_a_row_are_joined(root: Path) -> None:
    rows, wanted = direct(root, "independent", hop_s=0.3)
    assert np.bincount(rows).tolist() == [3] * 5  # they begin at 0, 0.3 and 0.6 s
    for aggregation, join in (("mean", np.mean), ("max", np.max)):
        report = evaluate(root, "independent", "made", hop_s=0.3, aggregation=aggregation)
        scores = load_scores(Path(report.folder) / "scores.parquet")
        heads = np.array([join(wanted[rows == row, :2], axis=0) for row in range(5)])
        np.testing.assert_allclose(np.stack([scores.p_video, scores.p_audio], axis=1), heads, atol=1e-6)
        np.testing.assert_allclose(scores.p_whole, heads.max(axis=1), atol=1e-6)
        assert scores.whole_by == "maximum"
        assert "our choice" in (Path(report.folder) / "tables.md").read_text()
        assert Path(report.folder).name == f"made-test-hop0.3s-{aggregation}"


def test_all_files_are_there_and_agree(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "draw_reliability", draw_reliability)
    report = evaluate(root, "two-plus-one", "made")
    folder = root / "runs/two-plus-one/evaluation/made-test"
    assert report.folder == str(folder)
    assert {path.name for path in folder.iterdir()} == FILES
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(report.summary))
    summary = summarise(load_scores(folder / "scores.parquet"))
    assert {name: metrics[name] for name in summary} == json.loads(json.dumps(summary))
    assert metrics["n_samples"] == 5
    assert metrics["n_groups"] == 3
    assert metrics["detector_sha256"] == sha256_of(root / "runs/two-plus-one/model/model.safetensors")
    assert read_metadata(folder / "scores.parquet")["split_sha256"] == metrics["split_sha256"]
    assert f"whole  {100 * metrics['heads']['whole']['accuracy']['value']:.2f}" in str(report)


def test_same_again_gives_the_same_bytes(root: Path) -> None:
    first = bytes_of(evaluate(root, "two-plus-one", "made").folder)
    (root / "runs/two-plus-one/evaluation/made-test/tables.md").unlink()
    report = evaluate(root, "two-plus-one", "made", workers=1)
    assert not report.finished_before
    assert bytes_of(report.folder) == first


def test_what_is_finished_is_not_done_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluate(root, "two-plus-one", "made")
    monkeypatch.setattr(module, "load_detector", refuse("the detector"))
    again = evaluate(root, "two-plus-one", "made", batch_size=1)
    assert again.finished_before
    assert "nothing was done" in str(again)
    assert again.summary == json.loads(json.dumps(first.summary))


def test_another_detector_is_judged_anew(root: Path) -> None:
    before = evaluate(root, "two-plus-one", "made")
    small_detector(seed=1).save_pretrained(root / "runs/two-plus-one/model")
    after = evaluate(root, "two-plus-one", "made")
    assert not after.finished_before
    assert after.summary["detector_sha256"] != before.summary["detector_sha256"]
    assert {path.name for path in Path(after.folder).iterdir()} == FILES


def test_an_evaluation_cut_short_leaves_what_was_there(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root / "runs/two-plus-one/evaluation/made-test"
    with monkeypatch.context() as patch:
        patch.setattr(module, "draw_reliability", refuse("the picture"))
        with pytest.raises(LookupError, match="the picture"):
            evaluate(root, "two-plus-one", "made")
    assert not folder.exists()
    before = bytes_of(evaluate(root, "two-plus-one", "made").folder)
    monkeypatch.setattr(module, "draw_reliability", refuse("the picture"))
    with pytest.raises(LookupError, match="the picture"):
        evaluate(root, "two-plus-one", "made", seed=1)
    assert bytes_of(str(folder)) == before
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == ["made-test"]


def test_two_at_once_are_told_so(root: Path) -> None:
    folder = root / "runs/two-plus-one/evaluation"
    folder.mkdir()
    with FileLock(folder / ".made-test.lock"), pytest.raises(AvfakeError, match="another avfake evaluate"):
        evaluate(root, "two-plus-one", "made")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"run": "absent"}, "run 'absent' has no trained detector.*run avfake train"),
        ({"split": "absent"}, "split 'absent' has no test.*run avfake build-split"),
        ({"part": "val"}, "split 'made' has no val"),
        ({"hop_s": 0.25}, "--hop: hop_s=0.25 must be a multiple of 0.1"),
    ],
)
def test_what_is_not_there_is_one_line(root: Path, words: dict[str, Any], text: str) -> None:
    with pytest.raises(AvfakeError, match=text) as caught:
        evaluate(root, **{"run": "two-plus-one", "split": "made", **words})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words", "text"),
    [
        (lambda row: {**row, "faces_path": None}, {}, "no face crops; run avfake faces"),
        (lambda row: {**row, "faces_path": None} if row["clip_id"] == "bob_2" else row, {}, "1 of 5 rows"),
        (lambda row: {**row, "audio_path": "audio/gone.flac"}, {}, "5 of 5 rows.*gone.flac does not exist"),
        (lambda row: {**row, "n_samples": 22_050}, {"hop_s": 0.5}, "no row.*lasts longer.*1.0 s"),
    ],
)
def test_rows_that_cannot_be_judged_are_one_line(
    root: Path, change: Callable[[dict[str, Any]], dict[str, Any]], words: dict[str, Any], text: str
) -> None:
    rows = pq.read_table(root / "splits/made/test.parquet").to_pylist()
    write_part(root / "splits/made", "test", [change(row) for row in rows])
    with pytest.raises(AvfakeError, match=text) as caught:
        evaluate(root, "two-plus-one", "made", **words)
    assert "\n" not in str(caught.value)
    assert not (root / "runs/two-plus-one/evaluation/made-test").exists()


def test_a_part_without_rows_and_a_detector_for_other_clips_are_one_line(root: Path) -> None:
    write_part(root / "splits/made", "test", [])
    with pytest.raises(AvfakeError, match="has no rows"):
        evaluate(root, "two-plus-one", "made")
    detector = small_detector(sample_rate=16_000)
    detector.save_pretrained(root / "runs/other/model")
    with pytest.raises(AvfakeError, match="sample_rate=16000"):
        evaluate(root, "other", "made")


def test_a_broken_row_is_named_and_nothing_is_written(root: Path) -> None:
    (root / "faces/made/bob_2.avi").write_bytes(b"RIFF and no more")
    with pytest.raises(AvfakeError, match="sample made/bob_2/real of corpus made"):
        evaluate(root, "two-plus-one", "made")
    assert not (root / "runs/two-plus-one/evaluation/made-test").exists()


def refuse(what: str) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise LookupError(what)

    return fail
