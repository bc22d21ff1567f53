"""How sure a number is: intervals from resampling whole identities, of which a split has few."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.evaluation.metrics import NEEDS_BOTH, Metric
from avfake.evaluation.scores import Floats, Ints

N_DRAWS = 2000
LEVEL = 0.95
_MOST_DEGENERATE = 0.5  # share of draws without a value, above which an interval says nothing
_AT_ONCE = 2**22  # weights in memory at a time


class Estimate(NamedTuple):
    """A metric and its interval.

    Attributes:
        value: On the samples themselves; None where it is undefined.
        low: Lower end of the interval; None where there is none.
        high: Upper end.
        note: Why a number is missing, or what to mind about those that are there.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Resamples:
    """Bootstrap draws of identity groups; the same for every metric, so that metrics compare.

    Attributes:
        counts: How often each group was drawn, [draws, groups].
        group: Number of each sample's group, [samples].
    """

    counts: Ints
    group: Ints


def resample(
    identity_groups: Sequence[str] | NDArray[np.str_], *, seed: int, n_draws: int = N_DRAWS
) -> Resamples:
    """Draw as many groups as there are, with replacement, again and again.

    Args:
        identity_groups: Of each sample.
        seed: Of the draws.
        n_draws: How many.
    """
    names, group = np.unique(np.asarray(identity_groups), return_inverse=True)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n_draws)
    return Resamples(counts, group)


def estimate(
    metric: Metric, labels: Ints, p: Floats, resamples: Resamples, where: NDArray[np.bool_] | None = None
) -> Estimate:
    """A metric with its percentile interval.

    Args:
        metric: Of ``avfake.evaluation.metrics``.
        labels: [samples].
        p: [samples].
        resamples: Of the same samples.
        where: Count these samples alone, [samples].

    Reference:
        Efron and Tibshirani, 1993, An Introduction to the Bootstrap, chapter 13; groups as in Field and
        Welsh, 2007, Bootstrapping clustered data.
    """
    if where is not None:
        labels, p = labels[where], p[where]
        resamples = Resamples(resamples.counts, resamples.group[where])
    if lacking := _lacking(labels, metric):
        return Estimate(None, note=lacking)
    value = float(metric(labels, p, None))
    if len(np.unique(resamples.group)) == 1:
        return Estimate(value, note="one identity group alone: no interval")
    draws = _drawn(metric, labels, p, resamples)
    defined = draws[np.isfinite(draws)]
    if len(defined) < (1 - _MOST_DEGENERATE) * len(draws):
        return Estimate(value, note="most resamples leave nothing to compare: no interval")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return Estimate(value, low, high, _caution(len(draws) - len(defined), low == high))


def _drawn(metric: Metric, labels: Ints, p: Floats, resamples: Resamples) -> Floats:
    """The metric of each draw, [draws]; NaN where the draw leaves it undefined."""
    at_once = max(1, _AT_ONCE // len(labels))
    pieces = [
        metric(labels, p, resamples.counts[start : start + at_once, resamples.group].astype(np.float64))
        for start in range(0, len(resamples.counts), at_once)
    ]
    return np.concatenate(pieces)


def _lacking(labels: Ints, metric: Metric) -> str:
    """Why the metric is undefined on these samples; empty where it is defined."""
    if not len(labels):
        return "no sample"
    if metric not in NEEDS_BOTH or 0 < labels.sum() < len(labels):
        return ""
    return "no real sample" if labels.all() else "no fake sample"


def _caution(n_degenerate: int, without_width: bool) -> str:
    if without_width:
        return "all resamples agree: the truth is less certain than that"
    return f"{n_degenerate} resamples left nothing to compare and were left out" if n_degenerate else ""
