"""Random blur of a log-Mel spectrogram: the sharpness that synthesised speech lacks."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from avfake.audio.mel import MelConfig

_REFERENCE = MelConfig(sample_rate=22_050, hop_length=256, n_mels=80)  # whose frames and bands sigmas count
_REACH = 4.0  # sigmas at which the Gaussian is cut


@dataclass(frozen=True)
class Blur:
    """Widths of one Gaussian blur; zero leaves an axis exactly as it is.

    Attributes:
        time_sigma: Standard deviation along time, in frames of 256 samples at 22 050 Hz (11.6 ms).
        mel_sigma: Standard deviation along the Mel axis, in bands of which there are 80.
    """

    time_sigma: float = 0.0
    mel_sigma: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.time_sigma < math.inf and 0 <= self.mel_sigma < math.inf):
            raise ValueError(
                f"time_sigma={self.time_sigma}, mel_sigma={self.mel_sigma} must be finite and not negative"
            )

    @property
    def time_sigma_s(self) -> float:
        """Standard deviation along time, in seconds."""
        return self.time_sigma * _REFERENCE.hop_length / _REFERENCE.sample_rate

    @property
    def mel_sigma_share(self) -> float:
        """Standard deviation along the Mel axis, as a share of the whole axis."""
        return self.mel_sigma / _REFERENCE.n_mels


@dataclass(frozen=True)
class BlurPolicy:
    """From which range a clip's blur is drawn.

    Attributes:
        probability: Of a clip being blurred at all.
        time_sigma: Smallest and largest sigma along time, in frames; see ``Blur``.
        mel_sigma: Smallest and largest sigma along the Mel axis, in bands.
    """

    probability: float = 0.5
    time_sigma: tuple[float, float] = (0.3, 1.5)
    mel_sigma: tuple[float, float] = (0.3, 1.0)

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability={self.probability} must lie in [0, 1]")
        for name in ("time_sigma", "mel_sigma"):
            low, high = getattr(self, name)
            if not 0 <= low <= high < math.inf:
                raise ValueError(f"{name}=({low}, {high}) must be two finite numbers, 0 <= low <= high")


def draw_blur(policy: BlurPolicy, rng: np.random.Generator) -> Blur:
    """Draw one clip's blur; takes three numbers from ``rng`` whatever the outcome."""
    chance, along_time, along_mel = rng.random(3)
    if chance >= policy.probability:
        return Blur()
    return Blur(_between(policy.time_sigma, along_time), _between(policy.mel_sigma, along_mel))


def blur_mel(mel: Tensor, blur: Blur, config: MelConfig = _REFERENCE) -> Tensor:
    """Blur a log-Mel spectrogram, edges replicated.

    Args:
        mel: [batch, n_mels, mel_frames], logarithmic.
        blur: Widths; converted from reference frames and bands to those of ``config``.
        config: What ``mel`` was made with.

    Returns:
        Same shape; ``mel`` itself where both widths are zero.
    """
    mel = _smooth_last(mel, blur.time_sigma_s * config.sample_rate / config.hop_length)
    return _smooth_last(mel.transpose(1, 2), blur.mel_sigma_share * config.n_mels).transpose(1, 2)


def _smooth_last(values: Tensor, sigma: float) -> Tensor:
    """Convolve the last axis of [batch, rows, columns] with a Gaussian of ``sigma`` columns."""
    if sigma == 0:
        return values
    radius = math.ceil(_REACH * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=values.dtype, device=values.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(values, (radius, radius), mode="replicate")
    return functional.conv1d(padded.flatten(0, 1)[:, None], kernel[None, None])[:, 0].view_as(values)


def _between(limits: tuple[float, float], share: float) -> float:
    low, high = limits
    return float(low + (high - low) * share)
