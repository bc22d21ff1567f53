import colorsys

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy.fft import dctn

from avfake.dataset.transforms import (
    add_grain,
    add_noise,
    blur,
    change_colour,
    change_speed,
    compress_jpeg,
    flip,
)
from avfake.dataset.window import Footage
from tests.dataset.making import moving_square
from tests.dummies import clicks, tone

RNG_SEED = 5


def test_flip_twice_is_identity() -> None:
    pictures = moving_square(3)
    assert not np.array_equal(flip(pictures), pictures)
    np.testing.assert_array_equal(flip(flip(pictures)), pictures)
    np.testing.assert_array_equal(flip(pictures)[1], np.asarray(Image.fromarray(pictures[1]).transpose(0)))


def test_colour_factors_of_one_change_nothing() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    same = change_colour(pictures, brightness=1, contrast=1, saturation=1)
    assert np.abs(same.astype(int) - pictures).max() <= 1


def test_each_colour_factor_does_what_it_says() -> None:
    pictures = np.random.default_rng(0).integers(60, 180, (2, 8, 8, 3), np.uint8)
    values = pictures.astype(float)
    luma = values @ [0.299, 0.587, 0.114]
    bright = change_colour(pictures, brightness=1.2, contrast=1, saturation=1)
    assert np.abs(bright - 1.2 * values).max() <= 0.51
    grey = change_colour(pictures, brightness=1, contrast=1, saturation=0)
    assert np.abs(grey - luma[..., None]).max() <= 0.51
    flat = change_colour(pictures, brightness=1, contrast=0.5, saturation=1)
    assert flat.std() == pytest.approx(values.std() / 2, rel=0.02)
    assert (flat @ [0.299, 0.587, 0.114]).mean() == pytest.approx(luma.mean(), abs=0.3)
    strong = change_colour(pictures, brightness=1, contrast=1, saturation=1.1)
    pixels = [tuple(picture[0, 0, 0] / 255) for picture in (pictures, strong)]
    assert colorsys.rgb_to_hsv(*pixels[1])[0] == pytest.approx(colorsys.rgb_to_hsv(*pixels[0])[0], abs=0.01)


def test_blur_is_pillows() -> None:
    picture = moving_square(1)
    theirs = np.asarray(Image.fromarray(picture[0]).filter(ImageFilter.GaussianBlur(1.5)))
    error = np.abs(blur(picture, sigma=1.5)[0].astype(int) - theirs)[8:-8, 8:-8]
    assert error.mean() < 0.5
    assert error.max() <= 12  # Pillow's is three box filters
    assert np.abs(picture[0].astype(int) - theirs)[8:-8, 8:-8].max() > 40


@pytest.mark.parametrize("quality", [30, 50, 80])
def test_jpeg_leaves_multiples_of_the_standards_steps(quality: int) -> None:
    grey = np.random.default_rng(0).integers(70, 180, (2, 32, 48, 1), np.uint8).repeat(3, axis=3)
    blocks = compress_jpeg(grey, quality=quality)[..., 0].reshape(2, 4, 8, 6, 8).swapaxes(2, 3) - 128.0
    scale = 50 / quality if quality < 50 else 2 - quality / 50
    # Of ITU-T T.81, table K.1: the constant, the lowest frequency down and across, and one more.
    for (down, across), step in {(0, 0): 16, (1, 0): 12, (0, 1): 11, (3, 2): 22}.items():
        steps = dctn(blocks, axes=(3, 4), norm="ortho")[..., down, across] / round(step * scale)
        assert np.abs(steps - np.rint(steps)).max() < 2.5 / round(step * scale)  # of rounding to grey levels
        assert len(np.unique(np.rint(steps))) > 1


def test_jpeg_of_one_picture_sees_no_other() -> None:
    pictures = moving_square(5)
    together = compress_jpeg(pictures, quality=40)
    assert together.dtype == np.uint8
    assert 0 < np.abs(together.astype(int) - pictures).mean() < 8
    np.testing.assert_array_equal(together[3:4], compress_jpeg(pictures[3:4], quality=40))


def test_jpeg_takes_mirrored_pictures() -> None:
    assert compress_jpeg(flip(moving_square(2)), quality=40).shape == (2, 112, 112, 3)


def test_grain_has_its_strength_anew_in_each_picture() -> None:
    pictures = np.full((2, 64, 64, 3), 128, np.uint8)
    grain = add_grain(pictures, sigma=4, rng=np.random.default_rng(RNG_SEED)).astype(int) - 128
    assert grain.std() == pytest.approx(4, rel=0.03)
    assert abs(np.corrcoef(grain[0].ravel(), grain[1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("snr_db", [15, 40])
def test_noise_lies_so_far_under_the_sound(snr_db: float) -> None:
    sound = tone(440, 1.0, peak=0.3)
    noise = add_noise(sound, snr_db=snr_db, rng=np.random.default_rng(RNG_SEED)) - sound
    found_db = 10 * np.log10(np.mean(np.square(sound)) / np.mean(np.square(noise)))
    assert found_db == pytest.approx(snr_db, abs=0.2)


def test_digital_silence_stays_silent_under_noise() -> None:
    assert not add_noise(np.zeros(100, np.float32), snr_db=20, rng=np.random.default_rng(0)).any()


def click_and_flash(at_s: float) -> Footage:
    pictures = np.zeros((30, 8, 8, 3), np.uint8)
    pictures[round(10 * at_s)] = 255
    return Footage(pictures, clicks([at_s], 3.0, 22_050))


@pytest.mark.parametrize("speed", [0.9, 0.95, 1.0, 1.07, 1.1])
@pytest.mark.parametrize("at_s", [0.4, 1.5, 2.6])
def test_speed_keeps_lips_and_sound_together(speed: float, at_s: float) -> None:
    changed = change_speed(click_and_flash(at_s), speed)
    click_s = np.abs(changed.waveform).argmax() / 22_050
    assert click_s == pytest.approx(at_s / speed, abs=0.001)
    flashes = np.flatnonzero(changed.pictures[:, 0, 0, 0])
    assert np.abs(flashes / 10 - click_s).max(initial=0) <= 0.05 + 0.051 / speed
    assert abs(len(changed.pictures) - len(changed.waveform) / 2205) <= 1


def test_every_picture_is_the_one_nearest_in_time() -> None:
    numbered = np.arange(30, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    shown = change_speed(Footage(numbered, np.zeros(66_150, np.float32)), 1.1).pictures[:, 0, 0, 0]
    assert len(shown) == 27
    assert np.abs(shown - 1.1 * np.arange(27)).max() <= 0.5


def test_speed_of_one_changes_nothing() -> None:
    footage = Footage(moving_square(12), tone(300, 1.2))
    same = change_speed(footage, 1.0)
    np.testing.assert_array_equal(same.pictures, footage.pictures)
    np.testing.assert_array_equal(same.waveform, footage.waveform)
