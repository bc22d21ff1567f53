"""Cut faces out of pictures: turned, scaled and moved onto the template, without aliasing."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avfake.faces.template import CROP_SIZE

_FINER = 2  # samples per pixel of the crop, both ways, of which the mean is taken
_REACH = 3  # pixels around a sample at which interpolation may look
_REDUCING_GAP = 3.0  # a picture far too large is made of means of blocks first, and this much too large

Picture = NDArray[np.uint8]
Matrix = NDArray[np.float64]


def crop_face(picture: Picture, transform: NDArray[np.float32], *, size: int = CROP_SIZE) -> Picture:
    """Cut a face out of a picture.

    The picture is sampled twice as finely as the crop, with bicubic interpolation, and each pixel is the mean
    of four samples. Where even these lie farther apart than the picture's pixels, as with large faces, the
    picture is shrunk first, so that no detail poses as another one. All of it varies smoothly with the size
    of the face, and so does how sharp a crop is.

    Beyond the picture's edge its outermost pixels are repeated; anything else would draw an edge there that
    tells how a scene was framed.

    Args:
        picture: RGB, uint8 [height, width, 3].
        transform: From pixels of the picture to those of a crop of ``CROP_SIZE``, [2, 3]; see ``align``.
        size: Of the crop, in pixels; it shows the same part of the picture whatever its size.

    Returns:
        RGB, uint8 [size, size, 3].
    """
    n_samples = size * _FINER
    to_samples = np.vstack([np.asarray(transform, np.float64) * (n_samples / CROP_SIZE), [0, 0, 1]])
    shrink = min(1.0, float(np.sqrt(np.linalg.det(to_samples[:2, :2]))))
    layers, to_picture = _source(picture, np.linalg.inv(to_samples)[:2], n_samples, shrink)
    crop = [_sampled(layer, to_picture, n_samples) for layer in np.moveaxis(layers, -1, 0)]
    return np.clip(np.rint(np.stack(crop, axis=-1)), 0, 255).astype(np.uint8)


def _sampled(layer: NDArray[np.float32], to_picture: Matrix, n_samples: int) -> NDArray[np.float32]:
    """One colour of a crop, not rounded: Pillow's samples of bytes are cut off, which would darken."""
    shape, affine = (n_samples, n_samples), tuple(to_picture.ravel())
    image = Image.fromarray(np.ascontiguousarray(layer))
    samples = image.transform(shape, Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
    return np.asarray(samples.reduce(_FINER))


def _source(
    picture: Picture, to_picture: Matrix, n_samples: int, shrink: float
) -> tuple[NDArray[np.float32], Matrix]:
    """All that is sampled of a picture, shrunk, and where in it the samples lie, [2, 3]."""
    sides = np.array(picture.shape[1::-1])
    first, end = _extent(to_picture, n_samples, _REACH / shrink)
    first = np.clip(first, 0, sides - 1)
    end = np.clip(end, first + 1, sides)
    part = Image.fromarray(picture[first[1] : end[1], first[0] : end[0]])
    if shrink < 1:
        width, height = np.maximum(np.rint((end - first) * shrink), 1).astype(int).tolist()
        part = part.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=_REDUCING_GAP)
    scale = np.array(part.size) / (end - first)
    to_part = np.column_stack([to_picture[:, :2], to_picture[:, 2] - first]) * scale[:, None]
    first, end = _extent(to_part, n_samples, _REACH)
    before, after = np.maximum(-first, 0), np.maximum(end - part.size, 0)
    beyond = [(before[1], after[1]), (before[0], after[0]), (0, 0)]
    to_part[:, 2] += before
    return np.pad(np.asarray(part, np.float32), beyond, mode="edge"), to_part


def _extent(to_picture: Matrix, n_samples: int, reach: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last corner, in whole pixels (x, y), of what samples and a reach around them cover."""
    corners = np.array([[0, n_samples, 0, n_samples], [0, 0, n_samples, n_samples], [1, 1, 1, 1]])
    covered = to_picture @ corners
    first, end = np.floor(covered.min(axis=1) - reach), np.ceil(covered.max(axis=1) + reach)
    return first.astype(np.int64), end.astype(np.int64)
