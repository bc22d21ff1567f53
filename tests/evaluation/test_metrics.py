from collections.abc import Callable

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score, roc_curve

from avfake.evaluation.metrics import (
    N_BINS,
    NEEDS_BOTH,
    accuracy,
    auc,
    balanced_accuracy,
    equal_error_rate,
    expected_calibration_error,
    reliability,
)

ALL = (accuracy, balanced_accuracy, auc, equal_error_rate, expected_calibration_error)


def eer_of_curve(labels: np.ndarray, p: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Where scikit-learn's ROC curve crosses the falling diagonal, by walking along it in small steps."""
    alarmed, found, _ = roc_curve(labels, p, sample_weight=sample_weight, drop_intermediate=False)
    corners = np.arange(len(alarmed))
    steps = np.linspace(0, corners[-1], 1_000_001)
    x, y = (np.interp(steps, corners, rates) for rates in (alarmed, found))
    return float(x[np.argmin(np.abs(1 - x - y))])


REFERENCES: dict[Callable[..., np.ndarray], Callable[..., float]] = {
    accuracy: lambda labels, p, **given: accuracy_score(labels, p >= 0.5, **given),
    balanced_accuracy: lambda labels, p, **given: balanced_accuracy_score(labels, p >= 0.5, **given),
    auc: roc_auc_score,
    equal_error_rate: eer_of_curve,
}


def scored(seed: int, *, decimals: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of 60 samples, with many ties where these are rounded."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 60)
    p = 1 / (1 + np.exp(-rng.normal(1.2 * (labels - 0.5))))
    return labels, p if decimals is None else np.round(p, decimals)


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("metric", REFERENCES)
def test_metric_is_that_of_scikit_learn(metric: Callable[..., np.ndarray], decimals: int | None) -> None:
    for seed in range(5):
        labels, p = scored(seed, decimals=decimals)
        assert float(metric(labels, p)) == pytest.approx(REFERENCES[metric](labels, p), abs=1e-5)


@pytest.mark.parametrize("metric", REFERENCES)
def test_weighted_metric_is_that_of_scikit_learn(metric: Callable[..., np.ndarray]) -> None:
    labels, p = scored(7, decimals=1)
    weights = np.random.default_rng(0).integers(0, 4, (6, 60)).astype(float)
    found = metric(labels, p, weights)
    assert found.shape == (6,)
    for value, weight in zip(found, weights, strict=True):
        kept = weight > 0  # scikit-learn starts its curve at samples without weight, too
        expected = REFERENCES[metric](labels[kept], p[kept], sample_weight=weight[kept])
        assert value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("metric", ALL)
def test_weight_of_two_is_the_sample_twice(metric: Callable[..., np.ndarray]) -> None:
    labels, p = scored(3, decimals=2)
    weights = np.random.default_rng(1).integers(0, 3, 60)
    repeated = np.repeat(np.arange(60), weights)
    assert metric(labels, p, weights.astype(float)) == pytest.approx(
        float(metric(labels[repeated], p[repeated]))
    )


def test_auc_and_error_rate_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    assert auc(labels, np.array([0.1, 0.4, 0.4, 0.8])) == 3.5 / 4
    assert auc(labels, np.array([0.8, 0.7, 0.2, 0.1])) == 0
    assert auc(labels, np.full(4, 0.3)) == 0.5
    assert equal_error_rate(labels, np.array([0.1, 0.2, 0.7, 0.9])) == 0
    assert equal_error_rate(labels, np.array([0.1, 0.6, 0.5, 0.9])) == 0.5
    assert equal_error_rate(labels, np.full(4, 0.3)) == 0.5
    assert equal_error_rate(labels, np.array([0.9, 0.8, 0.2, 0.1])) == 1


def test_always_fake_is_right_three_times_of_four_and_no_better_than_chance() -> None:
    labels, p = np.array([0, 1, 1, 1]), np.full(4, 0.9)
    assert accuracy(labels, p) == 0.75
    assert balanced_accuracy(labels, p) == 0.5


@pytest.mark.parametrize("metric", NEEDS_BOTH)
def test_one_class_alone_has_no_value(metric: Callable[..., np.ndarray]) -> None:
    labels, p = scored(0)
    weights = np.stack([labels == 1, labels == 0, labels >= 0]).astype(float)
    assert np.isnan(metric(labels, p, weights)).tolist() == [True, True, False]


def test_calibration_is_that_of_scikit_learn() -> None:
    labels, p = scored(2)
    shares, means = calibration_curve(labels, p, n_bins=N_BINS)
    bins = [found for found in reliability(labels, p) if found.n_samples]
    np.testing.assert_allclose([found.share_fake for found in bins], shares)
    np.testing.assert_allclose([found.mean_p for found in bins], means)
    counts = np.array([found.n_samples for found in bins])
    assert counts.sum() == 60
    error = np.sum(counts * np.abs(shares - means)) / 60
    assert expected_calibration_error(labels, p) == pytest.approx(error)


def test_bins_hold_zero_and_one_and_empty_ones_say_nothing() -> None:
    bins = reliability(np.array([0, 1]), np.array([0.0, 1.0]))
    assert [found.n_samples for found in bins] == [1, *[0] * (N_BINS - 2), 1]
    assert bins[0][2:] == (1, 0.0, 0.0)
    assert bins[-1] == (pytest.approx(14 / 15), 1.0, 1, 1.0, 1.0)
    assert bins[7].mean_p is None
    assert bins[7].share_fake is None
