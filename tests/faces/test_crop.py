"""A crop shows what lies under it: to a hundredth of a pixel, without aliasing, and beyond the edge too."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from avfake.faces.crop import crop_face
from avfake.faces.template import CROP_SIZE

Picture = NDArray[np.uint8]
SCALES = [0.11, 0.3, 0.49, 0.51, 0.8, 1.0, 1.7]
PLACE = (230.4, 190.7)  # in the picture, of the crop's middle


def transform(scale: float, degrees: float = 17.0, place: tuple[float, float] = PLACE) -> NDArray[np.float32]:
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, CROP_SIZE / 2 - turn @ place]).astype(np.float32)


def places(matrix: NDArray[np.float32], finer: int = 1) -> NDArray[np.float64]:
    """Where the centres of the crop's pixels, or of finer ones, lie in the picture, [2, rows, columns]."""
    centres = (np.arange(CROP_SIZE * finer) + 0.5) / finer
    x, y = np.meshgrid(centres, centres)
    found = np.linalg.inv(np.vstack([matrix, [0, 0, 1]])) @ np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    return found[:2].reshape(2, *x.shape)


def means(layer: NDArray[np.uint8], matrix: NDArray[np.float32], finer: int) -> NDArray[np.float64]:
    """Of each pixel of the crop, the mean of what lies under it in one colour, as SciPy samples it."""
    x, y = places(matrix, finer) - 0.5
    samples = map_coordinates(layer.astype(np.float64), [y, x], order=3, mode="nearest")
    return samples.reshape(CROP_SIZE, finer, CROP_SIZE, finer).mean(axis=(1, 3))


def mottled(smoothness: float, size: tuple[int, int] = (400, 500)) -> Picture:
    noise = gaussian_filter(np.random.default_rng(0).standard_normal((*size, 3)), (smoothness, smoothness, 0))
    return np.clip(128 + 50 * noise / noise.std(), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def ramps() -> Picture:
    x, y = np.meshgrid(np.arange(1500, dtype=np.float32) + 0.5, np.arange(1500, dtype=np.float32) + 0.5)
    return np.rint(ramp(x, y)).astype(np.uint8)


def ramp(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.clip(np.stack([x / 6, y / 6, 120 + (x - y) / 12], axis=-1), 0, 255)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("degrees", [0.0, 17.0, -140.0])
def test_a_ramp_stays_the_ramp_it_is(ramps: Picture, scale: float, degrees: float) -> None:
    matrix = transform(scale, degrees, (750, 745))
    difference = crop_face(ramps, matrix) - ramp(*places(matrix))
    assert abs(difference.mean()) < 0.03  # half a pixel of the picture would be 0.08
    assert np.abs(difference).max() < 1.0  # half of it is rounding


@pytest.mark.parametrize("scale", [0.15, 0.49, 0.8, 1.7])
def test_a_crop_agrees_with_scipy(scale: float) -> None:
    picture = mottled(max(1.5, 1.0 / scale), (900, 800))
    matrix = transform(scale, place=(410.3, 440.8))
    difference = crop_face(picture, matrix)[..., 1] - means(picture[..., 1], matrix, finer=4)
    assert np.sqrt((difference**2).mean()) < 2.5  # of a spread of 50
    assert abs(difference.mean()) < 0.1


@pytest.mark.parametrize("scale", [0.15, 0.45, 0.7, 1.0])
def test_what_is_too_fine_for_the_crop_vanishes(scale: float) -> None:
    x, y = np.meshgrid(np.arange(1200, dtype=np.float32), np.arange(1200, dtype=np.float32))
    spreads = {}
    for per_pixel in (0.1, 0.25, 1.1):  # waves in a pixel of the crop; half a wave is the finest it can show
        if per_pixel * scale < 0.5:
            wave = 127.5 + 100 * np.cos(2 * np.pi * per_pixel * scale * (0.8 * x + 0.6 * y))
            picture = np.repeat(np.rint(wave).astype(np.uint8)[..., None], 3, axis=2)
            spreads[per_pixel] = crop_face(picture, transform(scale, place=(600, 600))).std() / (100 / 2**0.5)
    assert spreads[0.1] > 0.95
    assert spreads[0.25] > 0.85
    assert spreads.get(1.1, 0.0) < 0.12


def test_sharpness_does_not_leap_with_the_size_of_the_face() -> None:
    picture = mottled(1.0, (700, 700))
    scales = np.linspace(0.35, 0.75, 41)
    spreads = [crop_face(picture, transform(scale, place=(350, 350))).std() for scale in scales]
    assert np.abs(np.diff(np.log(spreads))).max() < 0.04


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("place", [(3.0, 5.0), (160.0, 90.0), (-400.0, 50.0)])
def test_beyond_the_edge_the_outermost_pixels_go_on(scale: float, place: tuple[float, float]) -> None:
    picture, beyond = mottled(3.0 / min(scale, 1.0), (100, 160)), 1600
    larger = np.pad(picture, [(beyond, beyond), (beyond, beyond), (0, 0)], mode="edge")
    moved = place[0] + beyond, place[1] + beyond
    found, expected = (
        crop_face(source, transform(scale, place=where)).astype(float)
        for source, where in ((picture, place), (larger, moved))
    )
    assert np.abs(found - expected).mean() < 1.5
    assert np.percentile(np.abs(found - expected), 99) < 8


def test_one_colour_stays_one_colour() -> None:
    picture = np.full((90, 120, 3), (250, 3, 128), np.uint8)
    for scale in SCALES:
        assert (crop_face(picture, transform(scale, place=(10, 80))) == picture[0, 0]).all()


def test_smaller_crops_show_the_same() -> None:
    picture = mottled(4.0)
    full, half = (crop_face(picture, transform(0.6), size=size).astype(float) for size in (112, 56))
    assert half.shape == (56, 56, 3)
    assert np.abs(full.reshape(56, 2, 56, 2, 3).mean(axis=(1, 3)) - half).mean() < 1.0


def test_a_picture_of_one_pixel_can_be_cut() -> None:
    assert (crop_face(np.full((1, 1, 3), 77, np.uint8), transform(30.0, place=(0.5, 0.5))) == 77).all()
