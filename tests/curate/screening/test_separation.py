import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from avfake.curate.screening.separation import separation


def scores(shift: float, n_clips: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n_clips) + shift, rng.standard_normal((n_clips, 16))


@pytest.mark.parametrize("shift", [-1.0, 0.0, 2.0])
def test_auc_is_scikit_learns(shift: float) -> None:
    matched, shuffled = (np.round(values, 1) for values in scores(shift))  # with ties
    labels = np.repeat([1, 0], [matched.size, shuffled.size])
    wanted = roc_auc_score(labels, np.concatenate([matched, shuffled.ravel()]))
    assert separation(matched, shuffled, [str(n) for n in range(40)]).auc == pytest.approx(wanted)


def test_interval_covers_and_shrinks_with_more_people() -> None:
    few = separation(*scores(1.5, 20), [str(n) for n in range(20)])
    many = separation(*scores(1.5, 500), [str(n) for n in range(500)])
    truth = 0.856  # of two normal distributions 1.5 apart
    for found in (few, many):
        assert found.low < truth < found.high
    assert many.high - many.low < (few.high - few.low) / 3


def test_clips_of_one_person_are_not_many_people() -> None:
    matched, shuffled = scores(1.0, 60)
    matched = np.repeat(matched[:6], 10)  # ten clips each, all alike
    shuffled = np.repeat(shuffled[:6], 10, axis=0)
    apart = separation(matched, shuffled, [str(n) for n in range(60)])
    together = separation(matched, shuffled, [str(n // 10) for n in range(60)])
    assert together.high - together.low > 2 * (apart.high - apart.low)
    assert (together.n_clips, together.n_groups) == (60, 6)


def test_the_same_seed_draws_the_same() -> None:
    groups = [str(n) for n in range(40)]
    assert separation(*scores(1), groups) == separation(*scores(1), groups)
