import numpy as np
import pytest
import torch

from avfake.dataset.pictures import scale_pictures, shrink


@pytest.mark.parametrize("size", [112, 56, 28, 16, 1])
def test_area_averages_are_those_of_torch(size: int) -> None:
    planes = np.random.default_rng(0).integers(0, 256, (3, 2, 112, 112), np.uint8)
    means = torch.nn.functional.interpolate(torch.from_numpy(planes).double(), size=(size, size), mode="area")
    np.testing.assert_array_equal(shrink(planes, size), np.floor(means.numpy() + 0.5))


def test_white_stays_white() -> None:
    assert (shrink(np.full((1, 112, 112), 255, np.uint8), 7) == 255).all()


def test_scaled_pictures_lie_in_0_to_1() -> None:
    video = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert torch.equal(scale_pictures(video), torch.tensor([0, 0.2, 1.0]))
    assert video.tolist() == [0, 51, 255]
