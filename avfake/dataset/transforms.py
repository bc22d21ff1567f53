"""What may be done to a clip without making it any less real or fake; each is one function of its own."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from avfake.audio.io import Waveform, resample
from avfake.dataset.window import Footage, Pictures

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_SPEED_STEPS = 100  # to a factor of 1, so that the two rates of the sound are whole numbers


def flip(pictures: Pictures) -> Pictures:
    """Mirror left and right."""
    return pictures[:, :, ::-1]


def change_colour(pictures: Pictures, *, brightness: float, contrast: float, saturation: float) -> Pictures:
    """Change colours, of all pictures alike.

    Args:
        pictures: uint8 [frames, height, width, 3].
        brightness: Factor on every value; 1 changes nothing.
        contrast: Factor on the distance from the clip's mean luma.
        saturation: Factor on the distance from each pixel's own luma.
    """
    bright = pictures.astype(np.float32) * np.float32(brightness)
    luma = bright @ _LUMA
    grey = luma[..., None]
    coloured = grey + np.float32(saturation) * (bright - grey)
    mean = luma.mean(dtype=np.float64).astype(np.float32)
    return _as_pictures(mean + np.float32(contrast) * (coloured - mean))


def blur(pictures: Pictures, *, sigma: float) -> Pictures:
    """Blur each picture by a Gaussian.

    Args:
        pictures: uint8 [frames, height, width, 3].
        sigma: Standard deviation, in pixels.
    """
    rows = gaussian_filter1d(pictures.astype(np.float32), sigma, axis=1, mode="nearest")
    return _as_pictures(gaussian_filter1d(rows, sigma, axis=2, mode="nearest"))


def compress_jpeg(pictures: Pictures, *, quality: int) -> Pictures:
    """Compress each picture as JPEG with 4:2:0 chroma, and decode it again.

    Args:
        pictures: uint8 [frames, height, width, 3].
        quality: 1 to 95, as libjpeg counts it.
    """
    decoded = np.empty_like(pictures)
    for place, picture in zip(decoded, pictures, strict=True):
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(picture)).save(
            buffer, "JPEG", quality=quality, subsampling="4:2:0"
        )
        place[...] = Image.open(buffer)
    return decoded


def add_grain(pictures: Pictures, *, sigma: float, rng: np.random.Generator) -> Pictures:
    """Add white noise of a standard deviation in grey levels, anew in each picture."""
    noise = rng.standard_normal(pictures.shape, dtype=np.float32)
    return _as_pictures(pictures + np.float32(sigma) * noise)


def add_noise(waveform: Waveform, *, snr_db: float, rng: np.random.Generator) -> Waveform:
    """Add white noise so many dB under the sound's level; digital silence stays what it is."""
    level = np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))
    noise = rng.standard_normal(len(waveform), dtype=np.float32)
    return np.clip(waveform + np.float32(level * 10 ** (-snr_db / 20)) * noise, -1, 1)


def change_speed(footage: Footage, speed: float) -> Footage:
    """Play pictures and sound faster or slower by the same factor; the voice changes its pitch with it.

    Each new picture is the old one nearest to its moment, not a mixture of two, which would look like a
    manipulation; so pictures are up to half a picture off.

    Args:
        footage: Pictures and sound.
        speed: Above 1 is faster and shorter; rounded to 1 / 100.
    """
    steps = round(speed * _SPEED_STEPS)
    n_pictures = len(footage.pictures)
    n_shown = max(1, round(n_pictures * _SPEED_STEPS / steps))
    shown = np.rint(np.arange(n_shown) * steps / _SPEED_STEPS).astype(np.int64)
    pictures = footage.pictures[np.minimum(shown, n_pictures - 1)]
    return Footage(pictures, np.clip(resample(footage.waveform, steps, _SPEED_STEPS), -1, 1))


def _as_pictures(values: NDArray[np.floating]) -> Pictures:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
