from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from avfake.dataset.plans import PLANS, BalancedQuadrants, EveryRow, SwappedSounds
from avfake.errors import AvfakeError
from avfake.manifest.schema import Quadrant
from tests.dataset.making import make_row, make_table


def unequal_table(counts: dict[str, int]) -> pa.Table:
    return make_table(
        [make_row(f"c{number}", quadrant) for quadrant, n in counts.items() for number in range(n)]
    )


def families(n_clips: int, vocoders: tuple[str, ...]) -> pa.Table:
    """Every clip with its own sound and with each vocoder's; every third clip is a fake."""
    rows = []
    for number in range(n_clips):
        video = "fake" if number % 3 == 0 else "real"
        rows.append(make_row(f"c{number}", f"{video}-real"))
        rows += [make_row(f"c{number}", f"{video}-fake", vocoder=vocoder) for vocoder in vocoders]
    return make_table(rows)


UNEQUAL = {"real-real": 7, "real-fake": 28, "fake-real": 10, "fake-fake": 40}


@pytest.mark.parametrize("policy", PLANS)
def test_plan_depends_on_seed_and_epoch_alone(policy: str) -> None:
    table = families(12, ("world", "melgan"))
    plan, same, other = (PLANS[policy](table, seed) for seed in (1, 1, 2))
    for epoch in (0, 3):
        assert plan(epoch).tolist() == same(epoch).tolist()
        assert plan(epoch).tolist() != other(epoch).tolist()
        assert len(plan(epoch)) == len(plan)
        assert set(plan(epoch).tolist()) <= set(range(table.num_rows))
    assert plan(0).tolist() != plan(1).tolist()


def test_every_row_comes_once() -> None:
    assert EveryRow(9)(4).tolist() == list(range(9))
    shuffled = EveryRow(9, seed=0)(4).tolist()
    assert shuffled != list(range(9))
    assert sorted(shuffled) == list(range(9))


def test_balanced_epochs_hold_each_quadrant_equally_often() -> None:
    table = unequal_table(UNEQUAL)
    plan = BalancedQuadrants(table, seed=0)
    assert len(plan) == 28
    for epoch in range(5):
        shown = Counter(table["quadrant"][row].as_py() for row in plan(epoch))
        assert shown == dict.fromkeys(UNEQUAL, 7)


def test_balanced_epochs_go_round_all_rows() -> None:
    table = unequal_table(UNEQUAL)
    plan = BalancedQuadrants(table, seed=0)
    shown = Counter(np.concatenate([plan(epoch) for epoch in range(40)]).tolist())  # 280 of each quadrant
    for row, quadrant in enumerate(table["quadrant"].to_pylist()):
        assert shown[row] == 280 / UNEQUAL[quadrant]


def test_balance_needs_all_quadrants() -> None:
    with pytest.raises(AvfakeError, match="no real-fake, fake-fake rows"):
        BalancedQuadrants(unequal_table({"real-real": 2, "fake-real": 1}), seed=0)


def test_swap_shows_each_clip_once_and_half_of_them_vocoded() -> None:
    table = families(300, ("world", "melgan", "hifigan"))
    plan = SwappedSounds(table, seed=0)
    vocoders: Counter[str | None] = Counter()
    for epoch in range(4):
        rows = plan(epoch).tolist()
        assert sorted(table["clip_id"][row].as_py() for row in rows) == sorted(f"c{n}" for n in range(300))
        vocoders.update(table["vocoder"][row].as_py() for row in rows)
    assert vocoders[None] == pytest.approx(600, abs=75)  # of 1200; 75 is more than four standard deviations
    for name in ("world", "melgan", "hifigan"):
        assert vocoders[name] == pytest.approx(200, abs=60)


def test_swap_is_drawn_per_epoch_and_clip_whatever_else_is_in_the_split() -> None:
    small, large = families(40, ("world",)), families(80, ("world",))

    def heard(table: pa.Table, epoch: int) -> dict[str, str | None]:
        rows = SwappedSounds(table, seed=0)(epoch).tolist()
        return {table["clip_id"][row].as_py(): table["vocoder"][row].as_py() for row in rows}

    assert heard(small, 0).items() <= heard(large, 0).items()
    assert heard(small, 0) != heard(small, 1)


def test_swap_has_labels_follow_the_sound() -> None:
    table = families(40, ("world",))
    for row in SwappedSounds(table, seed=0)(0).tolist():
        facts = table.slice(row, 1).to_pylist()[0]
        assert facts["audio_label"] == (facts["vocoder"] is not None)
        assert facts["label"] == Quadrant(facts["quadrant"]).label


def test_swap_refuses_a_split_that_was_swapped_before() -> None:
    table = families(3, ("world",)).take([0, 3, 4])  # c0 real alone, c1 vocoded alone, c2 real alone
    with pytest.raises(
        AvfakeError, match="3 clips have only real or only vocoded sound, the first is made/c0"
    ):
        SwappedSounds(table, seed=0)
