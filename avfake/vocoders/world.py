"""WORLD: pitch, spectral envelope and aperiodicity of the waveform, put together again."""

import warnings
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from avfake.audio.blur import Blur
from avfake.audio.filterbank import hz_to_mel
from avfake.audio.io import SAMPLE_RATE, Waveform

with warnings.catch_warnings():  # it imports pkg_resources, which says on stderr that it is deprecated
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
    import pyworld

_FRAME_PERIOD_MS = 5.0
_LOWEST_POWER = 1e-16  # of the envelope before its logarithm is taken


def build() -> "World":
    """The one vocoder of this family."""
    return World()


class World:
    """Harvest, CheapTrick and D4C, then WORLD's synthesis.

    It is driven by the waveform: a Mel holds no usable pitch. Blur acts on the log envelope.

    Reference:
        Morise, Yokomori and Ozawa, 2016, WORLD: a vocoder-based high-quality speech synthesis system.
    """

    name = "world"
    sample_rate = SAMPLE_RATE
    checkpoint_sha256: str | None = None

    def __call__(self, waveform: Waveform, blur: Blur) -> Waveform:
        """Resynthesise one waveform, [time], its envelope blurred."""
        sound = waveform.astype(np.float64)
        pitch, times = pyworld.harvest(sound, self.sample_rate, frame_period=_FRAME_PERIOD_MS)
        envelope = pyworld.cheaptrick(sound, pitch, times, self.sample_rate)
        aperiodicity = pyworld.d4c(sound, pitch, times, self.sample_rate)
        made = pyworld.synthesize(
            pitch, _blurred(envelope, blur), aperiodicity, self.sample_rate, _FRAME_PERIOD_MS
        )
        return np.asarray(made[: len(waveform)], np.float32)


def _blurred(envelope: NDArray[np.float64], blur: Blur) -> NDArray[np.float64]:
    """Blur a power envelope, [frames, bins], as ``blur_mel`` would blur its log-Mel."""
    if blur == Blur():
        return envelope
    log_envelope = np.log(np.maximum(envelope, _LOWEST_POWER))
    if blur.time_sigma:
        sigma = blur.time_sigma_s * 1000 / _FRAME_PERIOD_MS
        log_envelope = gaussian_filter1d(log_envelope, sigma, axis=0, mode="nearest")
    if blur.mel_sigma:
        log_envelope = log_envelope @ _mel_smoother(envelope.shape[1], blur.mel_sigma_share).T
    return np.exp(log_envelope)


@lru_cache(maxsize=4)
def _mel_smoother(n_bins: int, sigma_share: float) -> NDArray[np.float64]:
    """Weights, [bins, bins], that blur a spectrum with one width in Mel at every frequency.

    Each row is a Gaussian over the Mel places of the bins times the Mel width of each bin, and sums to
    one; where the Gaussian is narrower than a bin, the bin keeps its value.
    """
    mel = hz_to_mel(np.linspace(0, SAMPLE_RATE / 2, n_bins))
    distance = (mel[:, None] - mel) / (sigma_share * mel[-1])
    weights = np.exp(-0.5 * distance**2) * np.gradient(mel)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
