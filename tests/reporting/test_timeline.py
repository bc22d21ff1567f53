"""The picture of a prediction shows what was judged, whatever of it there is."""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from avfake.reporting.figures import FAKE, REAL
from avfake.reporting.timeline import Timeline, draw_timeline

Change = Callable[[Timeline], Timeline]


def make_timeline(n_windows: int = 4, **changes: object) -> Timeline:
    starts_s = np.arange(n_windows, dtype=float)
    duration_s = n_windows + 2.0
    shades = np.linspace(0, 255, round(10 * duration_s)).astype(np.uint8)
    timeline = Timeline(
        name="a $talk$ — 会話_1.mp4",
        verdict="fake video",
        fake=True,
        summary="video 0.90, audio 0.10, whole 0.80",
        starts_s=starts_s,
        ends_s=starts_s + 3,
        p={
            "video": np.full(n_windows, 0.9),
            "audio": np.full(n_windows, 0.1),
            "whole": np.full(n_windows, 0.8),
        },
        crops=np.broadcast_to(shades[:, None, None, None], (len(shades), 16, 16, 3)),
        waveform=np.sin(np.arange(round(2205 * duration_s)) * 0.3).astype(np.float32),
        duration_s=duration_s,
        threshold=0.5,
        notes=("It shows 2 faces; the most prominent one is judged.",),
    )
    return replace(timeline, **changes)


def drawn(path: Path, timeline: Timeline) -> np.ndarray:
    draw_timeline(path, timeline)
    return np.rint(255 * imread(path)[..., :3]).astype(int)


def share(picture: np.ndarray, colour: str) -> float:
    """Share of pixels that are exactly of a colour."""
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return float((picture == wanted).all(axis=-1).mean())


def test_picture_is_a_png_1300_pixels_wide(tmp_path: Path) -> None:
    draw_timeline(tmp_path / "a.png", make_timeline())
    head = (tmp_path / "a.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", head[16:24]) == (1300, 637)


def test_colour_of_the_verdict_is_fakes_or_reals(tmp_path: Path) -> None:
    fake = drawn(tmp_path / "fake.png", make_timeline())[:80, 1000:]
    real = drawn(tmp_path / "real.png", make_timeline(verdict="real", fake=False))[:80, 1000:]
    assert share(fake, FAKE) > 0.05 > share(fake, REAL) == 0
    assert share(real, REAL) > 0.02 > share(real, FAKE) == 0


def test_a_curve_lies_as_high_as_its_probability(tmp_path: Path) -> None:
    p = {"video": np.full(4, 0.25), "audio": np.full(4, 0.75), "whole": np.full(4, 1.0)}
    curves = drawn(tmp_path / "a.png", make_timeline(p=p))[300:560, 300:900]
    heights = {}
    for name, colour in (("video", (204, 121, 167)), ("audio", (0, 158, 115)), ("whole", (26, 26, 26))):
        rows = (np.abs(curves - np.array(colour)).sum(axis=-1) < 12).mean(axis=1)
        heights[name] = np.flatnonzero(rows > 0.8).mean()
    quarter = heights["audio"] - heights["whole"]
    assert quarter > 20
    assert heights["video"] - heights["audio"] == pytest.approx(2 * quarter, abs=3)


def test_film_strip_runs_with_time(tmp_path: Path) -> None:
    strip = drawn(tmp_path / "a.png", make_timeline())[100:180, 80:1140]
    shades = [strip[:, 90 * number + 20 : 90 * number + 60].mean() for number in range(11)]
    assert (np.diff(shades) > 10).all()


def test_what_was_not_judged_has_no_curve_and_no_colour(tmp_path: Path) -> None:
    video = np.array([0.25, np.nan, np.nan, np.nan, np.nan, np.nan, 0.25, 0.25])
    timeline = make_timeline(8, p={"video": video, "audio": np.full(8, 0.75)})
    picture = drawn(tmp_path / "a.png", timeline)
    purple = (np.abs(picture[300:560] - np.array((204, 121, 167))).sum(axis=-1) < 12).any(axis=0)
    left, right = 72 + round(1078 * 3 / 10), 72 + round(1078 * 6 / 10)  # seconds 3 to 6 have no judged window
    assert not purple[left:right].any()
    assert purple[right + 180 : 980].all()
    bar = picture[185:195]
    assert (bar[:, left + 5 : right - 5] > 240).all()
    assert (bar[:, right + 20 : 1140] < 240).any(axis=(0, 2)).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda timeline: replace(timeline, crops=None, p={"audio": timeline.p["audio"]}),
        lambda timeline: replace(timeline, waveform=None, p={"video": timeline.p["video"]}),
        lambda timeline: replace(timeline, waveform=np.zeros(100, np.float32)),
        lambda timeline: replace(timeline, crops=timeline.crops[:1]),
        lambda timeline: replace(timeline, name="x" * 300, notes=("y" * 300,)),
        lambda _: make_timeline(1),
        lambda _: make_timeline(400),
    ],
    ids=["no face", "no sound", "silence", "one crop", "long name", "one window", "minutes"],
)
def test_whatever_there_is_is_drawn_without_a_warning(
    tmp_path: Path, change: Change, recwarn: pytest.WarningsRecorder
) -> None:
    picture = drawn(tmp_path / "a.png", change(make_timeline()))
    assert picture.shape == (637, 1300, 3)
    assert not [str(warning.message) for warning in recwarn]
