"""The mouth in each crop as a few numbers: the coarse pattern of its light and dark."""

import numpy as np
from numpy.typing import NDArray

from avfake.faces.template import template

N_PATTERNS = 5  # both ways: light and dark change at most twice across the mouth
N_SHAPES = N_PATTERNS**2
_HALF_WIDTH, _HALF_HEIGHT = 12, 10  # pixels of a crop around the middle between the corners of the mouth
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_DARKEST = 8.0  # grey levels added before the logarithm, so that the noise of dark pixels does not count


def mouth_shapes(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Describe the mouth in crops of a face.

    The inside of an open mouth is dark, teeth are light, a protruded lower lip catches light: with the camera
    and the lamps of one clip, brightness tells the mouth's shape. Its logarithm tells it alike under a
    lamp twice as strong.

    Args:
        crops: RGB, [frames, 112, 112, 3], as ``crop_face`` cuts them.

    Returns:
        [frames, N_SHAPES]: the lowest coefficients of the orthonormal two-dimensional discrete cosine
        transform of the log brightness around the mouth, from coarse to fine downwards and, within, to
        the right.
    """
    middle_x, middle_y = np.rint(template()[3:].mean(axis=0)).astype(int)
    rows = slice(middle_y - _HALF_HEIGHT, middle_y + _HALF_HEIGHT)
    columns = slice(middle_x - _HALF_WIDTH, middle_x + _HALF_WIDTH)
    brightness = np.log(crops[:, rows, columns].astype(np.float32) @ _LUMA + np.float32(_DARKEST))
    return mouth_coefficients(brightness)


def mouth_coefficients(patches: NDArray[np.floating]) -> NDArray[np.float32]:
    """The lowest cosine coefficients of patches, [frames, height, width] -> [frames, N_SHAPES]."""
    down, across = _cosines(2 * _HALF_HEIGHT), _cosines(2 * _HALF_WIDTH)
    coefficients = np.einsum("vr,frc,hc->fvh", down, patches.astype(np.float32), across, optimize=True)
    shapes: NDArray[np.float32] = coefficients.reshape(len(patches), N_SHAPES)
    return shapes


def darkness() -> NDArray[np.float64]:
    """What to multiply shapes with for how dark the middle half of the mouth is, both ways, [N_SHAPES]."""
    patch = np.zeros((1, 2 * _HALF_HEIGHT, 2 * _HALF_WIDTH))
    patch[0, _HALF_HEIGHT // 2 : -(_HALF_HEIGHT // 2), _HALF_WIDTH // 2 : -(_HALF_WIDTH // 2)] = -1
    weights: NDArray[np.float64] = mouth_coefficients(patch)[0].astype(np.float64)
    return weights


def _cosines(length: int) -> NDArray[np.float32]:
    """The lowest rows of the orthonormal discrete cosine transform, [N_PATTERNS, length]."""
    angles = np.pi / length * np.arange(N_PATTERNS)[:, None] * (np.arange(length) + 0.5)
    rows: NDArray[np.float32] = (np.cos(angles) * np.sqrt(2 / length)).astype(np.float32)
    rows[0] /= np.float32(np.sqrt(2))
    return rows
