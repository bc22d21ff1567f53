"""Sizes and values of pictures: what is done to them between disk and network."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def shrink(planes: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Average the pixels of square areas, rounded half up.

    Args:
        planes: [..., height, width], square.
        size: Height and width wanted; divides those of the planes.

    Returns:
        [..., size, size].
    """
    factor = planes.shape[-1] // size
    if factor == 1:
        return planes
    planes = np.ascontiguousarray(planes)  # half the time that colours side by side take
    dtype = np.min_scalar_type(256 * factor**2)
    rows = _sum([planes[..., start::factor, :] for start in range(factor)], dtype)
    areas = _sum([rows[..., start::factor] for start in range(factor)], dtype)
    areas += dtype.type(factor**2 // 2)
    areas //= dtype.type(factor**2)
    return areas.astype(np.uint8)


def _sum(arrays: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    total = arrays[0].astype(dtype)
    for array in arrays[1:]:
        total += array
    return total


def scale_pictures(video: Tensor) -> Tensor:
    """Pictures of a batch as the networks take them, float32 in [0, 1]; on the device that holds them."""
    return video.float().div_(255)
