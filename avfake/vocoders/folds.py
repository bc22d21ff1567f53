"""Cutting a long clip into folds that are generated side by side, and joining what was made."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Folds:
    """How a clip is cut. Lengths in Mel hops.

    Attributes:
        n_folds: Number of them.
        stride: From the start of one to the start of the next.
        overlap: What each makes beyond the start of the next.
    """

    n_folds: int
    stride: int
    overlap: int

    @property
    def length(self) -> int:
        """Hops that each fold makes."""
        return self.stride + self.overlap


def plan_folds(n_hops: int, shortest: int, overlap: int) -> Folds:
    """Cut ``n_hops`` into equal folds that begin at least ``shortest`` hops apart.

    The plan depends on the clip's length alone; 0 for ``shortest`` leaves every clip whole.
    """
    if not shortest or n_hops < 2 * shortest:
        return Folds(1, n_hops, 0)
    stride = math.ceil(n_hops / (n_hops // shortest))
    return Folds(math.ceil(n_hops / stride), stride, min(overlap, stride))


def join_folds(made: Tensor, n_overlap: int, n_fade: int) -> Tensor:
    """Put folds together, each faded into the next where the two are most alike.

    Args:
        made: [batch, folds, samples]; the last ``n_overlap`` samples of each are the first of the next.
        n_overlap: Of neighbours, in samples.
        n_fade: Length of the fade, in samples, at most ``n_overlap``.

    Returns:
        [batch, folds * (samples - n_overlap)].
    """
    if made.shape[1] == 1:
        return made[:, 0]
    stride = made.shape[2] - n_overlap
    joined = made[..., :stride].clone()
    joined[:, 1:, :n_overlap] = _fade(made[:, :-1, stride:], made[:, 1:, :n_overlap], n_fade)
    return joined.flatten(1)


def _fade(old: Tensor, new: Tensor, n_fade: int) -> Tensor:
    """Go from ``old`` to ``new``, [batch, seams, n_overlap], without a step, a pause or a surge.

    The two follow the same Mel with phases of their own. The fade lies where their difference has the least
    power: in a pause, a weak consonant, or where the phases meet. What they share there adds up as
    amplitudes, the rest as powers, so the gain follows from their correlation.
    """
    first = _sums((new - old).square(), n_fade).argmin(-1, keepdim=True)
    shared = 2 * _sums(old * new, n_fade).gather(-1, first)
    power = _sums(old.square() + new.square(), n_fade).gather(-1, first)
    correlation = (shared / power.clamp_min(1e-12)).clamp(0, 1)
    time = torch.arange(old.shape[-1], device=old.device)
    ramp = ((time - first + 0.5) / n_fade).clamp(0, 1)
    gain = torch.rsqrt(1 - 2 * (1 - correlation) * ramp * (1 - ramp))
    return old.lerp(new, ramp) * gain


def _sums(values: Tensor, length: int) -> Tensor:
    """Sums of ``length`` neighbours, [batch, seams, places]."""
    return functional.avg_pool1d(values, length, stride=1) * length
