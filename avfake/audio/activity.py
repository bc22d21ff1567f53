"""What a listener hears of speech from one moment to the next: how loud it is in bands of frequency."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import get_window

from avfake.audio.filterbank import hz_to_mel, mel_to_hz, triangular_filters
from avfake.audio.io import Waveform

BANDS_PER_S = 20
N_BANDS = 12
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 8000.0
_WINDOW_S = 0.1  # about as fast as a jaw moves
_RANGE_DB = 30.0  # under the mean power of all bands; what is fainter is not heard beside the speech
_MOMENTS_AT_ONCE = 512  # so that a long clip needs no more memory than a short one


def speech_bands(waveform: Waveform, sample_rate: int) -> NDArray[np.float32]:
    """Follow the loudness of speech in Mel bands.

    Args:
        waveform: Mono, [time].
        sample_rate: In Hz, at least 16 000.

    Returns:
        [moments, N_BANDS] in dB against the mean over the clip, not under -30; moment j is centred on
        j / BANDS_PER_S seconds and every moment inside the sound is there. Louder or fainter sound gives
        the same numbers; digital silence gives zeros.
    """
    length = round(_WINDOW_S * sample_rate)
    n_moments = -(-len(waveform) * BANDS_PER_S // sample_rate)
    centres = np.rint(np.arange(n_moments) * (sample_rate / BANDS_PER_S)).astype(np.int64)
    padded = np.pad(waveform, (length // 2, length))
    window, filters = get_window("hann", length).astype(np.float32), _filters(sample_rate)
    power = np.zeros((n_moments, N_BANDS))
    for first in range(0, n_moments, _MOMENTS_AT_ONCE):
        starts = centres[first : first + _MOMENTS_AT_ONCE]
        spectrum = rfft(padded[starts[:, None] + np.arange(length)] * window, axis=1)
        power[first : first + len(starts)] = (spectrum.real**2 + spectrum.imag**2) @ filters
    mean = power.mean() if n_moments else 0.0
    if mean == 0:
        return np.zeros((n_moments, N_BANDS), np.float32)
    levels: NDArray[np.float32] = 10 * np.log10(power / mean + 10 ** (-_RANGE_DB / 10)).astype(np.float32)
    return levels


def band_centres_hz() -> NDArray[np.float64]:
    """Frequencies at which the bands are most sensitive, [N_BANDS]."""
    edges = np.linspace(hz_to_mel(_LOWEST_HZ), hz_to_mel(_HIGHEST_HZ), N_BANDS + 2)
    return mel_to_hz(edges[1:-1])


@lru_cache(maxsize=4)
def _filters(sample_rate: int) -> NDArray[np.float32]:
    """Weights of each band, [frequency, N_BANDS]."""
    weights = triangular_filters(
        sample_rate=sample_rate,
        n_fft=round(_WINDOW_S * sample_rate),
        n_mels=N_BANDS,
        fmin=_LOWEST_HZ,
        fmax=_HIGHEST_HZ,
    )
    return weights.T.astype(np.float32)
