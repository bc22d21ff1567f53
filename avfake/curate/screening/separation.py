"""How well a score tells sound that belongs to a mouth from sound that does not: AUC with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avfake.faces.sync import Signal

_N_DRAWS = 1000
_DRAWS_AT_ONCE = 50


@dataclass(frozen=True)
class Separation:
    """How often a clip scores higher with its own sound than some clip with another's.

    Attributes:
        auc: Area under the ROC curve: 0.5 when the score tells nothing.
        low: Lower end of its 95 % interval.
        high: Upper end.
        n_clips: Clips in it.
        n_groups: Identity groups of theirs.
    """

    auc: float
    low: float
    high: float
    n_clips: int
    n_groups: int

    def __str__(self) -> str:
        return (
            f"AUC {self.auc:.2f} ({self.low:.2f} to {self.high:.2f}) over {self.n_clips} clips of "
            f"{self.n_groups} identity groups"
        )


def separation(matched: Signal, shuffled: Signal, groups: Sequence[str], *, seed: int = 0) -> Separation:
    """Compare scores of matched and of shuffled sound.

    Args:
        matched: Score of each clip with its own sound, [clips], at least one.
        shuffled: Scores of each with others' sounds, [clips, sounds].
        groups: Identity group of each clip; the interval comes from drawing these with replacement.
        seed: Of the draws.
    """
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(shuffled, axis=None, kind="stable")
    ranked, owners = shuffled.ravel()[order], order // shuffled.shape[1]
    below, upto = (np.searchsorted(ranked, matched, side) for side in ("left", "right"))

    def areas(weights: Signal) -> Signal:
        """AUC for weights of the clips, [draws, clips]; ties count half."""
        sums = np.cumsum(weights[:, owners], axis=1)
        sums = np.concatenate([np.zeros((len(weights), 1)), sums], axis=1)
        beaten = (sums[:, below] + sums[:, upto]) / 2
        area: Signal = (weights * beaten).sum(axis=1) / (weights.sum(axis=1) * sums[:, -1])
        return area

    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=_N_DRAWS)
    blocks = np.array_split(drawn[:, group].astype(np.float64), _N_DRAWS // _DRAWS_AT_ONCE)
    low, high = np.percentile(np.concatenate([areas(block) for block in blocks]), [2.5, 97.5])
    (auc,) = areas(np.ones((1, len(matched))))
    return Separation(float(auc), float(low), float(high), len(matched), len(names))
