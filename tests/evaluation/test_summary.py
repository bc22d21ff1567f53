import json

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score, roc_auc_score

from avfake.evaluation.scores import HEADS, Scores, make_scores
from avfake.evaluation.summary import Summary, summarise
from tests.evaluation.scoring import METHODS, VOCODERS, make_rows, make_scored


@pytest.fixture(scope="module")
def scores() -> Scores:
    return make_scored()


@pytest.fixture(scope="module")
def summary(scores: Scores) -> Summary:
    return summarise(scores, n_draws=200)


def test_summary_is_json_and_the_same_again(scores: Scores, summary: Summary) -> None:
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summarise(scores, n_draws=200) == summary
    assert summary["n_samples"] == 96
    assert summary["n_groups"] == 12
    assert summary["interval"] == {"level": 0.95, "n_draws": 200, "seed": 0, "resampled": "identity_group"}


@pytest.mark.parametrize("head", HEADS)
def test_heads_are_measured_each_by_its_labels(scores: Scores, summary: Summary, head: str) -> None:
    found, labels, p = summary["heads"][head], scores.labels(head), scores.p(head)
    assert found["auc"]["value"] == pytest.approx(roc_auc_score(labels, p))
    assert found["balanced_accuracy"]["value"] == pytest.approx(balanced_accuracy_score(labels, p >= 0.5))
    assert found["n_fake"] == labels.sum()
    assert sum(found["n_samples"] for found in found["reliability"]) == 96
    assert found["auc"]["low"] < found["auc"]["value"] < found["auc"]["high"]


def test_quadrants_are_measured_by_what_is_right_about_them(scores: Scores, summary: Summary) -> None:
    where = scores.quadrant == "real-fake"
    found = summary["quadrants"]["real-fake"]
    quiet, heard, either = (scores.p(head)[where] >= 0.5 for head in HEADS)
    assert found["n_samples"] == 24
    assert found["video"]["value"] == pytest.approx(1 - quiet.mean())
    assert found["audio"]["value"] == pytest.approx(heard.mean())
    assert found["whole"]["value"] == pytest.approx(either.mean())
    assert found["both"]["value"] == pytest.approx((~quiet & heard).mean())


@pytest.mark.parametrize(
    ("of", "head", "kinds"), [("methods", "video", METHODS), ("vocoders", "audio", VOCODERS)]
)
def test_kinds_are_measured_against_all_that_is_real(
    scores: Scores, summary: Summary, of: str, head: str, kinds: tuple[str, ...]
) -> None:
    assert tuple(summary[of]) == kinds
    column = scores.video_method if of == "methods" else scores.vocoder
    for kind in kinds:
        where = column == kind
        against = where | (scores.labels(head) == 0)
        found = summary[of][kind]
        assert found["n_samples"] == 24
        assert found["recall"]["value"] == pytest.approx(
            recall_score(where[where], scores.p(head)[where] >= 0.5)
        )
        assert found["auc"]["value"] == pytest.approx(roc_auc_score(where[against], scores.p(head)[against]))
        assert found["recall_whole"]["value"] == pytest.approx((scores.p_whole[where] >= 0.5).mean())


def test_split_without_a_class_says_which_is_missing() -> None:
    rows = make_rows()
    rows = rows.filter(np.array([q.startswith("fake") for q in rows["quadrant"].to_pylist()]))
    rng = np.random.default_rng(0)
    summary = summarise(make_scores(rows, *rng.random((2, rows.num_rows))), n_draws=50)
    assert summary["heads"]["video"]["auc"] == {
        "value": None,
        "low": None,
        "high": None,
        "note": "no real sample",
    }
    assert summary["heads"]["video"]["accuracy"]["value"] is not None
    assert summary["heads"]["audio"]["auc"]["value"] is not None
    assert summary["quadrants"]["real-real"]["whole"]["note"] == "no sample"
    assert summary["methods"]["Deepfakes"]["auc"]["note"] == "no real sample"
    json.dumps(summary, allow_nan=False)
