"""Long sounds, block by block: as much memory for an hour as for a minute."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from avfake.audio.io import Waveform

_BLOCK = 1_500_000  # samples, more than a minute; a shorter sound is done at once


class Block(NamedTuple):
    """A stretch of a sound that is worked on at once.

    Attributes:
        heard: Samples that are looked at, with a neighbourhood on both sides.
        place: Samples that are made.
        kept: Where these lie among those that are looked at.
    """

    heard: slice
    place: slice
    kept: slice


def cut_blocks(n_samples: int, *, reach: int = 0, multiple: int = 1) -> Iterator[Block]:
    """Cut a sound into blocks that lie side by side.

    Args:
        n_samples: Of the sound.
        reach: How far before and after a block its neighbourhood extends.
        multiple: Blocks, and their neighbourhoods, start at multiples of this.
    """
    length, reach = _BLOCK // multiple * multiple, -(-reach // multiple) * multiple
    for start in range(0, n_samples, length):
        stop, first = min(n_samples, start + length), max(0, start - reach)
        heard = slice(first, min(n_samples, stop + reach))
        yield Block(heard, slice(start, stop), slice(start - first, stop - first))


def by_blocks(work: Callable[[Waveform], Waveform], waveform: Waveform, *, reach: int) -> Waveform:
    """Apply a filter block by block.

    Args:
        work: Gives as many samples as it gets; each depends on those within ``reach`` of it.
        waveform: [time].
        reach: In samples.
    """
    made = np.empty(len(waveform), np.float32)
    for block in cut_blocks(len(waveform), reach=reach):
        made[block.place] = work(waveform[block.heard])[block.kept]
    return made
