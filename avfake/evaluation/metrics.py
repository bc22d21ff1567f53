"""What scores are worth: pure functions on labels (1 fake, 0 real) and probabilities of being fake.

Each takes weights of the samples as well, one set or many at once, which is how a bootstrap counts a sample
twice or not at all. Where the weights leave nothing to compare, such as no real sample for an AUC, the value
is NaN.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.evaluation.scores import THRESHOLD, Floats, Ints

N_BINS = 15

Metric = Callable[[Ints, Floats, Floats | None], Floats]


def accuracy(labels: Ints, p: Floats, weights: Floats | None = None) -> Floats:
    """Share of samples on the right side of THRESHOLD.

    Args:
        labels: [samples].
        p: [samples].
        weights: [samples], or [draws, samples] for a value of each draw; all 1 by default.

    Returns:
        [] or [draws].
    """
    weights = _given(weights, labels)
    return _ratio(weights @ _right(labels, p), weights.sum(axis=-1))


def balanced_accuracy(labels: Ints, p: Floats, weights: Floats | None = None) -> Floats:
    """Mean of the accuracies on fake and on real samples; for arguments see :func:`accuracy`."""
    weights = _given(weights, labels)
    recalls = [accuracy(labels, p, weights * (labels == label)) for label in (0, 1)]
    return np.asarray((recalls[0] + recalls[1]) / 2)


def auc(labels: Ints, p: Floats, weights: Floats | None = None) -> Floats:
    """Probability that a fake sample scores higher than a real one, ties counted half.

    For arguments see :func:`accuracy`.

    Reference:
        Hanley and McNeil, 1982, the area under the ROC curve as the Wilcoxon statistic.
    """
    fake, real = _by_score(labels, p, _given(weights, labels))
    below = np.cumsum(real, axis=-1) - real
    pairs = fake.sum(axis=-1) * real.sum(axis=-1)
    return _ratio((fake * (below + real / 2)).sum(axis=-1), pairs)


def equal_error_rate(labels: Ints, p: Floats, weights: Floats | None = None) -> Floats:
    """Rate at which as large a share of real samples is called fake as of fake ones real.

    Between the thresholds that the scores allow, both rates are interpolated linearly, as in the ROC curve.
    For arguments see :func:`accuracy`.
    """
    fake, real = _by_score(labels, p, _given(weights, labels))
    # The threshold falls from above all scores to below them: [..., distinct scores + 1].
    missed = 1 - _risen(fake)
    alarmed = _risen(real)
    gap = missed - alarmed  # from 1 down to -1
    after = np.argmax(gap <= 0, axis=-1)[..., None]
    before = np.maximum(after - 1, 0)
    gap_before, gap_after = (np.take_along_axis(gap, place, -1) for place in (before, after))
    share = gap_before / np.where(gap_before == gap_after, 1, gap_before - gap_after)
    rates = [np.take_along_axis(alarmed, place, -1) for place in (before, after)]
    rate = rates[0] + share * (rates[1] - rates[0])
    return np.asarray(np.where(np.isnan(gap).any(axis=-1), np.nan, rate[..., 0]))


NEEDS_BOTH: tuple[Metric, ...] = (balanced_accuracy, auc, equal_error_rate)  # classes, to have a value


class Bin(NamedTuple):
    """Samples whose probability falls into one range: are as many fake as it says?

    Attributes:
        low: Lower end of the range.
        high: Upper end, which belongs to the next bin; 1 belongs to the last.
        n_samples: In it.
        mean_p: Their mean probability; None where there is none.
        share_fake: Of them; None where there is none.
    """

    low: float
    high: float
    n_samples: int
    mean_p: float | None
    share_fake: float | None


def expected_calibration_error(labels: Ints, p: Floats, weights: Floats | None = None) -> Floats:
    """Mean distance of the probability from the share of fakes over N_BINS equal bins, weighted by samples.

    For arguments see :func:`accuracy`.

    Reference:
        Guo et al., 2017, On Calibration of Modern Neural Networks, section 2; here on the probability of
        being fake, rather than that of whichever class is predicted.
    """
    weights = _given(weights, labels)
    excess = (weights * (p - labels)) @ _bins(p)  # [..., bins]
    return _ratio(np.abs(excess).sum(axis=-1), weights.sum(axis=-1))


def reliability(labels: Ints, p: Floats) -> list[Bin]:
    """The bins of :func:`expected_calibration_error`, for a reliability plot."""
    members = _bins(p)
    counts = members.sum(axis=0)
    with np.errstate(invalid="ignore"):
        means, shares = (p @ members) / counts, (labels @ members) / counts
    edges = np.linspace(0, 1, N_BINS + 1).tolist()
    return [
        Bin(low, high, int(n), float(mean) if n else None, float(share) if n else None)
        for low, high, n, mean, share in zip(edges[:-1], edges[1:], counts, means, shares, strict=True)
    ]


def _given(weights: Floats | None, labels: Ints) -> Floats:
    return np.ones(len(labels)) if weights is None else weights


def _right(labels: Ints, p: Floats) -> Floats:
    return np.asarray((p >= THRESHOLD) == labels, np.float64)


def _by_score(labels: Ints, p: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of fake and of real samples at each distinct score, ascending, [..., distinct scores]."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf))
    fake, real = (
        np.add.reduceat(weights[..., order] * (labels[order] == label), starts, axis=-1) for label in (1, 0)
    )
    return fake, real


def _risen(weights: Floats) -> Floats:
    """Share of the weight at or above each distinct score and above all, from the highest down."""
    risen = np.cumsum(weights[..., ::-1], axis=-1)
    risen = np.concatenate([np.zeros((*risen.shape[:-1], 1)), risen], axis=-1)
    return _ratio(risen, risen[..., -1:])


def _bins(p: Floats) -> Floats:
    """Which bin each sample falls into, [samples, bins] of 0 and 1."""
    return np.eye(N_BINS)[np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)]


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.divide(part, whole), np.float64)
