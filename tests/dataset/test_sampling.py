import pytest

from avfake.dataset.plans import EveryRow
from avfake.dataset.sampling import EpochSampler, build_sampler
from avfake.errors import AvfakeError
from tests.dataset.making import make_row, make_table

N_ROWS = 23


def sampler(rank: int = 0, world_size: int = 1) -> EpochSampler:
    return EpochSampler(EveryRow(N_ROWS, seed=0), rank=rank, world_size=world_size)


def test_pass_is_the_plan_of_its_epoch() -> None:
    plan, drawn = EveryRow(N_ROWS, seed=0), sampler()
    for epoch in (0, 0, 2):
        drawn.set_epoch(epoch)
        assert [(draw.window, draw.epoch) for draw in drawn] == [(row, epoch) for row in plan(epoch).tolist()]


@pytest.mark.parametrize("world_size", [2, 3, 5])
def test_ranks_share_an_epoch_without_overlap(world_size: int) -> None:
    shares = [list(sampler(rank, world_size)) for rank in range(world_size)]
    assert {len(share) for share in shares} == {N_ROWS // world_size} == {len(sampler(0, world_size))}
    together = [draw.window for step in zip(*shares, strict=True) for draw in step]
    assert together == EveryRow(N_ROWS, seed=0)(0).tolist()[: len(together)]


def test_resumed_pass_shows_what_is_left() -> None:
    whole = list(sampler())
    stopped = sampler()
    iter(stopped)
    stopped.n_drawn = 8
    resumed = sampler()
    resumed.load_state_dict(stopped.state_dict())
    resumed.set_epoch(0)  # as a trainer does before each epoch
    assert list(resumed) == whole[8:]
    assert list(resumed) == whole  # the pass after it is whole again


def test_resuming_on_other_ranks_shows_the_same_rows() -> None:
    stopped = sampler(0, 2)
    iter(stopped)
    stopped.n_drawn = 6  # 12 by both ranks
    left = []
    for rank in range(3):
        resumed = sampler(rank, 3)
        resumed.load_state_dict(stopped.state_dict())
        left += [draw.window for draw in resumed]
    assert sorted(left) == sorted(EveryRow(N_ROWS, seed=0)(0)[12:21].tolist())


def test_state_behind_the_last_row_is_the_next_epoch() -> None:
    finished = sampler()
    finished.set_epoch(3)
    finished.n_drawn = N_ROWS
    assert finished.state_dict() == {"epoch": 4, "n_drawn": 0}


def test_another_epoch_starts_at_its_first_row() -> None:
    resumed = sampler()
    resumed.load_state_dict({"epoch": 1, "n_drawn": 8})
    resumed.set_epoch(2)
    assert len(list(resumed)) == N_ROWS


def test_unknown_policy_and_rank_are_refused() -> None:
    with pytest.raises(AvfakeError, match="'some' is unknown; choose one of all, balanced, swap"):
        build_sampler(make_table([make_row("a", "real-real")]), "some", seed=0)
    with pytest.raises(ValueError, match="rank=2 must lie in"):
        sampler(2, 2)
