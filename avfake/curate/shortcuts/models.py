"""Trivial classifiers: what a lazy detector could learn from one cue, or from all cues at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scorer = Callable[[Floats, Ints, Floats], Floats]  # (train values, train labels, test values) -> test scores

_PRIOR_ROWS = 4.0  # pulls a bin of few rows towards the base rate
_MIN_ROWS_PER_BIN = 6  # fewer, and a split of 40 rows is overfitted; more, and it hides a U-shaped cue
_MAX_BINS = 64
_REFINEMENT = (
    1.6  # from one resolution to the next; not 2, so that the edges of one fall inside the bins of another
)


@dataclass(frozen=True)
class Cue:
    """One measured property of every row.

    Attributes:
        name: As it stands in the report.
        values: [rows]; NaN where it could not be measured. Categories are codes 0, 1, ...
        categorical: The codes have no order.
    """

    name: str
    values: Floats
    categorical: bool = False

    @property
    def constant(self) -> bool:
        """Whether no row differs from another; then no label can be read from it."""
        missing = np.isnan(self.values)
        known = self.values[~missing]
        return bool(missing.all() or (not missing.any() and (known == known[0]).all()))


def categories(name: str, values: list[str | None]) -> Cue:
    """A categorical cue from texts; None is missing."""
    codes = {text: code for code, text in enumerate(sorted({text for text in values if text is not None}))}
    return Cue(name, np.array([np.nan if text is None else codes[text] for text in values]), categorical=True)


def score_numbers(train: Floats, labels: Ints, test: Floats) -> Floats:
    """Score one numeric cue by the share of fakes around each value: log odds in quantile bins.

    Histograms of 2, 3, 5, 8, ... bins are averaged, which is smooth enough to lose little on a plain
    shift and fine enough to see a U shape or a spike. A value that many rows share gets a bin of its
    own, and so do missing values, for being missing can tell fake from real too.

    Args:
        train: Cue values, [train rows].
        labels: 1 fake, 0 real, [train rows].
        test: Cue values, [test rows].

    Returns:
        Scores, [test rows], that grow with fakeness.
    """
    known = np.sort(train[~np.isnan(train)])
    scores = np.zeros(len(test))
    counts = _resolutions(len(known))
    for n_bins in counts:
        edges = _edges(known, n_bins)
        table = _log_odds(_bin(edges, train), labels, n_codes=2 * len(edges) + 2)
        scores += table[_bin(edges, test)]
    return scores / len(counts)


def score_categories(train: Floats, labels: Ints, test: Floats) -> Floats:
    """Score one categorical cue by the share of fakes in each category; see :func:`score_numbers`."""
    n_codes = int(max(np.nan_to_num(train, nan=-1).max(), np.nan_to_num(test, nan=-1).max())) + 2
    codes = [np.where(np.isnan(values), n_codes - 1, values).astype(np.int64) for values in (train, test)]
    return _log_odds(codes[0], labels, n_codes=n_codes)[codes[1]]


def score_together(train: Floats, labels: Ints, test: Floats) -> Floats:
    """Score all cues at once with boosted shallow trees, which also see cues that only act together.

    Args:
        train: Cue values, [train rows, cues]; NaN is missing.
        labels: 1 fake, 0 real, [train rows].
        test: Cue values, [test rows, cues].

    Returns:
        Scores, [test rows], that grow with fakeness.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    if labels.min() == labels.max():
        return np.zeros(len(test))
    trees = HistGradientBoostingClassifier(
        max_iter=40,
        learning_rate=0.15,
        max_leaf_nodes=6,
        min_samples_leaf=max(4, len(train) // 100),
        early_stopping=False,  # it would draw rows at random, across identity groups
        random_state=0,
    )
    with threadpool_limits(1):
        return np.asarray(trees.fit(train, labels).decision_function(test))


def _resolutions(n_rows: int) -> list[int]:
    counts, n_bins = [2], 2 * _REFINEMENT
    while round(n_bins) * _MIN_ROWS_PER_BIN <= n_rows and n_bins <= _MAX_BINS:
        counts.append(round(n_bins))
        n_bins *= _REFINEMENT
    return counts


def _edges(known: Floats, n_bins: int) -> Floats:
    """Quantiles of sorted values; a value that fills a whole bin appears once."""
    if not len(known):
        return known
    places = np.arange(1, n_bins) / n_bins * (len(known) - 1)
    edges = np.interp(places, np.arange(len(known)), known)
    return np.asarray(edges[np.append(True, np.diff(edges) > 0)])


def _bin(edges: Floats, values: Floats) -> Ints:
    """Code of each value: even between two edges, odd on one, the last for missing."""
    codes = np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right")
    return np.asarray(np.where(np.isnan(values), 2 * len(edges) + 1, codes))


def _log_odds(codes: Ints, labels: Ints, *, n_codes: int) -> Floats:
    base_rate = labels.mean()
    if base_rate in (0, 1):
        return np.zeros(n_codes)  # a training set of one label has nothing to say
    fake = np.bincount(codes, labels, n_codes) + _PRIOR_ROWS * base_rate
    real = np.bincount(codes, 1 - labels, n_codes) + _PRIOR_ROWS * (1 - base_rate)
    return np.asarray(np.log(fake / real))
