"""The best path is the best of all paths there are."""

from itertools import product

import numpy as np
import pytest

from avfake.video.path import best_path


@pytest.mark.parametrize("penalty", [0.0, 0.3, 1.0, np.inf])
@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
def test_no_other_path_scores_higher(step: float, penalty: float) -> None:
    for seed in range(5):
        scores = np.random.default_rng(seed).uniform(-1, 1, (5, 12)).astype(np.float16)
        steps = np.floor(step * np.arange(5)).astype(np.int64)
        columns, value = best_path(scores, steps, penalty)
        assert worth(scores, steps, columns - steps, penalty) == pytest.approx(value, abs=1e-3)
        every = product(range(12 - int(steps[-1])), repeat=5)
        best = max(
            worth(scores, steps, np.array(offsets), penalty)
            for offsets in every
            if sorted(offsets) == [*offsets]
        )
        assert value == pytest.approx(best, abs=1e-3)


def test_a_gap_is_worth_a_jump_that_is_cheap_enough() -> None:
    scores = np.zeros((20, 60), np.float16)
    rows = np.arange(20)
    true = np.where(rows < 8, rows + 5, rows + 18)
    scores[rows, true] = 1
    assert best_path(scores, rows, 3.0)[0].tolist() == true.tolist()
    assert len(set(best_path(scores, rows, 9.0)[0] - rows)) == 1


def worth(scores: np.ndarray, steps: np.ndarray, offsets: np.ndarray, penalty: float) -> float:
    n_jumps = np.count_nonzero(np.diff(offsets))
    price = n_jumps * penalty if n_jumps else 0.0
    return float(scores[np.arange(len(steps)), steps + offsets].astype(float).sum() - price)
