"""Faces painted at known places, for detectors to find."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from avfake.demo.face import CENTER, SCALE, Performance, render, shoot
from avfake.demo.features import EYE_V, MOUTH_V
from avfake.demo.identity import draw_identity
from avfake.demo.motion import Motion

FEATURES = [0, 1, 3, 4]  # of a face's landmarks: eyes and corners of the mouth; a nose's tip is no point


class Painted(NamedTuple):
    """One face in several pictures.

    Attributes:
        pictures: uint8 RGB, [pictures, height, width, 3].
        features: Where its eyes and the corners of its mouth were painted, [pictures, 4, 2].
    """

    pictures: NDArray[np.uint8]
    features: NDArray[np.float32]


def paint_faces(right: ArrayLike, number: int = 0) -> Painted:
    """Paint a silent face once for each shift to the right, in pixels."""
    right = np.asarray(right, np.float32)
    person, still = draw_identity(0, number), np.zeros(len(right), np.float32)
    motion = Motion(right, still, still, still, still, lids=still + 1, gaze=still)
    rng = np.random.default_rng(number)
    pictures = shoot(render(person, Performance(still, still + 1, motion, (0.2, -0.4)), rng), rng)
    eye, mouth = person.eye_distance, person.mouth
    on_face = np.array([[-eye, EYE_V], [eye, EYE_V], [-mouth, MOUTH_V], [mouth, MOUTH_V]])
    at_rest = np.array(CENTER) + 0.5 + SCALE * on_face  # a pixel's centre lies half a pixel inside
    shifts = np.stack([right, still], axis=1)
    return Painted(pictures, (at_rest + shifts[:, None]).astype(np.float32))
