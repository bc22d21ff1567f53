import numpy as np
import pytest
import torch

from avfake.errors import ClipError
from avfake.faces.syncnet import SyncNet
from avfake.faces.syncnet_score import LONGEST_SHIFT, Distances, measure, place_mouths, place_sounds

BOX = np.array([30.0, 20.0, 90.0, 120.0])


class Mean(SyncNet):
    """Places windows by what is in them, so that what they were made of can be read from the place."""

    def place_mouth(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures.mean(dim=(3, 4)).flatten(1)  # [windows, channel x frame]

    def place_sound(self, coefficients: torch.Tensor) -> torch.Tensor:
        return coefficients[:, 0]


@pytest.fixture(scope="module")
def network() -> SyncNet:
    return Mean().eval()


def places(n_windows: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((n_windows, 8)))


@pytest.mark.parametrize("late", [-7, 0, 3])
def test_a_late_sound_is_nearest_later(late: int) -> None:
    """The sound that belongs to a mouth stands ``late`` windows behind it."""
    around = places(80)
    found = measure(around[20:60], around[20 - late : 60 - late])
    assert found.mean.shape == (2 * LONGEST_SHIFT + 1,)
    assert found.lag_s == late / 25
    assert found.mean.min() < 0.6 * np.median(found.mean)


def test_confidence_is_median_less_least_within_reach() -> None:
    mean = np.full(2 * LONGEST_SHIFT + 1, 12.0)
    mean[LONGEST_SHIFT + 2], mean[LONGEST_SHIFT + 9] = 9.0, 7.0
    found = Distances(mean)
    assert found.lag_s == 9 / 25
    assert found.within(0.2) == (3.0, 2 / 25)
    assert found.within(0.6) == (5.0, 9 / 25)


def test_distance_is_that_of_the_window_beside() -> None:
    mouths, sounds = places(3), places(5, seed=1)
    beside = measure(mouths, sounds).mean[LONGEST_SHIFT]
    assert beside == pytest.approx(np.linalg.norm(mouths - sounds[:3], axis=1).mean())


def test_nothing_to_compare_is_a_reason() -> None:
    with pytest.raises(ClipError, match=r"shorter than one window of SyncNet, 0\.2 s"):
        measure(places(0), places(4))


def test_windows_begin_with_every_picture(network: SyncNet) -> None:
    pictures = [np.full((160, 120, 3), 10 * number, np.uint8) for number in range(20)]
    found = place_mouths(network, pictures, np.tile(BOX, (20, 1)))
    assert found.shape == (16, 15)
    assert found[3].reshape(3, 5).tolist() == [[30.0, 40.0, 50.0, 60.0, 70.0]] * 3


def test_pictures_are_shown_in_blue_green_red(network: SyncNet) -> None:
    red = np.zeros((160, 120, 3), np.uint8)
    red[..., 0] = 200
    found = place_mouths(network, [red] * 5, np.tile(BOX, (5, 1))).reshape(3, 5)
    assert found[:, 0].tolist() == [0.0, 0.0, 200.0]


def test_a_square_around_the_face_is_shown(network: SyncNet) -> None:
    """As in the authors' pipeline: 1.4 times the box's longer side wide, from its upper edge down."""
    picture = np.zeros((400, 400, 3), np.uint8)
    box = np.array([150.0, 100.0, 230.0, 200.0])
    picture[100:240, 120:260] = 100  # 1.4 x 100 pixels around x = 190, from y = 100
    found = place_mouths(network, [picture] * 5, np.tile(box, (5, 1)))
    assert found.mean() == pytest.approx(100, abs=1.5)
    picture[:] = 100 - picture
    found = place_mouths(network, [picture] * 5, np.tile(box, (5, 1)))
    assert found.mean() == pytest.approx(0, abs=1.5)


def test_sound_windows_are_a_fifth_of_a_second_every_picture(network: SyncNet) -> None:
    coefficients = np.arange(52 * 13, dtype=np.float32).reshape(52, 13)
    found = place_sounds(network, coefficients)
    assert found.shape == (9, 20)
    assert found[2].tolist() == [13.0 * frame for frame in range(8, 28)]
    assert len(place_sounds(network, coefficients[:19])) == 0
