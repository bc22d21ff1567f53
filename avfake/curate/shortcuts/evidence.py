"""Does a cue tell the label? Cross-validated AUC over unseen identities, its interval, and its verdict.

Three choices keep small splits honest:

- Only rows of one test fold are compared with each other. Scores pooled over folds come from different
  models, whose base rates run against the held-out ones, which pulls the AUC of a harmless cue under 0.5.
- The interval resamples whole identity groups.
- A verdict needs the AUC to lie above 0.5 beyond chance, with every cue of the audit counted as a try.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.curate.shortcuts.models import Floats, Ints, Scorer

N_FOLDS = 5
N_BOOTSTRAP = 500
_REPEAT_ROWS = 4_000  # few rows are dealt into folds several times, which averages the luck of the deal
_MAX_REPEATS = 10
_CHANCE_FACTOR = 1.2  # a cross-validated AUC of chance spreads this much wider than one of fixed scores


class Estimate(NamedTuple):
    """How well one cue tells one label.

    Attributes:
        auc: Mean over test folds, weighted by their pairs of a fake and a real row.
        low: Lower end of the 95 % interval.
        high: Upper end of it.
        p_value: Probability of so high an AUC by chance, were this the only cue looked at.
    """

    auc: float
    low: float
    high: float
    p_value: float


NO_EFFECT = Estimate(0.5, 0.5, 0.5, 1.0)


@dataclass(frozen=True)
class Deal:
    """Rows of one label dealt into folds and bootstrap draws; the same for every cue, so that cues compare.

    Attributes:
        labels: 1 fake, 0 real, [rows].
        folds: Test fold of each row, [repeats, rows].
        weights: How often each row's group was drawn, [bootstrap draws, rows].
        chance_error: Standard error of the AUC of a cue without effect.
    """

    labels: Ints
    folds: Ints
    weights: Floats
    chance_error: float


def deal(labels: Ints, groups: Sequence[str], clips: Sequence[str], *, seed: int) -> Deal | None:
    """Deal rows into folds, groups kept whole.

    Args:
        labels: 1 fake, 0 real, [rows].
        groups: Identity group of each row.
        clips: Clip of each row; rows of one clip and label count as one observation.
        seed: Of the folds and of the bootstrap.

    Returns:
        None when fewer than two groups hold a label: one to learn it from, one to be tested on.
    """
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    n_folds = min(N_FOLDS, *(len(set(group[labels == label])) for label in (0, 1)))
    if n_folds < 2:
        return None
    rng = np.random.default_rng(seed)
    n_repeats = int(np.clip(_REPEAT_ROWS // len(labels), 1, _MAX_REPEATS))
    folds = np.stack([_deal_folds(labels, group, n_folds, rng) for _ in range(n_repeats)])
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=N_BOOTSTRAP)
    return Deal(labels, folds, weights[:, group].astype(np.float64), _chance_error(labels, group, clips))


def estimate(dealt: Deal, values: Floats, scorer: Scorer, *, n_repeats: int | None = None) -> Estimate:
    """Cross-validate one scorer.

    Args:
        dealt: Labels and folds.
        values: [rows] or [rows, cues].
        scorer: Trained on the other folds, for each test fold.
        n_repeats: Use only so many of the repeated deals; all by default.
    """
    folds = dealt.folds[:n_repeats]
    scores = np.stack([_held_out_scores(values, dealt.labels, fold, scorer) for fold in folds])
    auc = _mean_auc(dealt, scores)
    draws = _pair_sums(dealt, scores, dealt.weights)
    draws = draws[np.isfinite(draws)]
    if not len(draws):
        return Estimate(auc, 0.0, 1.0, 1.0)
    low, high = np.quantile(draws, (0.025, 0.975))
    error = max(float(draws.std()), dealt.chance_error)
    return Estimate(auc, float(low), float(high), NormalDist().cdf((0.5 - auc) / error))


def smallest_certain_auc(chance_error: float, *, n_tries: int, level: float) -> float:
    """The AUC a cue must exceed to be told from chance, when it is one of ``n_tries``."""
    return min(1.0, 0.5 - NormalDist().inv_cdf(level / n_tries) * chance_error)


def derive_seed(*values: object) -> int:
    """A seed that depends on its parts alone."""
    return int.from_bytes(hashlib.sha256(repr(values).encode()).digest()[:4])


def _deal_folds(labels: Ints, group: Ints, n_folds: int, rng: np.random.Generator) -> Ints:
    """Deal groups like cards, sorted by their share of fakes and size.

    So folds are alike, and each holds both labels.
    """
    size = np.bincount(group)
    share = np.bincount(group, labels) / size
    order = np.lexsort((rng.permutation(len(size)), size, share))
    fold_of_group = np.empty(len(size), np.int64)
    fold_of_group[order] = (np.arange(len(size)) + rng.integers(n_folds)) % n_folds
    return fold_of_group[group]


def _chance_error(labels: Ints, group: Ints, clips: Sequence[str]) -> float:
    """Standard error of the AUC of a harmless cue.

    The unit is the clip, since rows of one clip repeat each other, or the whole group where a group
    holds one label only, since whatever its rows share would then tell the label by luck.
    """
    share = np.bincount(group, labels) / np.bincount(group)
    pure = (share == 0) | (share == 1)
    unit = np.where(pure[group], "", np.asarray(clips, dtype=object)).astype(str)
    n_fake, n_real = (
        len({(g, u) for g, u in zip(group[labels == label], unit[labels == label], strict=True)})
        for label in (1, 0)
    )
    return _CHANCE_FACTOR * float(np.sqrt((n_fake + n_real + 1) / (12 * n_fake * n_real)))


def _held_out_scores(values: Floats, labels: Ints, folds: Ints, scorer: Scorer) -> Floats:
    scores = np.zeros(len(labels))
    for fold in np.unique(folds):
        test = folds == fold
        scores[test] = scorer(values[~test], labels[~test], values[test])
    return scores


def _mean_auc(dealt: Deal, scores: Floats) -> float:
    return float(_pair_sums(dealt, scores, np.ones((1, len(dealt.labels))))[0])


def _pair_sums(dealt: Deal, scores: Floats, weights: Floats) -> Floats:
    """AUC within test folds for each weighting of the rows, [draws]; NaN where no pair is left."""
    won, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for repeat_scores, folds in zip(scores, dealt.folds, strict=False):
        for fold in np.unique(folds):
            test = np.flatnonzero(folds == fold)
            order = test[np.argsort(repeat_scores[test], kind="stable")]
            fake = dealt.labels[order] == 1
            drawn_fake, drawn_real = weights[:, order[fake]], weights[:, order[~fake]]
            won += np.einsum("df,df->d", drawn_fake, _beaten(repeat_scores[order], fake, drawn_real))
            pairs += drawn_fake.sum(axis=1) * drawn_real.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(won / pairs)


def _beaten(ordered: Floats, fake: NDArray[np.bool_], drawn_real: Floats) -> Floats:
    """Weight of the real rows that score below each fake row, ties counted half, [draws, fake rows]."""
    below = np.concatenate([np.zeros((len(drawn_real), 1)), np.cumsum(drawn_real, axis=1)], axis=1)
    real_scores, fake_scores = ordered[~fake], ordered[fake]
    left = np.searchsorted(real_scores, fake_scores, "left")
    right = np.searchsorted(real_scores, fake_scores, "right")
    return np.asarray((below[:, left] + below[:, right]) / 2)
