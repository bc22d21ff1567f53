"""Mel-frequency cepstral coefficients as python_speech_features defines them: what SyncNet hears."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, rfft

from avfake.audio.filterbank import hz_to_mel, mel_to_hz
from avfake.audio.io import Waveform

SAMPLE_RATE = 16_000
HOP_LENGTH, N_MFCC = 160, 13
_WIN_LENGTH, _N_FFT, _N_MELS, _LIFTER = 400, 512, 26, 22
_PREEMPHASIS = 0.97
_FULL_SCALE = 32_768.0  # it takes 16-bit samples, and its first coefficient tells their level
_FRAMES_AT_ONCE = 4096


def mfcc(waveform: Waveform) -> NDArray[np.float32]:
    """Cepstral coefficients of every hundredth of a second.

    Args:
        waveform: Mono, [time], in [-1, 1], at SAMPLE_RATE.

    Returns:
        [frames, N_MFCC]: the log energy of each frame, then the coefficients from the second on, liftered.
        Frames begin at sample 0 and reach beyond the end, where there is silence.

    Reference:
        Davis and Mermelstein, 1980, comparison of parametric representations for monosyllabic word
        recognition; numbers of ``python_speech_features.mfcc``, version 0.6, with its defaults.
    """
    samples = waveform.astype(np.float64) * _FULL_SCALE
    samples[1:] -= _PREEMPHASIS * samples[:-1].copy()
    n_frames = 1 + max(0, -(-(len(samples) - _WIN_LENGTH) // HOP_LENGTH))
    padded = np.pad(samples, (0, max(0, (n_frames - 1) * HOP_LENGTH + _WIN_LENGTH - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WIN_LENGTH)[::HOP_LENGTH][:n_frames]
    blocks = range(0, n_frames, _FRAMES_AT_ONCE)
    return np.concatenate([_cepstra(frames[first : first + _FRAMES_AT_ONCE]) for first in blocks])


def _cepstra(frames: NDArray[np.float64]) -> NDArray[np.float32]:
    spectrum = rfft(frames, _N_FFT, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) / _N_FFT
    smallest = np.finfo(np.float64).eps  # stands for nothing at all, and for nothing else
    bands, energy = power @ _filters().T, power.sum(axis=1)
    logs = np.log(np.where(bands == 0, smallest, bands))
    cepstra = dct(logs, type=2, axis=1, norm="ortho")[:, :N_MFCC]
    cepstra *= 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(N_MFCC) / _LIFTER)
    cepstra[:, 0] = np.log(np.where(energy == 0, smallest, energy))
    return np.asarray(cepstra, np.float32)


@lru_cache(maxsize=1)
def _filters() -> NDArray[np.float64]:
    """Triangles whose corners lie on whole bins, [_N_MELS, bins]."""
    highest = hz_to_mel(SAMPLE_RATE / 2, "htk")
    edges_hz = mel_to_hz(np.linspace(0.0, highest, _N_MELS + 2), "htk")
    corners = np.floor((_N_FFT + 1) * edges_hz / SAMPLE_RATE).astype(int)  # plus one, as it is there
    weights = np.zeros((_N_MELS, _N_FFT // 2 + 1))
    for band, (left, centre, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        weights[band, left:centre] = (np.arange(left, centre) - left) / max(1, centre - left)
        weights[band, centre:right] = (right - np.arange(centre, right)) / max(1, right - centre)
    return weights
