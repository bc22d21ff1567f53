"""What moves in a video's small pictures, in a form that two renditions of the same pictures share."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from avfake.video.thumbnails import Pictures

REACH = 12  # frames before and after, whose mean a picture departs from
_LARGEST = 6.0  # grey levels of a cell beyond which moving more counts no more: cuts and flashes are rare
_FLOOR = 10.0  # Euclidean grey levels over all cells; weaker motion is mostly what the encoder made up

Motion = NDArray[np.float32]


def motion(pictures: Pictures, *, span: int = 1) -> Motion:
    """Describe how each picture differs from those around it.

    The change to the next picture tells single frames apart, the departure from the mean of half a second
    on either side survives encoders that hold blocks still and move them later. What stands still leaves
    no trace, so that not the scene is recognised but the moment.

    Args:
        pictures: [frames, height, width].
        span: In frames: from a picture to the one it is compared with.

    Returns:
        [frames, 2 * height * width]; each frame's Euclidean norm is the share of it that tells, 0 to 1.
    """
    cells = pictures.reshape(len(pictures), -1).astype(np.float32)
    change = np.zeros_like(cells)
    change[:-span] = cells[span:] - cells[:-span]
    departure = cells - uniform_filter1d(cells, 2 * REACH * span + 1, axis=0, mode="nearest")
    return np.concatenate([_limited(change), _limited(departure)], axis=1) * np.float32(np.sqrt(0.5))


def energies(values: Motion) -> NDArray[np.float32]:
    """Squared Euclidean norm of each row, [frames]; the same number on any count of threads."""
    squares: NDArray[np.float32] = np.einsum("fc,fc->f", values, values)
    return squares


def _limited(values: Motion) -> Motion:
    limited: Motion = np.clip(values, -_LARGEST, _LARGEST)
    norms = np.sqrt(energies(limited))
    limited /= np.maximum(norms, np.float32(_FLOOR))[:, None]
    return limited
