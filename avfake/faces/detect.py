"""What a face detector is, and the detectors by name."""

from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from avfake.errors import AvfakeError

DETECTORS = {  # name -> module with build()
    "retinaface": "avfake.faces.retinaface",
    "mtcnn": "avfake.faces.mtcnn",
}

Picture = NDArray[np.uint8]


class Face(NamedTuple):
    """One face found in one picture.

    Attributes:
        box: Left, top, right and bottom edge in pixels of the picture, [4]; may reach beyond it.
        landmarks: x and y in pixels of the picture, [5, 2]: right eye, left eye, tip of the nose, right and
            left corner of the mouth, sides being the person's own, so that the right eye is left in the
            picture. Where pixels are counted, the corner of the picture is (0, 0) and the centre of its first
            pixel (0.5, 0.5).
        score: How sure the detector is, 0 to 1.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float


@runtime_checkable
class FaceDetector(Protocol):
    """Something that finds the faces of pictures."""

    def __call__(self, pictures: Sequence[Picture]) -> list[list[Face]]:
        """Find all faces.

        Args:
            pictures: Upright, RGB, [height, width, 3], all of one size. The detector brings them to the size
                it likes.

        Returns:
            Faces of each picture, the surest first. What is found in a picture does not depend on the others.
        """
        ...


def load_detector(name: str) -> FaceDetector:
    """Load a detector by name, ready to run.

    Raises:
        AvfakeError: The name is unknown, or the package the detector comes from cannot be used.
    """
    if name not in DETECTORS:
        raise AvfakeError(f"face detector {name!r} is unknown; choose one of {', '.join(DETECTORS)}")
    detector: FaceDetector = import_module(DETECTORS[name]).build()
    return detector


def check_picture(picture: Picture) -> None:
    """Refuse what is no picture that a detector takes.

    Raises:
        ValueError: It is not uint8 of [height, width, 3] with at least one pixel.
    """
    if picture.dtype != np.uint8 or picture.shape[2:] != (3,) or not picture.size:
        raise ValueError(
            f"picture is {picture.dtype} of {list(picture.shape)}; it must be uint8 of [height, width, 3]"
        )
