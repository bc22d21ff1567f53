"""Faces seen at given places, without pictures or a detector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from avfake.faces.cuts import Sight
from avfake.faces.detect import Face
from avfake.faces.template import template

Look = NDArray[np.uint8]


def face(x: float, y: float, *, size: float = 100.0, score: float = 0.99) -> Face:
    """A face whose box is a square around a place."""
    box = np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2], np.float32)
    landmarks = (template() / 56 - 1) * size / 2 + [x, y]
    return Face(box, landmarks.astype(np.float32), score)


def look_of(person: int) -> Look:
    """How a person looks; no two look alike."""
    return np.random.default_rng(person).integers(0, 255, (32, 32, 3), np.uint8)


def sight(faces: Sequence[Face], looks: Sequence[int] | None = None, *, scene: int = 0) -> Sight:
    """A picture in which faces were seen, of the persons given, in some scene."""
    people = range(len(faces)) if looks is None else looks
    thumbnail = np.random.default_rng(1000 + scene).integers(0, 255, (18, 32, 3), np.uint8)
    return Sight(list(faces), [look_of(person) for person in people], thumbnail)


def still(n_pictures: int, *faces: Face) -> list[Sight]:
    """Pictures in which the same faces are seen at the same places."""
    return [sight(faces) for _ in range(n_pictures)]
