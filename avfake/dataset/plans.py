"""Which rows an epoch shows, and in which order: drawn from seed and epoch, hence the same on every rank."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from avfake.dataset.draws import draws_for, number_for
from avfake.errors import AvfakeError
from avfake.manifest.schema import Quadrant

Rows = NDArray[np.int64]


class Plan(Protocol):
    """The rows of each epoch; epochs are of one length."""

    def __len__(self) -> int:
        """Rows of an epoch."""

    def __call__(self, epoch: int) -> Rows:
        """Rows of this epoch, in the order in which they are shown."""


class EveryRow:
    """Each row once per epoch, in the table's order or in a drawn one.

    Args:
        n_rows: Of the table.
        seed: Of the order; None keeps that of the table.
    """

    def __init__(self, n_rows: int, seed: int | None = None) -> None:
        self._n_rows = n_rows
        self._seed = seed

    def __len__(self) -> int:
        return self._n_rows

    def __call__(self, epoch: int) -> Rows:
        """Rows of this epoch."""
        rows = np.arange(self._n_rows)
        return rows if self._seed is None else draws_for(self._seed, "order", epoch).permutation(rows)


class BalancedQuadrants:
    """As many rows of each quadrant, those of a larger one taking turns over the epochs.

    Args:
        table: Rows of a split.
        seed: Of every draw.

    Raises:
        AvfakeError: A quadrant has no row.
    """

    def __init__(self, table: pa.Table, seed: int) -> None:
        quadrants = np.asarray(table["quadrant"].to_pylist())
        self._rows = {quadrant: np.flatnonzero(quadrants == quadrant) for quadrant in Quadrant}
        self._seed = seed
        if empty := [quadrant for quadrant, rows in self._rows.items() if not len(rows)]:
            raise AvfakeError(
                f"the split has no {', '.join(empty)} rows, so its quadrants cannot be balanced; "
                "build it with all four, or draw every row"
            )

    def __len__(self) -> int:
        return 4 * self._per_quadrant

    def __call__(self, epoch: int) -> Rows:
        """Rows of this epoch."""
        turns = [self._turn(quadrant, epoch) for quadrant in self._rows]
        return draws_for(self._seed, "order", epoch).permutation(np.concatenate(turns))

    @property
    def _per_quadrant(self) -> int:
        return min(map(len, self._rows.values()))

    def _turn(self, quadrant: Quadrant, epoch: int) -> Rows:
        """This epoch's piece of an endless chain of permutations: none is shown again before all were."""
        rows = self._rows[quadrant]
        places = np.arange(epoch * self._per_quadrant, (epoch + 1) * self._per_quadrant)
        rounds, place = np.divmod(places, len(rows))
        shuffled = {
            n: draws_for(self._seed, quadrant.value, n).permutation(rows) for n in np.unique(rounds).tolist()
        }
        return np.array([shuffled[n][k] for n, k in zip(rounds.tolist(), place.tolist(), strict=True)])


class SwappedSounds:
    """Each clip once per epoch, with a vocoded sound one time in two, by any of the vocoders that it has.

    Args:
        table: Rows of a split that holds clips with their real sound and with vocoded ones.
        seed: Of every draw.

    Raises:
        AvfakeError: A clip lacks its real sound or a vocoded one.

    Reference:
        Zhou and Lim, 2021, Joint Audio-Visual Deepfake Detection, section on training.
    """

    def __init__(self, table: pa.Table, seed: int) -> None:
        self._real: dict[str, int] = {}
        self._fake: dict[str, list[int]] = {}
        self._seed = seed
        columns = [table[name].to_pylist() for name in ("corpus", "clip_id", "audio_clip_id", "audio_label")]
        for row, (*key, audio_label) in enumerate(zip(*columns, strict=True)):
            clip = "/".join(key)
            if audio_label:
                self._fake.setdefault(clip, []).append(row)
            else:
                self._real[clip] = row
        if lonely := sorted(self._real.keys() ^ self._fake.keys()):
            raise AvfakeError(
                f"{len(lonely)} clips have only real or only vocoded sound, the first is {lonely[0]}, so "
                "there is nothing to swap: build-split --train-policy swap has drawn already, draw every row "
                "of such a split; or build it with --no-balanced, which keeps all sounds of a clip"
            )

    def __len__(self) -> int:
        return len(self._real)

    def __call__(self, epoch: int) -> Rows:
        """Rows of this epoch."""
        rows = np.array([self._heard(clip, epoch) for clip in self._real])
        return draws_for(self._seed, "order", epoch).permutation(rows)

    def _heard(self, clip: str, epoch: int) -> int:
        swapped, vocoder = divmod(number_for(self._seed, "swap", epoch, clip), 2**63)
        fakes = self._fake[clip]
        return fakes[vocoder % len(fakes)] if swapped else self._real[clip]


PLANS: dict[str, Callable[[pa.Table, int], Plan]] = {
    "all": lambda table, seed: EveryRow(table.num_rows, seed),
    "balanced": BalancedQuadrants,
    "swap": SwappedSounds,
}
