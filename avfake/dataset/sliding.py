"""Clips longer than a window: where its windows start, and one probability from theirs."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from avfake.dataset.window import WINDOW_FRAMES
from avfake.manifest.schema import FACES_PER_S

Aggregation = Literal["mean", "max"]


def window_starts(n_frames: int, *, hop_s: float, window_frames: int = WINDOW_FRAMES) -> NDArray[np.int64]:
    """First pictures of the windows that cover a clip, [windows].

    They lie ``hop_s`` apart; the last one, which may lie nearer, ends with the clip. A clip no longer than
    a window is one window.

    Args:
        n_frames: Pictures of the clip, at least one.
        hop_s: From window to window, in seconds; a multiple of 1 / FACES_PER_S, at most a window.
        window_frames: Pictures of a window.
    """
    hop = round(hop_s * FACES_PER_S)
    if not (1 <= hop <= window_frames and abs(hop - hop_s * FACES_PER_S) < 1e-6):
        raise ValueError(
            f"hop_s={hop_s} must be a multiple of {1 / FACES_PER_S} s and at most a window, "
            f"{window_frames / FACES_PER_S} s"
        )
    if n_frames < 1:
        raise ValueError(f"n_frames={n_frames} must be at least 1")
    last = max(0, n_frames - window_frames)
    return np.append(np.arange(0, last, hop), last)


def aggregate(
    probabilities: NDArray[np.floating], clip: NDArray[np.integer], aggregation: Aggregation = "mean"
) -> NDArray[np.float64]:
    """One probability per clip from those of its windows.

    Args:
        probabilities: Of the windows, [windows] or [windows, heads].
        clip: Number of each window's clip, [windows]; every number from 0 to the largest occurs.
        aggregation: ``mean``, or ``max``: as fake as its most suspicious window.

    Returns:
        [clips] or [clips, heads].
    """
    if aggregation not in get_args(Aggregation):
        raise ValueError(f"aggregation={aggregation!r} is unknown; choose one of {get_args(Aggregation)}")
    values, counts = np.asarray(probabilities, np.float64), np.bincount(clip)
    if len(clip) != len(values) or not counts.all():
        raise ValueError(f"{len(values)} windows belong to clips {clip}: each clip must have one at least")
    joined = np.full((len(counts), *values.shape[1:]), 0.0 if aggregation == "mean" else -np.inf)
    if aggregation == "max":
        np.maximum.at(joined, clip, values)
        return joined
    np.add.at(joined, clip, values)
    return joined / counts.reshape(-1, *[1] * (values.ndim - 1))
