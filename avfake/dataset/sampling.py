"""The order of an epoch as torch's loader wants it: shared among ranks, and resumed where it stopped."""

from collections.abc import Iterator, Mapping
from typing import Literal

import pyarrow as pa
from torch.utils.data import Sampler

from avfake.dataset.clips import Draw
from avfake.dataset.plans import PLANS, Plan
from avfake.errors import AvfakeError

Policy = Literal["all", "balanced", "swap"]


class EpochSampler(Sampler[Draw]):
    """Shows a plan's rows of one epoch after another, one share of them to each rank.

    Args:
        plan: Rows of each epoch.
        rank: Of this process.
        world_size: Processes that share an epoch; the rows that do not go into it are left out, so that all
            take as many steps.

    Attributes:
        epoch: That the next pass shows; a pass does not advance it.
        start: Rows of it that the next pass leaves out, because they were shown before resuming.
        n_drawn: Rows of this epoch that this rank is done with.
    """

    def __init__(self, plan: Plan, *, rank: int = 0, world_size: int = 1) -> None:
        if not 0 <= rank < world_size:
            raise ValueError(f"rank={rank} must lie in 0..{world_size - 1}")
        self.epoch = 0
        self.n_drawn = 0
        self.start = 0
        self._plan = plan
        self._rank = rank
        self._world_size = world_size

    def __len__(self) -> int:
        return len(self._plan) // self._world_size

    def __iter__(self) -> Iterator[Draw]:
        """What is left of the epoch, for the pass after resuming; the whole epoch for any other."""
        self.n_drawn, self.start = self.start, 0
        end = len(self) * self._world_size
        rows = self._plan(self.epoch)[:end][self._rank :: self._world_size]
        return iter([Draw(row, self.epoch) for row in rows[self.n_drawn :].tolist()])

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next pass; Lightning calls it before each."""
        if epoch != self.epoch:
            self.epoch, self.n_drawn, self.start = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """Where to go on: the epoch, and how many of its rows all ranks together are done with."""
        if self.n_drawn >= len(self):
            return {"epoch": self.epoch + 1, "n_drawn": 0}
        return {"epoch": self.epoch, "n_drawn": self.n_drawn * self._world_size}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on where another sampler of the same plan stopped, on whatever number of ranks."""
        self.epoch = state["epoch"]
        self.n_drawn = self.start = state["n_drawn"] // self._world_size


def build_sampler(
    table: pa.Table, policy: Policy, *, seed: int, rank: int = 0, world_size: int = 1
) -> EpochSampler:
    """The sampler of a training split.

    Args:
        table: Rows of the split.
        policy: ``all``: every row once; ``balanced``: equal quadrants; ``swap``: every clip once, with a
            vocoded sound one time in two, as in the paper.
        seed: Of every draw.
        rank: Of this process.
        world_size: Processes that share an epoch.

    Raises:
        AvfakeError: The policy is unknown, or the split lacks the rows that it needs.
    """
    if policy not in PLANS:
        raise AvfakeError(f"sampling policy {policy!r} is unknown; choose one of {', '.join(PLANS)}")
    return EpochSampler(PLANS[policy](table, seed), rank=rank, world_size=world_size)
