"""Sizes and values of pictures: what is done to them between disk and network."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from avfake.dataset.window import Pictures


def shrink(pictures: Pictures, size: int) -> Pictures:
    """Average the pixels of square areas, rounded half up.

    Args:
        pictures: uint8 [frames, height, width, 3], square.
        size: Height and width wanted; divides those of the pictures.

    Returns:
        uint8 [frames, size, size, 3].
    """
    factor = pictures.shape[1] // size
    if factor == 1:
        return pictures
    rows = _sum([pictures[:, start::factor] for start in range(factor)])
    areas = _sum([rows[:, :, start::factor] for start in range(factor)])
    areas += factor**2 // 2
    areas //= factor**2
    return areas.astype(np.uint8)


def _sum(arrays: Sequence[NDArray[Any]]) -> NDArray[np.uint32]:
    total = arrays[0].astype(np.uint32)
    for array in arrays[1:]:
        total += array
    return total


def scale_pictures(video: Tensor) -> Tensor:
    """Pictures of a batch as the networks take them, float32 in [0, 1]; on the device that holds them."""
    return video.float().div_(255)
