from pathlib import Path

import numpy as np
import pytest

from avfake.audio.io import SAMPLE_RATE, load_flac, save_flac
from avfake.dataset.window import count_frames, read_sound
from avfake.errors import ClipError, ErrorKind
from tests.dummies import speech_like


def test_any_part_of_a_sound_is_that_part_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    save_flac(path, speech_like(4.0), SAMPLE_RATE)
    whole, _ = load_flac(path)
    for start, n_samples in ((0, 10), (1, 4095), (22_050, 66_150), (88_199, 50), (88_200, 5), (90_000, 5)):
        part = read_sound(path, start=start, n_samples=n_samples)
        np.testing.assert_array_equal(part, whole[start : start + n_samples])
        assert part.dtype == np.float32


def test_stereo_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.flac"
    save_flac(path, np.zeros((100, 2), np.float32), SAMPLE_RATE)
    with pytest.raises(ClipError, match="2 channels of 22050 Hz, wanted 1 of 22050 Hz"):
        read_sound(path, start=0, n_samples=10)


def test_missing_sound_is_told_from_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "b.flac").write_bytes(b"fLaC")
    for name, kind in (("a.flac", ErrorKind.NOT_FOUND), ("b.flac", ErrorKind.CORRUPT)):
        with pytest.raises(ClipError) as caught:
            read_sound(tmp_path / name, start=0, n_samples=10)
        assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("n_samples", "n_frames"), [(1, 1), (2205, 1), (3307, 1), (3308, 2), (66_150, 30), (66_149, 30)]
)
def test_pictures_are_counted_to_half_a_picture(n_samples: int, n_frames: int) -> None:
    assert count_frames(n_samples) == n_frames
