"""The Mel scale and its triangular filters, in NumPy."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

MelScale = Literal["slaney", "htk"]
MelNorm = Literal["slaney"]

# Slaney's scale (Auditory Toolbox, 1998): linear to 15 Mel at 1 kHz, then 27 Mel to each factor of 6.4.
_LINEAR_HZ_PER_MEL = 200 / 3
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27


def hz_to_mel(hz: ArrayLike, scale: MelScale = "slaney") -> NDArray[np.float64]:
    """Place of frequencies on a Mel scale."""
    hz = np.asarray(hz, np.float64)
    if scale == "htk":
        return np.asarray(2595 * np.log10(1 + hz / 700))
    above = _KNEE_MEL + np.log(np.maximum(hz, _KNEE_HZ) / _KNEE_HZ) / _LOG_STEP
    return np.where(hz < _KNEE_HZ, hz / _LINEAR_HZ_PER_MEL, above)


def mel_to_hz(mel: ArrayLike, scale: MelScale = "slaney") -> NDArray[np.float64]:
    """Frequencies, in Hz, of places on a Mel scale."""
    mel = np.asarray(mel, np.float64)
    if scale == "htk":
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    above = _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ_PER_MEL, above)


def triangular_filters(
    *,
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    scale: MelScale = "slaney",
    norm: MelNorm | None = "slaney",
) -> NDArray[np.float64]:
    """Weights that sum the bins of a spectrum into Mel bands.

    Args:
        sample_rate: In Hz.
        n_fft: Length of the transform, in samples.
        n_mels: Number of bands.
        fmin: Lower edge of the first band, in Hz.
        fmax: Upper edge of the last band, in Hz.
        scale: The Mel scale on which the bands are evenly spaced.
        norm: ``"slaney"`` divides each band by half its width in Hz; None leaves peaks of one.

    Returns:
        Weights, [n_mels, n_fft // 2 + 1], not negative.
    """
    bins = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    edges = mel_to_hz(np.linspace(hz_to_mel(fmin, scale), hz_to_mel(fmax, scale), n_mels + 2), scale)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    return weights if norm is None else weights * 2 / (upper - lower)
