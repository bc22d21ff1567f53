import numpy as np
import pytest

from avfake.evaluation import bootstrap
from avfake.evaluation.bootstrap import Resamples, estimate, resample
from avfake.evaluation.metrics import accuracy, auc, balanced_accuracy


def grouped(n_groups: int, n_each: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Samples of groups that are right or wrong as a whole."""
    rng = np.random.default_rng(seed)
    labels = np.tile([0, 1], n_groups * n_each // 2)
    wrong = np.repeat(rng.random(n_groups) < 0.2, n_each)
    p = np.where(wrong, 1 - labels, labels) * 0.6 + 0.2
    return labels, p, [f"g{number}" for number in np.repeat(np.arange(n_groups), n_each)]


def test_draws_take_whole_groups_and_as_many_as_there_are() -> None:
    resamples = resample(["b", "a", "b", "c"], seed=0, n_draws=500)
    assert resamples.group.tolist() == [1, 0, 1, 2]
    assert resamples.counts.shape == (500, 3)
    assert (resamples.counts.sum(axis=1) == 3).all()
    np.testing.assert_allclose(resamples.counts.mean(axis=0), 1, atol=0.15)


def test_seed_decides() -> None:
    labels, p, groups = grouped(10, 4)
    p = p + np.random.default_rng(0).uniform(0, 0.1, 40)
    first, again, other = (estimate(auc, labels, p, resample(groups, seed=seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_interval_of_a_mean_is_the_binomial_one() -> None:
    """With groups of one, resampling a share of 90 % of 400 is a binomial draw."""
    labels = np.ones(400, np.int64)
    p = (np.arange(400) >= 40) * 1.0
    found = estimate(accuracy, labels, p, resample([f"g{n}" for n in range(400)], seed=0, n_draws=5000))
    half = 1.96 * np.sqrt(0.9 * 0.1 / 400)
    assert found.value == pytest.approx(0.9)
    assert found.low == pytest.approx(0.9 - half, abs=0.005)
    assert found.high == pytest.approx(0.9 + half, abs=0.005)
    assert not found.note


def test_samples_of_one_group_are_no_independent_evidence() -> None:
    labels, p, groups = grouped(20, 10)
    alone = [str(number) for number in range(len(labels))]
    by_group, by_sample = (
        estimate(accuracy, labels, p, resample(names, seed=0)) for names in (groups, alone)
    )
    assert by_group.value == by_sample.value
    widths = [found.high - found.low for found in (by_group, by_sample)]
    assert widths[0] == pytest.approx(np.sqrt(10) * widths[1], rel=0.2)


def test_interval_is_the_quantile_of_resampled_tables() -> None:
    """The plain loop: put together each draw's samples, and measure them."""
    labels, p, groups = grouped(8, 6, seed=3)
    resamples = resample(groups, seed=0, n_draws=200)
    values = []
    for counts in resamples.counts:
        drawn = np.concatenate(
            [np.tile(np.flatnonzero(resamples.group == g), n) for g, n in enumerate(counts)]
        )
        values.append(float(auc(labels[drawn], p[drawn])))
    found = estimate(auc, labels, p, resamples)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, (0.025, 0.975))))


def test_working_in_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, p, groups = grouped(8, 6)
    resamples = resample(groups, seed=0)
    whole = estimate(balanced_accuracy, labels, p, resamples)
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 1000)
    assert estimate(balanced_accuracy, labels, p, resamples) == whole


def test_some_samples_alone_are_measured_alone() -> None:
    labels, p, groups = grouped(10, 4)
    where = np.arange(40) >= 12
    resamples = resample(groups, seed=0)
    kept = Resamples(resamples.counts, resamples.group[12:])
    assert estimate(auc, labels, p, resamples, where) == estimate(auc, labels[12:], p[12:], kept)


@pytest.mark.parametrize(("label", "lacking"), [(1, "no real sample"), (0, "no fake sample")])
def test_missing_class_is_named(label: int, lacking: str) -> None:
    labels, p, groups = np.full(6, label), np.linspace(0, 1, 6), list("abcdef")
    assert estimate(auc, labels, p, resample(groups, seed=0)) == (None, None, None, lacking)
    assert estimate(accuracy, labels, p, resample(groups, seed=0)).value == 0.5


def test_nothing_to_measure_is_named() -> None:
    found = estimate(
        accuracy, np.ones(3, np.int64), np.ones(3), resample(list("abc"), seed=0), np.zeros(3, bool)
    )
    assert found == (None, None, None, "no sample")


def test_one_identity_gives_no_interval() -> None:
    labels, p, _ = grouped(4, 4)
    found = estimate(accuracy, labels, p, resample(["same"] * 16, seed=0))
    assert found.value is not None
    assert (found.low, found.high) == (None, None)
    assert found.note == "one identity group alone: no interval"


def test_resamples_of_one_class_are_left_out_and_counted() -> None:
    labels, p = np.array([0, 1, 0, 1, 1, 1]), np.array([0.2, 0.9, 0.7, 0.6, 0.8, 0.4])
    resamples = resample(list("abcdef"), seed=0)
    n_real = resamples.counts[:, [0, 2]].sum(axis=1)
    n_degenerate = int(((n_real == 0) | (n_real == 6)).sum())
    found = estimate(auc, labels, p, resamples)
    assert n_degenerate > 100
    assert found.note == f"{n_degenerate} resamples left nothing to compare and were left out"
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_interval_of_mostly_degenerate_resamples_is_none() -> None:
    labels, p, groups = np.arange(20) % 2, np.linspace(0, 1, 20), [f"g{number}" for number in range(20)]
    found = estimate(
        auc, labels, p, resample(groups, seed=0), np.arange(20) < 2
    )  # both are drawn 41 % of times
    assert found == (1.0, None, None, "most resamples leave nothing to compare: no interval")


def test_perfect_scores_have_an_interval_without_width_and_say_so() -> None:
    labels = np.tile([0, 1], 20)
    found = estimate(auc, labels, labels * 0.9, resample(np.repeat(np.arange(20), 2).astype(str), seed=0))
    assert found == (1.0, 1.0, 1.0, "all resamples agree: the truth is less certain than that")
