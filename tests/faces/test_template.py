"""Faces come to the template by the best similarity transform there is, and lie in the crop with a margin."""

import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.faces.template import CROP_SIZE, align, template

Points = NDArray[np.float64]


def umeyama(points: Points, target: Points) -> Points:
    """The paper's solution by singular values, for any dimension; mirroring excluded."""
    centre, middle = points.mean(axis=0), target.mean(axis=0)
    u, sizes, vt = np.linalg.svd((target - middle).T @ (points - centre))
    signs = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (sizes * signs).sum() / ((points - centre) ** 2).sum()
    turn = scale * u @ np.diag(signs) @ vt
    return np.column_stack([turn, middle - turn @ centre])


def faces(n_faces: int, seed: int = 0) -> Points:
    """Landmarks of faces of all sizes and slopes anywhere, distorted."""
    rng = np.random.default_rng(seed)
    angle, size = rng.uniform(-np.pi, np.pi, n_faces), np.exp(rng.uniform(-1, 3, n_faces))
    turn = size * np.exp(1j * angle)
    points = template().astype(np.float64) + rng.normal(0, 3, (n_faces, 5, 2))
    places = turn[:, None] * (points[..., 0] + 1j * points[..., 1]) + rng.uniform(0, 2000, (n_faces, 1))
    return np.stack([places.real, places.imag], axis=-1)


def moved(points: Points, transforms: Points) -> Points:
    return np.einsum("fij,fpj->fpi", transforms[..., :2], points) + transforms[:, None, :, 2]


def test_the_transform_is_umeyamas() -> None:
    landmarks = faces(50)
    expected = [umeyama(points, template().astype(np.float64)) for points in landmarks]
    assert align(landmarks) == pytest.approx(np.array(expected), rel=1e-5, abs=1e-3)


def test_a_turned_scaled_and_moved_template_comes_back() -> None:
    turn = 3.1 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    landmarks = template() @ turn.T + [700, 200]
    assert moved(landmarks[None], align(landmarks[None]))[0] == pytest.approx(template(), abs=1e-3)
    assert align(landmarks).shape == (2, 3)
    assert align(landmarks).dtype == np.float32


def test_faces_are_never_mirrored() -> None:
    landmarks = faces(50)
    assert (np.linalg.det(align(landmarks)[:, :, :2]) > 0).all()
    assert (np.linalg.det(align(landmarks * [-1, 1])[:, :, :2]) > 0).all()


def test_the_template_is_its_own_mirror_image() -> None:
    mirrored = template()[[1, 0, 2, 4, 3]] * [-1, 1] + [CROP_SIZE, 0]
    assert mirrored == pytest.approx(template())


def test_there_is_room_for_forehead_and_chin() -> None:
    right_eye, left_eye, _, right_corner, _ = template()
    eyes = left_eye[0] - right_eye[0]
    assert right_eye[1] / eyes > 1.3  # eyes to hairline
    assert (CROP_SIZE - right_eye[1]) / eyes > 2.2 + 0.4  # eyes to the chin of an open mouth, and a margin
    assert right_eye[0] / eyes > 1.0  # eye to ear
    assert 0.9 < (right_corner[1] - right_eye[1]) / eyes < 1.3  # as in faces


def test_landmarks_in_one_point_are_refused() -> None:
    with pytest.raises(ValueError, match="one point"):
        align(np.full((3, 5, 2), 7.0))
