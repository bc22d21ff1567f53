"""The reliability diagram shows every bin where it lies."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imread

from avfake.evaluation.metrics import reliability
from avfake.reporting.reliability import draw_reliability


def bins_of(labels: np.ndarray, p: np.ndarray) -> list[dict[str, Any]]:
    return [found._asdict() for found in reliability(labels, p)]


def red_of(path: Path) -> int:
    """Pixels in the colour of what is missing to the diagonal, vermillion over white."""
    picture = np.rint(255 * imread(path)[..., :3]).astype(int)
    return int((np.abs(picture - np.array([230, 158, 102])).sum(axis=-1) < 40).sum())


def test_a_panel_per_head(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(size=200)
    bins = bins_of((rng.uniform(size=200) < p).astype(np.int64), p)
    draw_reliability(tmp_path / "a.png", {"video": bins, "audio": bins, "whole": bins})
    head = (tmp_path / "a.png").read_bytes()[:24]
    assert struct.unpack(">II", head[16:24]) == (1000, 460)


def test_what_is_not_calibrated_shows(tmp_path: Path) -> None:
    p = np.repeat([0.05, 0.5, 0.95], 20)
    right, wrong = np.repeat([0, 0, 1, 1], [20, 10, 10, 20]), np.repeat([1, 0, 1, 0], [20, 10, 10, 20])
    draw_reliability(tmp_path / "right.png", {"video": bins_of(right, p)})
    draw_reliability(tmp_path / "wrong.png", {"video": bins_of(wrong, p)})
    draw_reliability(tmp_path / "again.png", {"video": bins_of(wrong, p)})
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "wrong.png").read_bytes()
    assert red_of(tmp_path / "wrong.png") > 20 * (red_of(tmp_path / "right.png") + 1)
