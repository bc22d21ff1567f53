"""Cutting a clip into pieces that are made one by one, and faded into each other."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from avfake.audio.io import Waveform

_PIECE_S = 60.0  # longer clips are made in pieces of this, so that an hour needs no more memory
_CONTEXT_S = 1.0  # of sound before and after each piece, made and thrown away
_FADE_S = 0.02  # from one piece to the next


class Piece(NamedTuple):
    """A stretch of a clip that is made at once.

    Attributes:
        heard: Samples given to the vocoder.
        kept: Which of those that it makes are used.
        weight: Of each of them.
    """

    heard: slice
    kept: slice
    weight: Waveform


def cut_pieces(n_samples: int, rate: int) -> Iterator[Piece]:
    """Cut ``n_samples`` into pieces; at every sample the weights of all pieces sum to one."""
    length, context, fade = (round(seconds * rate) for seconds in (_PIECE_S, _CONTEXT_S, _FADE_S))
    ramp = (np.arange(fade, dtype=np.float32) + 0.5) / fade
    for start in range(0, max(1, n_samples - context), length):
        last = start + length >= n_samples - context  # a rest shorter than the context joins its neighbour
        stop = n_samples if last else start + length + fade
        heard = slice(max(0, start - context), min(n_samples, stop + context))
        weight = np.ones(stop - start, np.float32)
        if start:
            weight[:fade] = ramp
        if not last:
            weight[-fade:] = ramp[::-1]
        yield Piece(heard, slice(start - heard.start, stop - heard.start), weight)
