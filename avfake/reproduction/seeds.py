"""What the detectors of one row, which differ in their seed, are worth together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from avfake.evaluation.bootstrap import Estimate, estimate, resample
from avfake.evaluation.metrics import NEEDS_BOTH, Metric
from avfake.evaluation.scores import Floats, Head, Ints, Scores
from avfake.evaluation.summary import METRICS
from avfake.reproduction.experiments import Measure
from avfake.reproduction.plan import RunPlan


@dataclass(frozen=True, eq=False)
class Judged:
    """What detectors that differ in their seed alone said of the same samples.

    Attributes:
        identity_group: Of each sample.
        labels: By head, [samples].
        p: Probabilities of being fake by head, [seeds, samples].
        whole_by: As in ``Scores``.
    """

    identity_group: Sequence[str]
    labels: Mapping[Head, Ints]
    p: Mapping[Head, Floats]
    whole_by: str = "head"


@dataclass(frozen=True)
class Result:
    """A filled row of the table.

    Attributes:
        runs: One per seed.
        measured: One estimate per measure: the mean over the seeds, and the interval of that mean over
            resampled identities.
        each: The value of each seed, per measure.
        n_samples: That were judged.
        n_groups: Of identities among them.
        whole_by: As in ``Scores``.
    """

    runs: tuple[RunPlan, ...]
    measured: tuple[Estimate, ...]
    each: tuple[tuple[float | None, ...], ...]
    n_samples: int
    n_groups: int
    whole_by: str


def join_scores(scores: Sequence[Scores]) -> Judged:
    """Scores of several seeds on one split."""
    first = scores[0]
    if any(not np.array_equal(first.sample_id, other.sample_id) for other in scores):
        raise ValueError("scores of other samples cannot be joined")
    heads: tuple[Head, ...] = ("video", "audio", "whole")
    return Judged(
        first.identity_group.tolist(),
        {head: first.labels(head) for head in heads},
        {head: np.stack([found.p(head) for found in scores]) for head in heads},
        first.whole_by,
    )


def measure(runs: Sequence[RunPlan], judged: Judged, measures: Sequence[Measure]) -> Result:
    """Fill a row."""
    resamples = resample(judged.identity_group, seed=0)
    found, each = [], []
    for head, metric in measures:
        labels, p = judged.labels[head], judged.p[head]
        one_sided = METRICS[metric] in NEEDS_BOTH and len(np.unique(labels)) < 2
        found.append(
            estimate(METRICS[metric], labels, p[0], resamples)
            if one_sided or len(p) == 1
            else estimate(_mean(METRICS[metric]), labels, p, resamples)
        )
        each.append(
            tuple(None if one_sided else float(METRICS[metric](labels, of_seed, None)) for of_seed in p)
        )
    n_groups = resamples.counts.shape[1]
    return Result(
        tuple(runs), tuple(found), tuple(each), len(judged.identity_group), n_groups, judged.whole_by
    )


def _mean(metric: Metric) -> Metric:
    """A metric of several seeds' probabilities, [seeds, samples]: its mean."""

    def mean(labels: Ints, p: Floats, weights: Floats | None) -> Floats:
        return np.asarray(np.mean([metric(labels, of_seed, weights) for of_seed in p], axis=0))

    return mean
