"""How groups are dealt to train, val and test: the best of several draws, each from hashes alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_DRAWS = 32
_MISSING = 10.0  # what a class of clips that is absent from a split weighs, against shares that differ by < 1


class Units(NamedTuple):
    """What is dealt whole: groups of identities, or parts of a corpus; arrays are [units].

    Attributes:
        key: 64-bit hash of the seed and the name.
        stratum: Units of one stratum are dealt among the splits by themselves.
        n_rows: Clips in the unit.
    """

    key: NDArray[np.uint64]
    stratum: NDArray[np.int64]
    n_rows: NDArray[np.int64]


class Content(NamedTuple):
    """The clips in the units, counted; arrays are [entries].

    Attributes:
        unit: Number of the unit.
        source: Number of the unit of the source identity; -1 when there is none to mind.
        kind: 0 for real video, else the number of the video method.
        n_rows: How many clips.
    """

    unit: NDArray[np.int64]
    source: NDArray[np.int64]
    kind: NDArray[np.int64]
    n_rows: NDArray[np.int64]


def deal(units: Units, content: Content, ratios: Sequence[float]) -> NDArray[np.int8]:
    """Give each unit a split, so that the clips that can be kept come close to the ratios.

    A clip is lost when its source identity falls into another split; the best of N_DRAWS draws loses few
    and keeps each kind of clip near its shares.

    Args:
        units: What is dealt.
        content: What the units hold.
        ratios: Shares of train, val and test.

    Returns:
        0 train, 1 val, 2 test; [units].
    """
    draws = (_draw(units, ratios, number) for number in range(N_DRAWS))
    return min(draws, key=lambda draw: _cost(draw, content, ratios))


def _draw(units: Units, ratios: Sequence[float], number: int) -> NDArray[np.int8]:
    split = np.zeros(len(units.key), np.int8)
    order = np.lexsort((_mix(units.key, number), units.stratum))
    starts = np.flatnonzero(np.diff(units.stratum[order], prepend=-1))
    for members in np.split(order, starts[1:]):
        sizes = units.n_rows[members]
        middle = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
        first, second = np.searchsorted(middle, [ratios[2], ratios[2] + ratios[1]])
        if len(members) >= 3:  # each split gets one unit at least
            first = np.clip(first, 1, len(members) - 2)
            second = np.clip(second, first + 1, len(members) - 1)
        split[members[:first]] = 2
        split[members[first:second]] = 1
    return split


def _cost(split: NDArray[np.int8], content: Content, ratios: Sequence[float]) -> float:
    """Distance of the kept clips from the ratios; real video weighs as much as all methods together."""
    n_kinds = int(content.kind.max()) + 1
    total = np.bincount(content.kind, content.n_rows, n_kinds)  # clips, [kinds]
    home = split[content.unit]
    kept = (content.source < 0) | (split[content.source] == home)
    counts = np.bincount(content.kind[kept] * 3 + home[kept], content.n_rows[kept], n_kinds * 3)
    shares = counts.reshape(n_kinds, 3)[total > 0] / total[total > 0, None]  # [kinds, splits]
    off = np.abs(shares - np.asarray(ratios)).sum(axis=1) + _MISSING * (shares == 0).sum(axis=1)
    weight = np.where(np.flatnonzero(total) == 0, 1.0, 1.0 / max(1, n_kinds - 1))
    return float((off * weight).sum())


def _mix(key: NDArray[np.uint64], number: int) -> NDArray[np.uint64]:
    """New hashes for one draw, by the finalizer of SplitMix64 (Steele, Lea and Flood, 2014)."""
    step = np.uint64((number + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = key + step  # wraps around, as it should
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
