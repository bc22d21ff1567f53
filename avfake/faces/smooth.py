"""Take the trembling of a detector out of a face's track, and leave the movement of the head in it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avfake.faces.track import FaceTrack
from avfake.video.sample import PICTURES_PER_S

# Standard deviation of the Gaussian. Measured by how far eyes and nose move from one crop to the next: more
# leaves less trembling in faces that hardly move, 0.08 s is their best, and moves those that turn quickly.
SMOOTHING_S = 0.06
_REACH = 3  # standard deviations on either side


def smooth(track: FaceTrack, *, smoothing_s: float = SMOOTHING_S) -> FaceTrack:
    """Smooth landmarks and boxes over time, from future and past alike, so that they do not lag.

    At both ends the track is continued by turning it around its last point, which keeps its slope.
    """
    reach = int(np.ceil(_REACH * smoothing_s * PICTURES_PER_S))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (smoothing_s * PICTURES_PER_S)) ** 2)
    kernel /= kernel.sum()
    return replace(track, boxes=_filter(track.boxes, kernel), landmarks=_filter(track.landmarks, kernel))


def _filter(values: NDArray[np.float32], kernel: NDArray[np.float64]) -> NDArray[np.float32]:
    """Convolve along the first axis."""
    reach = len(kernel) // 2
    beyond = [(reach, reach)] + [(0, 0)] * (values.ndim - 1)
    padded = np.pad(values.astype(np.float64), beyond, mode="reflect", reflect_type="odd")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=0)
    smoothed: NDArray[np.float32] = (windows @ kernel).astype(np.float32)
    return smoothed
