"""Which transforms a clip goes through: drawn from seed, epoch and sample, blind to labels."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from avfake.dataset.codec import CODECS, through_codec
from avfake.dataset.draws import draws_for
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


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """With which probability each transform is applied to a clip; all are off by default.

    Attributes:
        speed: Pictures and sound play up to 10 % faster or slower.
        flip: Pictures are mirrored.
        colour: Brightness, contrast and saturation change by up to 20 %.
        blur: Pictures are blurred by a Gaussian of up to 2 pixels.
        jpeg: Pictures are compressed as JPEG of quality 30 to 95.
        grain: Pictures get white noise of up to 6 grey levels.
        noise: The sound gets white noise, 15 to 40 dB under it.
        codec: The sound goes through AAC, MP3 or Opus at a bit rate for voices.
    """

    speed: float = 0.0
    flip: float = 0.0
    colour: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0
    grain: float = 0.0
    noise: float = 0.0
    codec: float = 0.0

    def __post_init__(self) -> None:
        for name, probability in asdict(self).items():
            if not 0 <= probability <= 1:
                raise ValueError(f"{name}={probability} must be a probability from 0 to 1")


def augment(footage: Footage, augmentation: Augmentation, key: tuple[object, ...]) -> Footage:
    """Apply the transforms whose draw falls.

    Each kind draws from its own generator, so that switching one on changes nothing about the others.

    Args:
        footage: Pictures and sound.
        augmentation: How probable each is.
        key: Whose draws these are: (seed, epoch, sample, ...).
    """
    for name, probability in asdict(augmentation).items():
        if not probability:
            continue
        rng = draws_for("augment", name, *key)
        if rng.random() < probability:
            footage = _APPLY[name](footage, rng)
    return footage


def _speed(footage: Footage, rng: np.random.Generator) -> Footage:
    return change_speed(footage, rng.uniform(0.9, 1.1))


def _flip(footage: Footage, rng: np.random.Generator) -> Footage:
    return footage._replace(pictures=flip(footage.pictures))


def _colour(footage: Footage, rng: np.random.Generator) -> Footage:
    brightness, contrast, saturation = rng.uniform(0.8, 1.2, size=3).tolist()
    pictures = change_colour(
        footage.pictures, brightness=brightness, contrast=contrast, saturation=saturation
    )
    return footage._replace(pictures=pictures)


def _blur(footage: Footage, rng: np.random.Generator) -> Footage:
    return footage._replace(pictures=blur(footage.pictures, sigma=rng.uniform(0.2, 2)))


def _jpeg(footage: Footage, rng: np.random.Generator) -> Footage:
    return footage._replace(pictures=compress_jpeg(footage.pictures, quality=int(rng.integers(30, 96))))


def _grain(footage: Footage, rng: np.random.Generator) -> Footage:
    return footage._replace(pictures=add_grain(footage.pictures, sigma=rng.uniform(0.5, 6), rng=rng))


def _noise(footage: Footage, rng: np.random.Generator) -> Footage:
    return footage._replace(waveform=add_noise(footage.waveform, snr_db=rng.uniform(15, 40), rng=rng))


def _codec(footage: Footage, rng: np.random.Generator) -> Footage:
    name = str(rng.choice(sorted(CODECS)))
    bit_rate = int(rng.choice(CODECS[name].bit_rates))
    return footage._replace(waveform=through_codec(footage.waveform, codec=name, bit_rate=bit_rate))


_APPLY: dict[str, Callable[[Footage, np.random.Generator], Footage]] = {
    "speed": _speed,
    "flip": _flip,
    "colour": _colour,
    "blur": _blur,
    "jpeg": _jpeg,
    "grain": _grain,
    "noise": _noise,
    "codec": _codec,
}
