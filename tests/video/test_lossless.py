"""Pictures come back bit for bit, any run of them, and a file that is broken or another kind says so."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.errors import ClipError
from avfake.video.lossless import read_pictures, write_pictures
from tests.dummies import write_clip


def noise(n_frames: int, height: int = 16, width: int = 24) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n_frames, height, width, 3), np.uint8)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 15, 17), (12, 112, 112)])
def test_pictures_come_back_bit_for_bit(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    pictures = noise(*shape)
    write_pictures(tmp_path / "crops.avi", pictures, fps=10)
    assert np.array_equal(read_pictures(tmp_path / "crops.avi"), pictures)


@pytest.mark.parametrize(
    ("start", "n_frames"), [(0, 1), (13, 30), (46, 5), (47, 3), (60, 1), (5, None), (0, 0)]
)
def test_any_run_is_a_slice(tmp_path: Path, start: int, n_frames: int | None) -> None:
    pictures = noise(47)
    write_pictures(tmp_path / "crops.avi", pictures, fps=10)
    end = None if n_frames is None else start + n_frames
    assert np.array_equal(
        read_pictures(tmp_path / "crops.avi", start=start, n_frames=n_frames), pictures[start:end]
    )


def test_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.avi", "b.avi"):
        write_pictures(tmp_path / name, noise(5), fps=10)
    assert (tmp_path / "a.avi").read_bytes() == (tmp_path / "b.avi").read_bytes()


def test_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "crops.avi"
    write_pictures(path, noise(20), fps=10)
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(ClipError):
        read_pictures(path)


def test_video_with_loss_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", None, size=16)
    with pytest.raises(ClipError, match="not lossless"):
        read_pictures(path)


def test_what_are_no_pictures_is_refused(tmp_path: Path) -> None:
    for wrong in (noise(2)[..., 0], noise(2).astype(np.float32), noise(0)):
        with pytest.raises(ValueError, match="uint8"):
            write_pictures(tmp_path / "crops.avi", wrong, fps=10)
    assert not (tmp_path / "crops.avi").exists()
