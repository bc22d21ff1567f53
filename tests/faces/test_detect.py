"""Every detector keeps one contract: upright RGB in, faces in its pixels out, nothing found in nothing."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.errors import AvfakeError
from avfake.faces.detect import DETECTORS, Face, FaceDetector, load_detector
from tests.faces.painted import FEATURES, Painted, paint_faces

OPTIONAL = {"mtcnn": "facenet_pytorch"}  # tested where its package is
NEAR = 6.0  # pixels, of a face that is 120 wide: a painted face is not what detectors have learnt


@pytest.fixture(scope="module", params=DETECTORS)
def detector(request: pytest.FixtureRequest) -> FaceDetector:
    if request.param in OPTIONAL:
        pytest.importorskip(OPTIONAL[request.param], exc_type=Exception)
    return load_detector(request.param)


@pytest.fixture(scope="module")
def painted() -> Painted:
    return paint_faces([0, 9])


def only(faces: list[Face]) -> Face:
    assert len(faces) == 1
    return faces[0]


def test_a_painted_face_is_found_where_it_was_painted(detector: FaceDetector, painted: Painted) -> None:
    assert isinstance(detector, FaceDetector)
    for faces, features in zip(detector(list(painted.pictures)), painted.features, strict=True):
        face = only(faces)
        assert np.abs(face.landmarks[FEATURES] - features).max() < NEAR
        assert (face.landmarks[2] > features[[0, 0]].min(axis=0)).all()  # the nose lies among the others
        assert (face.landmarks[2] < features.max(axis=0)).all()
        assert (face.box[:2] < face.landmarks.min(axis=0)).all()
        assert (face.box[2:] > face.landmarks.max(axis=0)).all()
        assert 0.5 < face.score <= 1


def test_types_and_shapes_are_as_promised(detector: FaceDetector, painted: Painted) -> None:
    face = only(detector(painted.pictures[:1])[0])
    assert (face.box.shape, face.landmarks.shape) == ((4,), (5, 2))
    assert (face.box.dtype, face.landmarks.dtype, type(face.score)) == (np.float32, np.float32, float)


def test_a_picture_gives_the_same_alone_again_and_in_company(
    detector: FaceDetector, painted: Painted
) -> None:
    together = detector(list(painted.pictures))
    alone = [detector([picture])[0] for picture in painted.pictures]
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(only(one).box, only(other).box)
        assert np.array_equal(only(one).landmarks, only(other).landmarks)
        assert only(one).score == only(other).score


@pytest.mark.parametrize(
    "size",
    [(1280, 720), (720, 1280), (1080, 1080), (2000, 256), (256, 1000)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def test_a_face_is_found_in_pictures_of_any_shape(
    detector: FaceDetector, painted: Painted, size: tuple[int, int]
) -> None:
    width, height = size
    picture = np.full((height, width, 3), 90, np.uint8)
    left, top = width - 256, (height - 256) // 2
    picture[top : top + 256, left:] = painted.pictures[0]
    face = only(detector([picture])[0])
    largest = 1.5 * NEAR if max(size) < 2000 else 2.5 * NEAR  # one detector sees it three times smaller
    assert np.abs(face.landmarks[FEATURES] - painted.features[0] - [left, top]).max() < largest


def test_a_face_without_colour_is_found(detector: FaceDetector, painted: Painted) -> None:
    grey = painted.pictures[:1].mean(axis=-1, keepdims=True).astype(np.uint8).repeat(3, axis=-1)
    assert np.abs(only(detector(grey)[0]).landmarks[FEATURES] - painted.features[0]).max() < NEAR


def test_views_of_other_arrays_are_pictures_too(detector: FaceDetector, painted: Painted) -> None:
    turned = np.rot90(np.ascontiguousarray(np.rot90(painted.pictures[0])), -1)
    assert not turned.flags.c_contiguous
    faces = detector([turned, painted.pictures[0]])
    assert np.array_equal(only(faces[0]).landmarks, only(faces[1]).landmarks)


def test_no_pictures_give_no_faces(detector: FaceDetector) -> None:
    assert detector([]) == []


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (1, 700), (19, 300), (40, 2000), (1300, 24), (240, 320)])
def test_nothing_is_found_where_nothing_is(detector: FaceDetector, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for content in (0, 128, 255, rng.integers(0, 256, (*shape, 3))):
        picture = np.broadcast_to(content, (*shape, 3)).astype(np.uint8)
        assert detector([picture]) == [[]]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((0, 64, 3), np.uint8),
        np.zeros((2, 64, 64, 3), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{list(array.shape)}",
)
def test_what_is_no_picture_is_refused(detector: FaceDetector, wrong: NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match=r"it must be uint8 of \[height, width, 3\]"):
        detector([wrong])


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AvfakeError, match="'haar' is unknown; choose one of retinaface, mtcnn"):
        load_detector("haar")


def test_naming_detectors_loads_none() -> None:
    program = "import sys, avfake.faces.detect; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"onnxruntime", "torch", "av", "retinaface"} & set(loaded.stdout.split())
