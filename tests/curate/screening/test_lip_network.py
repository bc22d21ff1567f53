from pathlib import Path

import numpy as np
import pytest

from avfake.curate.screening.lip_network import LipNetwork, _at_25_fps
from avfake.curate.task import Task
from tests.dummies import write_clip


def test_boxes_lie_between_those_of_sampled_pictures() -> None:
    boxes = np.arange(10, dtype=np.float32)[:, None] * [10, 20, 30, 40]
    found = _at_25_fps(boxes)
    assert found.shape == (25, 4)
    np.testing.assert_allclose(found[5], boxes[2])
    np.testing.assert_allclose(found[1], [4, 8, 12, 16])


@pytest.mark.parametrize(("fps", "step"), [(25, 1), (50, 2)])
def test_pictures_are_twenty_five_a_second(tmp_path: Path, fps: int, step: int) -> None:
    """Of a video that brightens by one with every frame."""
    write_clip(tmp_path / "a.mp4", None, duration_s=2.0, fps=fps)
    task = Task("folk", "a", "0", {"video_path": "a.mp4"})
    network = LipNetwork(tmp_path, tmp_path, tmp_path / "weights")
    levels = [float(picture.mean()) for picture in network._pictures(task, None)]
    assert len(levels) == 50
    np.testing.assert_allclose(np.diff(levels), step, atol=1.6)
    assert levels[-1] - levels[0] == pytest.approx(step * 49, abs=2.5)
