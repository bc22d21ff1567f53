"""A gap in a clip is found where it is, to the frame."""

import numpy as np
import pytest

from avfake.video.jumps import jumps, settle
from avfake.video.motion import REACH
from avfake.video.pace import paces
from tests.video.shooting import Film, joined, part_of, shoot


@pytest.mark.parametrize("late", [-REACH, -3, 0, 7, REACH])
def test_a_jump_is_moved_to_its_frame(uploads: dict[str, Film], late: int) -> None:
    upload = uploads["25"].track
    clip = part_of(upload, joined(range(200, 240), range(246, 290)))
    pace = next(paces(clip, upload))
    settled = settle(clip, upload, pace, offsets := np.repeat([200, 206], [40 + late, 44 - late]))
    assert settled.tolist() == [200] * 40 + [206] * 44
    assert jumps(offsets).tolist() == [40 + late]


def test_a_jump_in_two_steps_is_made_in_one(takes, uploads: dict[str, Film], tmp_path) -> None:
    upload = uploads["25"]
    numbers = joined(range(200, 240), range(252, 290))
    film = shoot(tmp_path / "clip.mp4", takes, upload.times_s[numbers], size=(426, 240), crf=35)
    pace = next(paces(film.track, upload.track))
    offsets = np.repeat([200, 208, 212], [32, 8, 38])
    settled = settle(film.track, upload.track, pace, offsets)
    assert settled.tolist() == [200] * 40 + [212] * 38


def test_a_clip_without_gaps_is_left_as_it_is(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    clip = part_of(upload, slice(200, 240))
    offsets = np.full(40, 3)
    assert settle(clip, upload, next(paces(clip, upload)), offsets) is offsets
