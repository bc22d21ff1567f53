"""The statistics of the audit: blind on clean data, awake on planted cues, honest on few rows."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from avfake.curate.shortcuts.evidence import Deal, Estimate, _pair_sums, deal, estimate
from avfake.curate.shortcuts.models import score_numbers


def matched_rows(n_rows: int) -> tuple[np.ndarray, list[str], list[str]]:
    """Labels, groups and clips: four rows a group, each of its two clips once real and once fake."""
    n_groups = n_rows // 4
    groups = np.repeat([f"g{number}" for number in range(n_groups)], 4)
    clips = np.char.add(groups, np.tile(["a", "b"], n_rows // 2))
    return np.tile([0, 0, 1, 1], n_groups), list(groups), list(clips)


def judge_cue(n_rows: int, seed: int, effect: float = 0.0) -> Estimate:
    labels, groups, clips = matched_rows(n_rows)
    values = np.random.default_rng(seed).normal(size=n_rows) + effect * labels
    dealt = deal(labels, groups, clips, seed=seed)
    assert dealt is not None
    return estimate(dealt, values, score_numbers)


@pytest.mark.parametrize(("n_rows", "n_trials"), [(40, 60), (200, 30), (2_000, 5)])
def test_a_cue_without_effect_is_centred_on_one_half(n_rows: int, n_trials: int) -> None:
    found = [judge_cue(n_rows, seed) for seed in range(n_trials)]
    aucs = np.array([estimate.auc for estimate in found])
    spread = 1 / np.sqrt(3 * n_rows)  # of the AUC of fixed scores, n_rows / 2 of each label
    assert abs(aucs.mean() - 0.5) < 4 * 1.2 * spread / np.sqrt(n_trials)
    assert np.mean(aucs > 0.7) <= 0.07
    assert min(estimate.p_value for estimate in found) * 60 > 0.05  # sixty tries, none beyond chance


@pytest.mark.parametrize(("n_rows", "n_groups"), [(40, 40), (200, 10)])
def test_group_effects_are_no_shortcut(n_rows: int, n_groups: int) -> None:
    """A voice is known by its level, yet levels of people heard in training say nothing of others."""
    labels = np.arange(n_rows) // 2 % 2
    group = np.arange(n_rows) % n_groups
    values = np.random.default_rng(0).normal(size=n_groups)[group]
    dealt = deal(labels, [f"g{number}" for number in group], [f"c{n}" for n in range(n_rows)], seed=0)
    assert dealt is not None
    assert estimate(dealt, values, score_numbers).auc < 0.7


def test_a_shift_is_found_at_its_true_auc() -> None:
    found = judge_cue(2_000, 0, effect=1.0)  # two normal clouds one deviation apart: AUC 0.760
    assert found.auc == pytest.approx(0.76, abs=0.03)
    assert found.low < found.auc < found.high
    assert found.p_value < 1e-9


def test_a_u_shape_and_a_spike_are_found() -> None:
    labels, groups, clips = matched_rows(200)
    rng = np.random.default_rng(0)
    dealt = deal(labels, groups, clips, seed=0)
    assert dealt is not None
    u_shape = rng.normal(size=200) * np.where(labels == 1, 3, 1)
    spike = np.where((labels == 1) & (rng.random(200) < 0.6), 0.3, rng.normal(size=200))
    missing = np.where((labels == 1) & (rng.random(200) < 0.6), np.nan, rng.normal(size=200))
    for values in (u_shape, spike, missing):
        assert estimate(dealt, values, score_numbers).auc > 0.7


def test_pairs_of_one_fold_give_the_auc_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 60), rng.integers(0, 8, 60).astype(float)  # many ties
    weights = rng.integers(0, 4, (3, 60)).astype(float)
    dealt = Deal(labels, np.zeros((1, 60), np.int64), weights, 0.1)
    expected = [roc_auc_score(labels, scores, sample_weight=row) for row in weights]
    np.testing.assert_allclose(_pair_sums(dealt, scores[None], weights), expected)


def test_folds_keep_groups_whole_and_alike() -> None:
    labels, groups, clips = matched_rows(200)
    dealt = deal(labels, groups, clips, seed=3)
    assert dealt is not None
    for folds in dealt.folds:
        for group in set(groups):
            assert len(set(folds[np.array(groups) == group])) == 1
        assert np.bincount(folds, labels).tolist() == [20] * 5


def test_many_rows_of_few_one_sided_groups_are_never_certain() -> None:
    """Two real and two fake identities differ in anything; a hundred rows of each prove nothing."""
    group = np.repeat(np.arange(4), 100)
    labels = (group >= 2).astype(np.int64)
    clips = [f"c{number}" for number in range(400)]
    dealt = deal(labels, [f"g{number}" for number in group], clips, seed=0)
    assert dealt is not None
    assert estimate(dealt, labels.astype(float), score_numbers).p_value > 0.01


def test_one_label_or_one_group_cannot_be_tested() -> None:
    assert deal(np.ones(4, np.int64), list("aabb"), list("wxyz"), seed=0) is None
    assert deal(np.array([0, 1]), ["a", "a"], ["x", "y"], seed=0) is None
    assert deal(np.array([0, 1]), ["a", "b"], ["x", "y"], seed=0) is None  # no fold holds both
