"""Where eyes, nose and mouth lie in every crop, and how a face is brought there."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

CROP_SIZE = 112  # pixels, both ways

# Half the distance between the eyes, half the mouth's width, and the heights of eyes, nose and mouth in the
# template of ArcFace, also for 112 pixels; made symmetric, by which no point moves by half a pixel.
_EYES, _MOUTH = 17.62, 14.59
_EYES_Y, _NOSE_Y, _MOUTH_Y = 51.60, 71.74, 92.29
# That template cuts off chin and forehead, and with them the seams of most fakes. Shrunk towards the middle
# of the crop's upper edge it leaves 1.5 distances between the eyes above them and 2.8 below; the chin is 1.9
# below them, and 2.2 where the mouth is wide open.
_SHRINK = 0.75

Points = NDArray[np.float32]


def template() -> Points:
    """Landmarks as they lie in a crop, float32 [5, 2], in the order and the pixels of ``Face``.

    Reference:
        Deng et al., 2019, ArcFace: additive angular margin loss for deep face recognition; template of the
        authors' code, made symmetric and shrunk.
    """
    middle = CROP_SIZE / 2
    points = [
        (middle - _SHRINK * _EYES, _SHRINK * _EYES_Y),
        (middle + _SHRINK * _EYES, _SHRINK * _EYES_Y),
        (middle, _SHRINK * _NOSE_Y),
        (middle - _SHRINK * _MOUTH, _SHRINK * _MOUTH_Y),
        (middle + _SHRINK * _MOUTH, _SHRINK * _MOUTH_Y),
    ]
    return np.array(points, np.float32)


def align(landmarks: ArrayLike) -> Points:
    """Find the similarity transforms that bring faces nearest to the template.

    Args:
        landmarks: Of each face, [frames, 5, 2], pixels of the picture.

    Returns:
        float32 [frames, 2, 3]: of a point (x, y) of the picture, ``transform @ (x, y, 1)`` is its place in
        the crop. Turned, scaled and moved, never mirrored; the sum of squared distances to the template is
        the least possible.

    Reference:
        Umeyama, 1991, least-squares estimation of transformation parameters between two point patterns. In
        the plane, with x + iy for a point, its rotation and scale are the one factor of linear regression.
    """
    x, y = np.moveaxis(np.asarray(landmarks, np.float64), -1, 0)
    target_x, target_y = template().astype(np.float64).T
    points, target = x + 1j * y, target_x + 1j * target_y
    centre, middle = points.mean(axis=-1), target.mean()
    spread = points - centre[..., None]
    if not (power := (np.abs(spread) ** 2).sum(axis=-1)).all():
        raise ValueError("landmarks of a face must not all lie in one point")
    factor = (spread.conj() * (target - middle)).sum(axis=-1) / power
    shift = middle - factor * centre
    rows = [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    return np.moveaxis(np.array(rows, np.float32), (0, 1), (-2, -1))
