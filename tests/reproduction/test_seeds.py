"""Several seeds of one detector: their mean, and how sure it is."""

import numpy as np
import pytest

from avfake.evaluation.summary import summarise
from avfake.reproduction.experiments import HEADS_AND_AUC, Measure
from avfake.reproduction.seeds import Judged, join_scores, measure
from tests.evaluation.scoring import make_scored


def test_one_seed_is_measured_as_evaluate_does() -> None:
    scores = make_scored()
    found = measure([], join_scores([scores]), HEADS_AND_AUC)
    heads = summarise(scores)["heads"]
    for (head, metric), estimate in zip(HEADS_AND_AUC, found.measured, strict=True):
        assert estimate._asdict() == heads[head][metric]


def test_seeds_are_averaged_by_hand() -> None:
    judged = Judged(
        ["a", "a", "b", "b"],
        {"audio": np.array([0, 1, 0, 1])},
        {"audio": np.array([[0.1, 0.9, 0.2, 0.8], [0.6, 0.9, 0.7, 0.3]])},
    )
    found = measure([], judged, (Measure("audio", "accuracy"), Measure("audio", "auc")))
    assert found.each == ((1.0, 0.25), (1.0, 0.5))
    assert [estimate.value for estimate in found.measured] == pytest.approx([0.625, 0.75])
    accuracy = found.measured[0]
    assert (accuracy.low, accuracy.high) == pytest.approx((0.5, 0.75))  # of group b alone, and of group a


def test_fakes_alone_have_no_auc() -> None:
    judged = Judged(["a", "b"], {"audio": np.array([1, 1])}, {"audio": np.array([[0.9, 0.1], [0.9, 0.9]])})
    accuracy, auc = measure([], judged, (Measure("audio", "accuracy"), Measure("audio", "auc"))).measured
    assert accuracy.value == pytest.approx(0.75)
    assert (auc.value, auc.note) == (None, "no real sample")


def test_other_samples_are_not_joined() -> None:
    with pytest.raises(ValueError, match="other samples"):
        join_scores([make_scored(n_groups=4), make_scored(n_groups=4, n_each=1)])
