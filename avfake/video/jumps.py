"""The very frames of a clip between which its upload went on without it."""

import numpy as np
from numpy.typing import NDArray

from avfake.video.motion import REACH
from avfake.video.pace import Pace
from avfake.video.path import best_path
from avfake.video.thumbnails import Pictures
from avfake.video.track import FrameTrack

_PENALTY = 2.0  # grey levels of a cell: what a jump must save
_IMPOSSIBLE = 1e4  # grey levels

Offsets = NDArray[np.int64]
Cells = NDArray[np.float32]


def jumps(offsets: Offsets) -> Offsets:
    """Frames that lie farther than the one before them would have them, [jumps]."""
    return np.flatnonzero(np.diff(offsets)) + 1


def settle(clip: FrameTrack, upload: FrameTrack, pace: Pace, offsets: Offsets) -> Offsets:
    """Move each jump to where the pictures themselves say it is.

    Motion reaches over half a second on either side of a frame, and so does what a jump does to it. The
    pictures tell it to the frame: those before the jump resemble the upload's before it, and so on.

    Args:
        clip: All its frames.
        upload: Likewise.
        pace: At which the clip was found.
        offsets: Place of each frame less what the pace's steps add up to until it, [frames].

    Returns:
        The same, with jumps moved by at most as far as motion reaches, or joined, [frames].
    """
    if not len(jumps(offsets)):
        return offsets
    steps = pace.step * np.arange(len(offsets))
    shown = upload.pictures[pace.frames]
    own = _cells(clip.pictures)
    own -= np.median(own - _between(shown, offsets + steps), axis=0)  # renditions differ in brightness
    choices, chosen = np.unique(offsets, return_inverse=True)
    scores = np.full((len(offsets), len(choices)), -_IMPOSSIBLE, np.float32)
    for number, offset in enumerate(choices):
        near = np.convolve(chosen == number, np.ones(2 * REACH + 1), "same") > 0
        there = _between(shown, offset + steps[near])
        scores[near, number] = -np.abs(own[near] - there).mean(axis=1)
    columns, _ = best_path(scores, np.zeros(len(offsets), np.int64), _PENALTY)
    settled: Offsets = choices[columns]
    return settled


def _between(pictures: Pictures, places: NDArray[np.float64]) -> Cells:
    """Pictures at places that may lie between two, [places, cells]."""
    places = np.clip(places, 0, len(pictures) - 1)
    before = places.astype(np.int64)
    after = np.minimum(before + 1, len(pictures) - 1)
    share = (places - before).astype(np.float32)[:, None]
    blended: Cells = (1 - share) * _cells(pictures[before]) + share * _cells(pictures[after])
    return blended


def _cells(pictures: Pictures) -> Cells:
    return pictures.reshape(len(pictures), -1).astype(np.float32)
