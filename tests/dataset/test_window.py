import numpy as np
import pytest

from avfake.dataset.window import count_frames, fill_pictures, fill_sound


@pytest.mark.parametrize(
    ("n_samples", "n_frames"), [(1, 1), (2205, 1), (3307, 1), (3308, 2), (66_150, 30), (66_149, 30)]
)
def test_pictures_are_counted_to_half_a_picture(n_samples: int, n_frames: int) -> None:
    assert count_frames(n_samples) == n_frames


@pytest.mark.parametrize(("n_shown", "n_frames"), [(7, 10), (10, 10), (13, 10)])
def test_a_window_is_cut_or_black_and_silent_behind_the_end(n_shown: int, n_frames: int) -> None:
    pictures = np.random.default_rng(0).integers(1, 256, (n_shown, 6, 4, 3)).astype(np.uint8)
    waveform = np.random.default_rng(1).uniform(0.1, 1, n_shown * 2205).astype(np.float32)
    video, audio = fill_pictures(pictures, n_frames), fill_sound(waveform, n_frames)
    n_kept = min(n_shown, n_frames)
    assert video.shape == (3, n_frames, 6, 4)
    assert len(audio) == n_frames * 2205
    np.testing.assert_array_equal(video[:, :n_kept].transpose(1, 2, 3, 0), pictures[:n_kept])
    np.testing.assert_array_equal(audio[: n_kept * 2205], waveform[: n_kept * 2205])
    assert not video[:, n_kept:].any()
    assert not audio[n_kept * 2205 :].any()
