import numpy as np
import pytest
from scipy.fft import dctn

from avfake.faces.mouth import N_PATTERNS, N_SHAPES, darkness, mouth_coefficients, mouth_shapes
from avfake.faces.template import CROP_SIZE, template
from tests.talking_heads import talk


def grey(level: int = 100, n_crops: int = 1) -> np.ndarray:
    return np.full((n_crops, CROP_SIZE, CROP_SIZE, 3), level, np.uint8)


def test_coefficients_are_the_lowest_of_scipys_transform() -> None:
    patches = np.random.default_rng(0).random((3, 20, 24)).astype(np.float32)
    wanted = dctn(patches, axes=(1, 2), norm="ortho")[:, :N_PATTERNS, :N_PATTERNS]
    np.testing.assert_allclose(mouth_coefficients(patches), wanted.reshape(3, N_SHAPES), atol=1e-5)


def test_light_changes_nothing_but_the_mean() -> None:
    crops = talk(0).crops[:4]
    dimmed = np.rint(crops * 0.7).astype(np.uint8)
    change = mouth_shapes(dimmed) - mouth_shapes(crops)
    assert np.abs(change[:, 0]).min() > 3
    assert np.abs(change[:, 1:]).max() < 0.3


def test_only_the_mouth_counts() -> None:
    crops = grey()
    around = crops.copy()
    middle_x, middle_y = np.rint(template()[3:].mean(axis=0)).astype(int)
    around[:] = 255
    kept = slice(middle_y - 15, middle_y + 15), slice(middle_x - 15, middle_x + 15)
    around[0, kept[0], kept[1]] = crops[0, kept[0], kept[1]]
    np.testing.assert_array_equal(mouth_shapes(around), mouth_shapes(crops))


@pytest.mark.parametrize(("down", "darker"), [(0, True), (9, False)])
def test_darkness_is_that_of_the_middle(down: int, darker: bool) -> None:
    crops = grey(n_crops=2)
    middle_x, middle_y = np.rint(template()[3:].mean(axis=0)).astype(int)
    row = middle_y + down
    crops[1, row - 2 : row + 2, middle_x - 5 : middle_x + 5] = 20
    before, after = mouth_shapes(crops) @ darkness()
    assert (after - before > 5) == darker


def test_a_drawn_mouth_that_opens_moves_the_shapes() -> None:
    assert (
        mouth_shapes(talk(0).crops).std(axis=0).mean()
        > 2 * mouth_shapes(talk(0, silent_mouth=True).crops).std(axis=0).mean()
    )
