"""The search for a clip in a whole upload at one pace, and how sure its outcome is."""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.video.agreement import frame_period_s
from avfake.video.motion import REACH, energies, motion
from avfake.video.pace import Pace
from avfake.video.path import Scores, best_path
from avfake.video.track import FrameTrack

# What a jump costs, in frames that agree perfectly: little at first, to find gaps of a few frames; where that
# leads to stretches that may agree by chance, jumps become dearer, and at last none is allowed.
_PENALTIES = (3.0, 6.0, 12.0, math.inf)
_LOWEST_SCORE = 0.35
_LEAST_LEAD = 0.2  # of the score over that of any other moment of the upload
_SAME_MOMENT_S = 0.6  # within which motion resembles itself; farther away it is another moment
_LARGEST_TABLE = 2**26  # products kept, 128 MiB; beyond, only every so-many-th frame is looked for
_BLOCK = 4096  # frames of an upload whose motion is held at a time

Energies = NDArray[np.float32]


class Products(NamedTuple):
    """How well the motion of each frame of a clip agrees with that of each frame of an upload.

    Attributes:
        table: Scalar products of motion, [rows, upload frames].
        clip_energy: Energy of each row's motion, [rows].
        energy: Energy of the upload's motion, [upload frames].
        every: Frames of the clip from one row to the next.
    """

    table: Scores
    clip_energy: Energies
    energy: Energies
    every: int


class Way(NamedTuple):
    """Where a clip's frames lie at some pace.

    Attributes:
        offsets: Place of each frame less what the pace's steps add up to until it, [frames].
        value: Correlation of motion along the way less the price of its jumps.
        score: Correlation of motion on the part of the clip where it is lowest.
        lead: By how much the score is higher than at any other moment, where that is least.
    """

    offsets: NDArray[np.int64]
    value: float
    score: float
    lead: float

    @property
    def certain(self) -> bool:
        """Whether no other moment of this or another video could look so alike."""
        return self.score >= _LOWEST_SCORE and self.lead >= _LEAST_LEAD


def multiply(clip: FrameTrack, upload: FrameTrack, spans: tuple[int, int]) -> Products:
    """Compare the motion of every frame of a clip with that of every frame of an upload.

    Args:
        clip: All its frames.
        upload: Likewise.
        spans: Frames over which the motion of each is taken.
    """
    n_frames = len(upload.pictures)
    every = max(1, math.ceil(len(clip.pictures) * n_frames / _LARGEST_TABLE))
    rows = motion(clip.pictures, span=spans[0])[::every]
    table = np.empty((len(rows), n_frames), np.float16)
    energy = np.empty(n_frames, np.float32)
    halo = (REACH + 1) * spans[1]
    for start in range(0, n_frames, _BLOCK):
        before = min(halo, start)
        pictures = upload.pictures[start - before : start + _BLOCK + halo]
        block = motion(pictures, span=spans[1])[before : before + _BLOCK]
        table[:, start : start + _BLOCK] = rows @ block.T
        energy[start : start + _BLOCK] = energies(block)
    return Products(table, energies(rows), energy, every)


def follow(products: Products, pace: Pace, n_frames: int) -> Way | None:
    """Find the clip's way through the upload; None when the upload is too short for this pace.

    Args:
        products: Of the two, over the pace's spans.
        pace: How the clip's frames follow the upload's.
        n_frames: Of the clip.
    """
    rows = np.arange(0, n_frames, products.every)
    steps = np.floor(pace.step * rows).astype(np.int64)
    if steps[-1] >= len(pace.frames):
        return None
    table, energy = products.table, products.energy
    if not np.array_equal(pace.frames, np.arange(table.shape[1])):
        table, energy = table[:, pace.frames], energy[pace.frames]
    guard = round(_SAME_MOMENT_S / frame_period_s(pace.times_s))
    for penalty in _PENALTIES:
        columns, value = best_path(table, steps, penalty / products.every)
        offsets = columns - steps
        far = np.flatnonzero(np.diff(offsets) > guard) + 1
        runs = [
            _judge(table[part], products.clip_energy[part], energy, columns[part], guard)
            for part in slices(far, len(rows))
        ]
        scale = math.sqrt(max(float(products.clip_energy.sum() * energy[columns].sum()), 1e-9))
        score, lead = (min(values) for values in zip(*runs, strict=True))
        way = Way(np.repeat(offsets, products.every)[:n_frames], value / scale, score, lead)
        if way.certain:
            break
    return way


def slices(cuts: NDArray[np.int64], length: int) -> list[slice]:
    """Parts of ``length`` rows between the cuts."""
    ends = [0, *cuts.tolist(), length]
    return [slice(start, end) for start, end in pairwise(ends)]


def _judge(
    table: Scores, clip_energy: Energies, energy: Energies, columns: NDArray[np.int64], guard: int
) -> tuple[float, float]:
    """Score of rows at their columns, and its lead over the best score when all are shifted alike."""
    first = -int(columns.min())
    n_shifts = table.shape[1] - int(columns.max()) - first
    product, energies_there = np.zeros(n_shifts), np.zeros(n_shifts)
    for row, column in zip(table, columns + first, strict=True):
        product += row[column : column + n_shifts]
        energies_there += energy[column : column + n_shifts]
    own = float(clip_energy.sum())
    # What hardly moves correlates with anything by chance, hence the floor.
    scores = product / np.sqrt(max(own, 1e-9) * np.maximum(energies_there, max(own / 4, 1e-9)))
    here = -first
    others = np.concatenate([scores[: max(0, here - guard)], scores[here + guard + 1 :]])
    return float(scores[here]), float(scores[here] - np.max(others, initial=0.0))
