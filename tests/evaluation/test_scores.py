from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from avfake.errors import AvfakeError
from avfake.evaluation.scores import HEADS, load_scores, make_scores, save_scores
from avfake.manifest.table import read_metadata, write_rows
from tests.evaluation.scoring import make_rows, make_scored


def test_labels_follow_from_the_quadrant() -> None:
    scores = make_scored(n_groups=1, n_each=1)
    assert scores.quadrant.tolist() == ["real-real", "real-fake", "fake-real", "fake-fake"]
    assert scores.labels("video").tolist() == [0, 0, 1, 1]
    assert scores.labels("audio").tolist() == [0, 1, 0, 1]
    assert scores.labels("whole").tolist() == [0, 1, 1, 1]


def test_half_is_fake() -> None:
    scores = make_scores(make_rows(1, 1), np.array([0.5, 0.49, 0.5, 0.49]), np.full(4, 0.1), np.full(4, 0.9))
    assert scores.right("video").tolist() == [False, True, True, False]


def test_without_a_head_for_the_whole_it_is_the_or_of_both() -> None:
    scores = make_scored(whole=False)
    either = (scores.p_video >= 0.5) | (scores.p_audio >= 0.5)
    assert scores.whole_by == "maximum"
    np.testing.assert_array_equal(scores.p_whole >= 0.5, either)
    np.testing.assert_array_equal(scores.p_whole, np.maximum(scores.p_video, scores.p_audio))


@pytest.mark.parametrize("whole", [True, False])
def test_scores_come_back_as_they_were_saved(tmp_path: Path, whole: bool) -> None:
    scores = make_scored(whole=whole)
    save_scores(tmp_path / "a.parquet", scores, {"split": "made"})
    save_scores(tmp_path / "b.parquet", scores, {"split": "made"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    again = load_scores(tmp_path / "a.parquet")
    assert again.whole_by == scores.whole_by
    for field in fields(scores):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(scores, field.name))
    assert read_metadata(tmp_path / "a.parquet")["split"] == "made"


def test_file_tells_labels_to_those_who_know_no_quadrants(tmp_path: Path) -> None:
    scores = make_scored()
    save_scores(tmp_path / "a.parquet", scores, {})
    table = pq.read_table(tmp_path / "a.parquet")
    for head, name in zip(HEADS, ("video_label", "audio_label", "label"), strict=True):
        assert table[name].to_pylist() == scores.labels(head).tolist()


@pytest.mark.parametrize(
    ("head", "value", "fault"),
    [
        ("video", np.nan, "have NaN or infinity as p_video"),
        ("whole", np.inf, "have NaN or infinity as p_whole"),
        ("audio", 1.01, "have a p_audio outside of 0 to 1"),
        ("audio", -0.01, "have a p_audio outside of 0 to 1"),
    ],
)
def test_what_is_no_probability_is_refused_with_its_samples(head: str, value: float, fault: str) -> None:
    scores = make_scored()
    wrong = scores.p(head).copy()
    wrong[[3, 5, 6, 9]] = value
    with pytest.raises(AvfakeError) as caught:
        replace(scores, **{f"p_{head}": wrong})
    assert str(caught.value) == f"4 samples {fault}: {', '.join(scores.sample_id[[3, 5, 6]])}, ..."


def test_samples_that_stand_twice_or_nowhere_are_refused() -> None:
    scores = make_scored()
    with pytest.raises(AvfakeError, match="1 samples stand twice: made/c001_0/real"):
        replace(
            scores, sample_id=np.where(np.arange(len(scores)) == 0, scores.sample_id[4], scores.sample_id)
        )
    with pytest.raises(AvfakeError, match="96 samples are of an unknown quadrant"):
        replace(scores, quadrant=np.full(len(scores), "both-fake"))
    with pytest.raises(AvfakeError, match="there are no scores"):
        make_scores(make_rows().slice(0, 0), np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="columns differ in length"):
        replace(scores, p_video=scores.p_video[:5])


def test_maximum_that_is_none_is_refused() -> None:
    with pytest.raises(AvfakeError, match="have a p_whole that is not the larger of p_video and p_audio"):
        replace(make_scored(), whole_by="maximum")


def test_other_files_are_no_scores(tmp_path: Path) -> None:
    table = make_rows()
    write_rows(tmp_path / "rows.parquet", table.to_pylist(), table.schema, {})
    with pytest.raises(AvfakeError, match="is no table of scores"):
        load_scores(tmp_path / "rows.parquet")
    write_rows(tmp_path / "half.parquet", table.to_pylist(), table.schema, {"whole_by": "head"})
    with pytest.raises(AvfakeError, match="is no whole table of scores"):
        load_scores(tmp_path / "half.parquet")
    with pytest.raises(AvfakeError, match="is not a readable Parquet file"):
        load_scores(tmp_path / "none.parquet")
