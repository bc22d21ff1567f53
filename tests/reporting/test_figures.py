"""The picture of the four quadrants shows one row of each, whatever the split looks like."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avfake.audio.io import SAMPLE_RATE, save_flac
from avfake.errors import AvfakeError, ClipError
from avfake.manifest.schema import INDEX_SCHEMA, SPLIT_SCHEMA, SPLITS, Quadrant
from avfake.manifest.table import write_rows
from avfake.reporting.figures import choose_rows, four_quadrants
from avfake.reporting.frames import film_strip

Build = Callable[[list[tuple[str, str, Quadrant]]], Path]


def _row(group: str, clip: str, quadrant: Quadrant) -> dict[str, Any]:
    return {
        "sample_id": f"demo/{clip}/{quadrant}",
        "corpus": "demo",
        "split": "train",
        "quadrant": quadrant.value,
        "video_label": quadrant.video_label,
        "audio_label": quadrant.audio_label,
        "label": quadrant.label,
        "clip_id": clip,
        "identity_group": group,
        "video_method": "blend" if quadrant.video_label else None,
        "vocoder": "world" if quadrant.audio_label else None,
        "video_path": "square.mp4",
        "audio_path": "audio/tone.flac",
        "audio_clip_id": clip,
        "start_s": 0.0,
        "duration_s": 0.8,
        "sample_rate": SAMPLE_RATE,
        "n_samples": int(0.8 * SAMPLE_RATE),
        "pad_s": 0.0,
        "audio_sha256": "",
    }


def _video(path: Path, *, width: int = 64, height: int = 48, n_frames: int = 20) -> None:
    """Frames that grow brighter, 25 a second."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(n_frames):
            picture = np.full((height, width, 3), 10 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Makes a workspace with one corpus of one clip, and a split of the given rows."""

    def make(rows: list[tuple[str, str, Quadrant]]) -> Path:
        corpus, workspace = tmp_path / "clips", tmp_path / "data"
        corpus.mkdir()
        _video(corpus / "square.mp4")
        tone = 0.3 * np.sin(np.arange(int(0.8 * SAMPLE_RATE)) * 0.1).astype(np.float32)
        save_flac(workspace / "audio/tone.flac", tone, SAMPLE_RATE)
        write_rows(workspace / "index/demo.parquet", [], INDEX_SCHEMA, {"root": str(corpus)})
        for name in SPLITS:
            chosen = [_row(*row) for row in rows] if name == "train" else []
            write_rows(workspace / f"splits/demo/{name}.parquet", chosen, SPLIT_SCHEMA, {})
        return workspace

    return make


def test_picture_is_a_png_1000_pixels_wide(build: Build, tmp_path: Path) -> None:
    workspace = build([("a", "clip", quadrant) for quadrant in Quadrant])
    picture = tmp_path / "four-quadrants.png"
    four_quadrants(workspace, "demo", picture)
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", head[16:24]) == (1000, 620)


def test_rows_come_from_one_group_and_from_one_clip_where_possible(build: Build) -> None:
    incomplete = [("a", "a1", Quadrant.REAL_REAL), ("a", "a2", Quadrant.FAKE_REAL)]
    real = [("b", "b1", Quadrant.REAL_REAL), ("b", "b2", Quadrant.REAL_REAL), ("b", "b2", Quadrant.REAL_FAKE)]
    fake = [("b", "b3", Quadrant.FAKE_REAL), ("b", "b4", Quadrant.FAKE_FAKE)]
    chosen = choose_rows(build([*incomplete, *real, *fake]) / "splits/demo")
    assert [row["clip_id"] for row in chosen.values()] == ["b2", "b2", "b3", "b4"]
    assert list(chosen) == list(Quadrant)


def test_split_without_all_quadrants_says_so(build: Build, tmp_path: Path) -> None:
    workspace = build([("a", "clip", Quadrant.REAL_REAL)])
    with pytest.raises(AvfakeError, match="no identity group has rows of all four quadrants"):
        four_quadrants(workspace, "demo", tmp_path / "picture.png")
    with pytest.raises(AvfakeError, match="is no finished split"):
        four_quadrants(workspace, "absent", tmp_path / "picture.png")


def test_film_strip_shows_frames_of_its_window_in_order(tmp_path: Path) -> None:
    _video(tmp_path / "ramp.mp4")
    strip = film_strip(tmp_path / "ramp.mp4", start_s=0.2, duration_s=0.6, n_frames=3, size=16, gap=2)
    assert strip.shape == (16, 52, 3)
    shown = [strip[:, start : start + 16].mean() for start in (0, 18, 36)]
    assert shown == pytest.approx([80, 130, 180], abs=12)  # frames 8, 13 and 18


def test_film_strip_repeats_the_last_frame_of_a_short_video(tmp_path: Path) -> None:
    _video(tmp_path / "short.mp4", n_frames=3)
    strip = film_strip(tmp_path / "short.mp4", start_s=0.0, duration_s=2.0, n_frames=2, size=16)
    assert strip[:, -16:].mean() == pytest.approx(20, abs=6)


def test_film_strip_of_no_video_fails_the_clip(tmp_path: Path) -> None:
    (tmp_path / "page.mp4").write_text("<html>not found</html>")
    for name in ("page.mp4", "absent.mp4"):
        with pytest.raises(ClipError, match="web page|cannot be found"):
            film_strip(tmp_path / name, start_s=0.0, duration_s=1.0)
