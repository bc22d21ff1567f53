import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avfake.manifest.draws import Content, Units, deal

RATIOS = (0.72, 0.14, 0.14)


def units_of(n_rows: list[int], *, seed: int = 0) -> Units:
    key = np.random.default_rng(seed).integers(2**64, size=len(n_rows), dtype=np.uint64)
    return Units(key, np.zeros(len(n_rows), np.int64), np.array(n_rows, np.int64))


def content_of(units: Units, sources: list[int] | None = None) -> Content:
    """Per unit its real clips, and as many fakes whose sources are as given (none by default)."""
    n_units = len(units.key)
    numbers = np.arange(n_units)
    source = np.array(sources if sources is not None else [-1] * n_units)
    return Content(
        unit=np.concatenate([numbers, numbers]),
        source=np.concatenate([np.full(n_units, -1), source]),
        kind=np.repeat([0, 1], n_units),
        n_rows=np.concatenate([units.n_rows, units.n_rows]),
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=40), st.integers(0, 99))
def test_three_units_are_enough_to_fill_every_split(n_rows: list[int], seed: int) -> None:
    units = units_of(n_rows, seed=seed)
    assert set(deal(units, content_of(units), RATIOS)) == {0, 1, 2}


def test_shares_are_close_to_the_ratios() -> None:
    units = units_of([3] * 200)
    split = deal(units, content_of(units), RATIOS)
    assert np.bincount(split) / 200 == pytest.approx(RATIOS, abs=0.01)


def test_deal_follows_the_hashes_and_not_the_order_of_units() -> None:
    units = units_of(list(range(1, 31)))
    turned = Units(*(array[::-1] for array in units))
    split = deal(units, content_of(units), RATIOS)
    assert (deal(turned, content_of(turned), RATIOS) == split[::-1]).all()
    other = units_of(list(range(1, 31)), seed=1)
    assert (deal(other, content_of(other), RATIOS) != split).any()


def test_best_draw_loses_fewer_fakes_than_a_single_one(monkeypatch: pytest.MonkeyPatch) -> None:
    units = units_of([1] * 40)
    sources = [number ^ 1 for number in range(40)]  # pairs, like those of FaceForensics++
    content = content_of(units, sources)

    def lost() -> int:
        split = deal(units, content, RATIOS)
        return int((split != split[sources]).sum())

    best = lost()
    monkeypatch.setattr("avfake.manifest.draws.N_DRAWS", 1)
    assert best < lost()


def test_each_stratum_reaches_every_split() -> None:
    units = Units(units_of([1] * 12).key, np.repeat([0, 3], [9, 3]), np.ones(12, np.int64))
    split = deal(units, content_of(units), RATIOS)
    assert set(split[:9]) == set(split[9:]) == {0, 1, 2}
