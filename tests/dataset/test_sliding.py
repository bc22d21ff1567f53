import numpy as np
import pytest

from avfake.dataset.sliding import aggregate, window_starts


@pytest.mark.parametrize(
    ("n_frames", "hop_s", "starts"),
    [
        (1, 3.0, [0]),
        (30, 1.0, [0]),
        (31, 3.0, [0, 1]),
        (60, 3.0, [0, 30]),
        (61, 3.0, [0, 30, 31]),
        (52, 1.0, [0, 10, 20, 22]),
        (33, 0.1, [0, 1, 2, 3]),
    ],
)
def test_starts_of_windows(n_frames: int, hop_s: float, starts: list[int]) -> None:
    assert window_starts(n_frames, hop_s=hop_s).tolist() == starts


@pytest.mark.parametrize("hop_s", [0.1, 0.5, 1.5, 3.0])
def test_windows_cover_a_clip_and_nothing_beyond(hop_s: float) -> None:
    for n_frames in range(30, 130):
        starts = window_starts(n_frames, hop_s=hop_s)
        covered = np.unique(starts[:, None] + np.arange(30))
        assert covered.tolist() == list(range(n_frames))
        assert (np.diff(starts) > 0).all()
        assert (np.diff(starts)[:-1] == round(10 * hop_s)).all()


@pytest.mark.parametrize("hop_s", [0.0, 0.05, 3.1, -1.0])
def test_hop_off_the_grid_is_refused(hop_s: float) -> None:
    with pytest.raises(ValueError, match="hop_s"):
        window_starts(100, hop_s=hop_s)


def test_aggregation_is_the_mean_or_the_largest_of_a_clip() -> None:
    probabilities = np.array([0.1, 0.9, 0.4, 0.2, 0.6], np.float32)
    clip = np.array([1, 0, 1, 1, 0])
    np.testing.assert_allclose(aggregate(probabilities, clip), [0.75, 0.7 / 3], rtol=1e-6)
    np.testing.assert_array_equal(aggregate(probabilities, clip, "max"), probabilities[[1, 2]])


def test_aggregation_keeps_heads_apart() -> None:
    probabilities = np.random.default_rng(0).random((7, 3))
    clip = np.array([0, 0, 1, 2, 2, 2, 1])
    for how in ("mean", "max"):
        alone = [aggregate(probabilities[:, head], clip, how) for head in range(3)]
        np.testing.assert_array_equal(aggregate(probabilities, clip, how), np.stack(alone, axis=1))


def test_aggregation_refuses_what_it_cannot_join() -> None:
    with pytest.raises(ValueError, match="each clip must have one"):
        aggregate(np.zeros(2), np.array([0, 2]))
    with pytest.raises(ValueError, match="aggregation='median' is unknown"):
        aggregate(np.zeros(1), np.array([0]), "median")
