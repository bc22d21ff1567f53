"""facenet-pytorch's findings come back as ours, and its absence is one line."""

import csv
import sys
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from avfake.errors import AvfakeError
from avfake.faces.detect import load_detector
from avfake.faces.mtcnn import build

BOX = [10.0, 20.0, 50.0, 70.0]
POINTS = [[20.0, 35.0], [40.0, 35.5], [30.0, 45.0], [22.0, 58.0], [38.0, 58.5]]


class StandIn:
    """Answers as facenet-pytorch 2.5.3 does: arrays of objects, None where there is no face."""

    def __init__(self, **settings: object) -> None:
        self.settings = settings
        self.asked: list[tuple[int, ...]] = []

    def detect(self, picture: np.ndarray, *, landmarks: bool) -> tuple[object, ...]:
        assert landmarks
        self.asked.append(picture.shape)
        if not picture.any():
            return None, np.array([None], dtype=object), None
        boxes = np.array([BOX, [value + 100 for value in BOX]], dtype=object)
        points = np.array([POINTS, POINTS], dtype=object)
        return boxes, np.array([np.float32(0.99), np.float32(0.8)], dtype=object), points


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("facenet_pytorch")
    module.MTCNN = StandIn
    monkeypatch.setitem(sys.modules, "facenet_pytorch", module)
    return module


def test_boxes_points_and_scores_are_carried_over_in_order(package: ModuleType) -> None:
    bright, black = np.full((80, 160, 3), 200, np.uint8), np.zeros((80, 160, 3), np.uint8)
    faces, none = build()([bright, black])
    assert none == []
    assert [face.score for face in faces] == pytest.approx([0.99, 0.8])
    assert faces[0].box.tolist() == BOX
    assert faces[0].landmarks.tolist() == POINTS
    assert {(face.box.dtype.name, face.landmarks.dtype.name, type(face.score)) for face in faces} == {
        ("float32", "float32", float)
    }


def test_all_faces_are_asked_for_the_surest_first(package: ModuleType) -> None:
    settings = build()._network.settings
    assert (settings["keep_all"], settings["select_largest"]) == (True, False)


def test_a_picture_smaller_than_any_face_is_not_asked_about(package: ModuleType) -> None:
    detector = build()
    assert detector([np.full((19, 600, 3), 200, np.uint8)]) == [[]]
    assert not detector._network.asked


def test_its_absence_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(AvfakeError, match=r"pip install 'avfake\[mtcnn\]'"):
        load_detector("mtcnn")


def test_a_torchvision_of_another_torch_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = "raise RuntimeError('operator torchvision::nms\\ndoes not exist')"
    (tmp_path / "facenet_pytorch.py").write_text(broken)
    monkeypatch.delitem(sys.modules, "facenet_pytorch", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AvfakeError, match="torchvision::nms does not exist.*install both") as caught:
        load_detector("mtcnn")
    assert "\n" not in str(caught.value)


@pytest.mark.shared
def test_both_detectors_name_the_same_points_of_real_faces(shared: Path) -> None:
    pytest.importorskip("facenet_pytorch", exc_type=Exception)
    with (shared / "data" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "talking"]
    detectors = load_detector("mtcnn"), load_detector("retinaface")
    n_same = 0
    for row in rows[::8]:
        with av.open(str(shared / "data" / row["path"])) as container:
            picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        mine, other = (detector([picture])[0][0] for detector in detectors)
        distances = np.linalg.norm(mine.landmarks - other.landmarks, axis=1)
        n_same += bool(distances.max() < 0.15 * (other.box[2] - other.box[0]))
    assert n_same > 0.8 * len(rows[::8])
