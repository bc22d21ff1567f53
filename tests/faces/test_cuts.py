"""A cut is a sudden change of all the picture; quick movement and a change of a part are none."""

import numpy as np
import pytest

from avfake.faces.cuts import Sight, alike, find_cuts, see
from avfake.faces.detect import Face
from tests.faces.painted import paint_faces
from tests.faces.sightings import look_of


def seen(thumbnails: list[np.ndarray]) -> list[Sight]:
    return [Sight([], [], thumbnail.astype(np.uint8)) for thumbnail in thumbnails]


def scene(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(20, 235, (18, 32, 3))


def test_a_cut_is_found_where_it_is() -> None:
    rng = np.random.default_rng(0)
    thumbnails = [scene(0 if number < 7 else 1) + rng.integers(-4, 5, (18, 32, 3)) for number in range(15)]
    assert np.flatnonzero(find_cuts(seen(thumbnails))).tolist() == [7]


def test_a_quick_pan_and_a_fade_are_no_cuts() -> None:
    wide = np.random.default_rng(0).integers(20, 235, (18, 200, 3))
    pan = [wide[:, 8 * number :][:, :32] for number in range(15)]
    fade = [scene(0) + (scene(1) - scene(0)) * min(1, max(0, (number - 5) / 5)) for number in range(15)]
    assert not find_cuts(seen(pan)).any()
    assert not find_cuts(seen(fade)).any()


def test_a_changing_screen_in_the_background_is_no_cut() -> None:
    first, second = scene(0), scene(0)
    second[:6, :8] = scene(1)[:6, :8]
    assert not find_cuts(seen([first] * 5 + [second] * 5)).any()


@pytest.mark.parametrize("n_pictures", [1, 2])
def test_short_clips_have_as_many_answers_as_pictures(n_pictures: int) -> None:
    assert (
        find_cuts(seen([scene(number) for number in range(n_pictures)])).tolist()
        == [False, True][:n_pictures]
    )


def test_one_face_looks_alike_wherever_it_is_and_another_does_not() -> None:
    people = [paint_faces([-12.0, 0.0, 10.0], number=number) for number in (0, 1, 2, 6)]
    looks = []
    for person in people:
        nose = person.features.mean(axis=1, keepdims=True)
        landmarks = np.concatenate([person.features[:, :2], nose, person.features[:, 2:]], axis=1)
        faces = [Face(np.zeros(4, np.float32), points, 1.0) for points in landmarks]
        looks.append(
            [see(*pair).looks[0] for pair in zip(person.pictures, [[face] for face in faces], strict=True)]
        )
    for number, own in enumerate(looks):
        assert alike(own[0], own[1])
        assert alike(own[2], own[1])
        assert not any(alike(own[0], other[0]) for other in looks[number + 1 :])


def test_nothing_looks_like_a_blank() -> None:
    blank = np.full((32, 32, 3), 90, np.uint8)
    assert not alike(blank, blank)
    assert alike(look_of(0), look_of(0))
    assert not alike(look_of(0), look_of(1))
