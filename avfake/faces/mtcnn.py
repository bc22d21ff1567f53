"""MTCNN as facenet-pytorch carries it: the detector of the paper, and many times slower than the default."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from avfake.errors import AvfakeError, need, one_line
from avfake.faces.detect import Face, Picture, check_picture

_SMALLEST_FACE = 20  # pixels; facenet-pytorch's own default, below which it fails on a whole picture


class Mtcnn:
    """Finds faces in one picture after the other, each at its own size.

    Args:
        network: facenet-pytorch's ``MTCNN``, made to keep all faces in order of score.

    Reference:
        Zhang et al., 2016, Joint face detection and alignment using multi-task cascaded convolutional
        networks; the weights are those inside facenet-pytorch.
    """

    def __init__(self, network: Any) -> None:
        self._network = network

    def __call__(self, pictures: Sequence[Picture]) -> list[list[Face]]:
        """Find all faces of each picture; see ``FaceDetector``."""
        return [self._faces(picture) for picture in pictures]

    def _faces(self, picture: Picture) -> list[Face]:
        check_picture(picture)
        if min(picture.shape[:2]) < _SMALLEST_FACE:
            return []
        boxes, scores, landmarks = self._network.detect(picture, landmarks=True)
        if boxes is None:
            return []
        return [
            Face(np.asarray(box, np.float32), np.asarray(points, np.float32), float(score))
            for box, points, score in zip(boxes, landmarks, scores, strict=True)
        ]


def build() -> Mtcnn:
    """The detector with facenet-pytorch's settings, but all faces kept.

    Raises:
        AvfakeError: facenet-pytorch is not installed, or does not run beside the installed torch.
    """
    try:
        package = need("facenet_pytorch", extra="mtcnn")
    except (RuntimeError, OSError) as error:  # what a torchvision made for another torch raises
        raise AvfakeError(
            f"facenet-pytorch cannot be imported ({one_line(error)}): it needs a torchvision that was built "
            "for the torch that is installed: install both from one index"
        ) from error
    return Mtcnn(package.MTCNN(keep_all=True, select_largest=False, min_face_size=_SMALLEST_FACE))
