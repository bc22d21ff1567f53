"""Brushes: soft masks, layers over layers, and smooth noise, on arrays of any leading shape."""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter


def inside(distance: np.ndarray, softness: float) -> np.ndarray:
    """Mask in [0, 1] of where a signed distance is positive.

    Args:
        distance: Positive inside the shape, any shape.
        softness: Width of the edge, in the unit of ``distance``.
    """
    mask: np.ndarray = np.clip(distance / softness + 0.5, 0.0, 1.0)
    return mask


def bump(x: np.ndarray, y: np.ndarray, *, at: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """Gaussian hill of height 1."""
    hill: np.ndarray = np.exp(-0.5 * (((x - at[0]) / size[0]) ** 2 + ((y - at[1]) / size[1]) ** 2))
    return hill


def ramp(value: np.ndarray, start: float, end: float) -> np.ndarray:
    """Smooth step from 0 at ``start`` to 1 at ``end``."""
    part = np.clip((value - start) / (end - start), 0.0, 1.0)
    step: np.ndarray = part * part * (3 - 2 * part)
    return step


def lay(picture: np.ndarray, colour: np.ndarray | Sequence[float], mask: np.ndarray) -> None:
    """Put a colour over a picture, in place.

    Args:
        picture: [..., 3], changed.
        colour: [3] or [..., 3].
        mask: Opacity, [...].
    """
    colour = np.asarray(colour, np.float32)
    for channel in range(3):  # three strided passes are several times faster than a last axis of length 3
        plane = picture[..., channel]
        plane += (colour[..., channel] - plane) * mask


def mottle(
    rng: np.random.Generator, shape: tuple[int, int], sigma: float | tuple[float, float]
) -> np.ndarray:
    """Smooth noise, [height, width], mean 0 and standard deviation 1."""
    noise = gaussian_filter(rng.standard_normal(shape, np.float32), sigma, mode="wrap", truncate=2.5)
    spread: np.ndarray = (noise - noise.mean()) / noise.std()
    return spread
