"""Motion is what changes: nothing where nothing moves, and the same however bright the picture."""

import numpy as np
import pytest

from avfake.video.motion import REACH, energies, motion
from avfake.video.thumbnails import HEIGHT, WIDTH
from tests.video.shooting import Film


@pytest.mark.parametrize("span", [1, 2])
def test_a_still_does_not_move(span: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (1, HEIGHT, WIDTH)).repeat(40, axis=0)
    assert not motion(pictures.astype(np.uint8), span=span).any()


def test_motion_is_a_share_of_each_frame(uploads: dict[str, Film]) -> None:
    found = motion(uploads["25"].track.pictures)
    assert found.shape == (len(uploads["25"].times_s), 2 * HEIGHT * WIDTH)
    assert energies(found) == pytest.approx(np.linalg.norm(found, axis=1) ** 2, abs=1e-5)
    assert 0 <= energies(found).min() < energies(found).max() <= 1 + 1e-5


def test_brightness_is_no_motion(uploads: dict[str, Film]) -> None:
    pictures = uploads["25"].track.pictures[:100]
    assert pictures.max() < 235
    assert motion(pictures + np.uint8(20)) == pytest.approx(motion(pictures), abs=1e-4)


def test_motion_far_away_does_not_count(uploads: dict[str, Film]) -> None:
    pictures = uploads["25"].track.pictures[:100]
    changed = pictures.copy()
    changed[80:] = 0
    near, other = motion(pictures), motion(changed)
    assert np.allclose(near[: 80 - REACH - 1], other[: 80 - REACH - 1], atol=1e-4)
    assert not np.allclose(near[80 - REACH], other[80 - REACH], atol=1e-4)


def test_a_span_of_two_is_motion_of_every_second_frame(uploads: dict[str, Film]) -> None:
    pictures = uploads["25"].track.pictures[100:200]
    change = slice(0, HEIGHT * WIDTH)
    assert np.allclose(motion(pictures, span=2)[:-2:2, change], motion(pictures[::2])[:-1, change], atol=1e-5)


@pytest.mark.parametrize("n_frames", [1, 2, 3])
def test_so_few_frames_still_have_a_row_each(n_frames: int) -> None:
    pictures = np.zeros((n_frames, HEIGHT, WIDTH), np.uint8)
    for span in (1, 2):
        assert motion(pictures, span=span).shape == (n_frames, 2 * HEIGHT * WIDTH)
