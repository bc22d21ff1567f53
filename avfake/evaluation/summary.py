"""All that is reported of one table of scores: per head, quadrant, method and vocoder, with intervals."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avfake.evaluation.bootstrap import LEVEL, N_DRAWS, Estimate, Resamples, estimate, resample
from avfake.evaluation.metrics import (
    Metric,
    accuracy,
    auc,
    balanced_accuracy,
    equal_error_rate,
    expected_calibration_error,
    reliability,
)
from avfake.evaluation.scores import HEADS, THRESHOLD, Head, Ints, Scores
from avfake.manifest.schema import Quadrant

Summary = dict[str, Any]

METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "auc": auc,
    "equal_error_rate": equal_error_rate,
}


def summarise(scores: Scores, *, seed: int = 0, n_draws: int = N_DRAWS) -> Summary:
    """Measure scores.

    Args:
        scores: Of one detector on one split.
        seed: Of the bootstrap.
        n_draws: Of the bootstrap.

    Returns:
        What JSON can hold; an estimate is a dictionary of ``value``, ``low``, ``high`` and ``note``.
    """
    resamples = resample(scores.identity_group, seed=seed, n_draws=n_draws)
    return {
        "n_samples": len(scores),
        "n_groups": resamples.counts.shape[1],
        "threshold": THRESHOLD,
        "interval": {"level": LEVEL, "n_draws": n_draws, "seed": seed, "resampled": "identity_group"},
        "whole_by": scores.whole_by,
        "heads": {head: _head(scores, head, resamples) for head in HEADS},
        "quadrants": {quadrant.value: _quadrant(scores, resamples, quadrant) for quadrant in Quadrant},
        "methods": _kinds(scores, resamples, scores.video_method, "video"),
        "vocoders": _kinds(scores, resamples, scores.vocoder, "audio"),
    }


def _head(scores: Scores, head: Head, resamples: Resamples) -> Summary:
    """Metrics of one head. The calibration error has no interval: resampling alone makes it larger."""
    labels, p = scores.labels(head), scores.p(head)
    metrics = {name: estimate(metric, labels, p, resamples)._asdict() for name, metric in METRICS.items()}
    return {
        **metrics,
        "n_fake": int(labels.sum()),
        "calibration_error": float(expected_calibration_error(labels, p)),
        "reliability": [found._asdict() for found in reliability(labels, p)],
    }


def _quadrant(scores: Scores, resamples: Resamples, quadrant: Quadrant) -> Summary:
    """How often each head is right about one quadrant, and the heads of both modalities at once."""
    where = scores.quadrant == quadrant.value
    right: dict[str, NDArray[np.bool_]] = {head: scores.right(head) for head in HEADS}
    right["both"] = right["video"] & right["audio"]
    shares = {name: _share(found, resamples, where)._asdict() for name, found in right.items()}
    return {"n_samples": int(where.sum()), **shares}


def _kinds(scores: Scores, resamples: Resamples, kinds: NDArray[np.object_], head: Head) -> Summary:
    """Each kind of fake by name: how often it is found, by its own head and as a whole.

    ``auc`` is that of its own head, against all samples that are real to it.
    """
    found = {}
    for kind in sorted({kind for kind in kinds.tolist() if kind is not None}):
        where = kinds == kind
        against = where | (scores.labels(head) == 0)
        found[kind] = {
            "n_samples": int(where.sum()),
            "recall": _share(scores.right(head), resamples, where)._asdict(),
            "auc": estimate(auc, scores.labels(head), scores.p(head), resamples, against)._asdict(),
            "recall_whole": _share(scores.right("whole"), resamples, where)._asdict(),
        }
    return found


def _share(true: NDArray[np.bool_], resamples: Resamples, where: NDArray[np.bool_]) -> Estimate:
    """Share of the samples ``where`` for which something is true."""
    ones: Ints = np.ones(len(true), np.int64)
    return estimate(accuracy, ones, true.astype(np.float64), resamples, where)
