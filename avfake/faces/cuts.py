"""Where the scene changes in a video, so that no face is followed from one person to another."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avfake.faces.crop import crop_face
from avfake.faces.detect import Face
from avfake.faces.template import align

# None of 4749 steps of a face in real clips passes for a cut to somebody else by all three, however quickly
# the head turns; of 3000 such cuts, made from clip to clip between faces at the same place, 96 % do.
_CHANGE = 15.0  # of a thumbnail's values, 0 to 255, in the mean
_LEAP = 2.5  # times the change before and after it
_LIKENESS = 0.7  # correlation of a person's looks before and after a cut, at least
_WIDTH, _HEIGHT = 32, 18
_LOOK_SIZE = 32

Picture = NDArray[np.uint8]


class Sight(NamedTuple):
    """What is kept of a picture once its faces are found.

    Attributes:
        faces: All that were found.
        looks: Each of them as a tiny crop, uint8 [32, 32, 3].
        thumbnail: The whole picture, uint8 [18, 32, 3].
    """

    faces: Sequence[Face]
    looks: Sequence[Picture]
    thumbnail: Picture


def see(picture: Picture, faces: Sequence[Face]) -> Sight:
    """Keep of a picture what following its faces needs."""
    looks = [crop_face(picture, align(face.landmarks), size=_LOOK_SIZE) for face in faces]
    step = max(1, min(picture.shape[0] // (4 * _HEIGHT), picture.shape[1] // (4 * _WIDTH)))
    few = Image.fromarray(np.ascontiguousarray(picture[::step, ::step]))
    thumbnail = np.asarray(few.resize((_WIDTH, _HEIGHT), Image.Resampling.BOX))
    return Sight(faces, looks, thumbnail)


def find_cuts(sights: Sequence[Sight]) -> NDArray[np.bool_]:
    """Whether the scene seems to change just before each picture, [pictures]: much, and all at once."""
    pictures = np.stack([sight.thumbnail for sight in sights]).astype(np.float32)
    changes = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3))
    around = np.concatenate([[0.0], changes, [0.0]])
    leaps = changes > _LEAP * (np.maximum(around[:-2], around[2:]) + 1)
    return np.concatenate([[False], (changes > _CHANGE) & leaps])


def alike(look: Picture, other: Picture) -> bool:
    """Whether two looks, before and after a cut, may be one person's."""
    first, second = (values.ravel() - values.mean() for values in (look, other))
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return scale > 0 and float(first @ second) / scale >= _LIKENESS
