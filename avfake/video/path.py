"""The best way of a clip's frames through an upload's: forwards, at a steady pace, with few jumps."""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating]


def best_path(scores: Scores, steps: NDArray[np.int64], penalty: float) -> tuple[NDArray[np.int64], float]:
    """Find the columns, one per row, whose scores sum highest.

    Row ``k`` lies in column ``offset + steps[k]``; the offset may grow from one row to the next, at a price.

    Args:
        scores: How well each row suits each column, [rows, columns].
        steps: Where the rows lie with the offset 0, ascending from 0, [rows].
        penalty: What a jump costs.

    Returns:
        The column of each row, [rows], and their sum of scores less the penalties.
    """
    n_rows, n_columns = scores.shape
    total = np.full(n_columns, -np.inf, np.float32)  # of the best path to each offset
    best_before = np.empty_like(total)  # of the best path to any smaller one
    stays, records = [], []
    for row, step in enumerate(steps):
        if row:
            best_before[0] = -np.inf
            np.maximum.accumulate(total[:-1], out=best_before[1:])
            jumped = best_before - np.float32(penalty) > total
            stays.append(np.packbits(jumped))
            records.append(np.flatnonzero(np.diff(best_before) > 0))
            np.maximum(total, best_before - np.float32(penalty), out=total)
        else:
            total[:] = 0
        total[: n_columns - step] += scores[row, step:]
        total[n_columns - step :] = -np.inf
    offset = int(np.argmax(total))
    value = float(total[offset])
    offsets = np.empty(n_rows, np.int64)
    for row in range(n_rows - 1, -1, -1):
        offsets[row] = offset
        if row and stays[row - 1][offset >> 3] >> (7 - (offset & 7)) & 1:
            places = records[row - 1]
            offset = int(places[np.searchsorted(places, offset) - 1])
    return offsets + steps, value
