"""How far one sound lags behind another."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import get_window

from avfake.audio.io import Waveform

_STEP_S = 0.0005  # between envelope samples
_WINDOW_S = 0.012
_LONGEST_S = 30.0  # of sound that is compared; a longer one is compared in three pieces of a third of it
_N_BANDS = 20
_REACH = 5  # steps to each side of the peak over which its top is fitted
_DYNAMIC_RANGE = 1e-5  # of band power, so that noise far under the speech does not vote


def measure_lag(
    reference: Waveform, other: Waveform, sample_rate: int, *, longest_s: float = 0.05
) -> float | None:
    """Find how much later ``other`` is than ``reference`` by cross-correlating their band envelopes.

    Envelopes of 20 bands are compared rather than waveforms, so that a resynthesis with other phases is
    measured as exactly as a copy.

    Args:
        reference: Mono, [time].
        other: Mono, [time], of the same length.
        sample_rate: Of both, in Hz.
        longest_s: Largest lag that is looked for.

    Returns:
        Lag in seconds, positive when ``other`` is late; None when the two do not resemble each other.
    """
    pieces = _pieces(len(reference), sample_rate)
    first, second = (
        np.concatenate([_envelopes(waveform[piece], sample_rate) for piece in pieces], axis=1)
        for waveform in (reference, other)
    )
    scale = np.sqrt(np.sum(first**2) * np.sum(second**2))
    if scale < 1e-9:
        return None
    n_lags = max(1, min(round(longest_s / _STEP_S), first.shape[1] // 4))
    size = next_fast_len(2 * first.shape[1])
    spectrum = np.sum(np.conj(rfft(first, size)) * rfft(second, size), axis=0)
    circular = irfft(spectrum, size)
    overlap = 1 - np.abs(np.arange(-n_lags, n_lags + 1)) / first.shape[1]
    correlation = np.concatenate([circular[-n_lags:], circular[: n_lags + 1]]) / (scale * overlap)
    peak = int(np.argmax(correlation))
    if correlation[peak] < 0.3:
        return None
    return float((peak - n_lags + _vertex(correlation, peak)) * _STEP_S)


def _pieces(n_samples: int, sample_rate: int) -> list[slice]:
    length = round(_LONGEST_S * sample_rate)
    if n_samples <= length:
        return [slice(0, n_samples)]
    third = length // 3
    return [slice(start, start + third) for start in (0, (n_samples - third) // 2, n_samples - third)]


def _envelopes(waveform: Waveform, sample_rate: int) -> NDArray[np.float64]:
    """Log power of bands of equal width, mean removed, [band, step]."""
    length = round(_WINDOW_S * sample_rate)
    padded = np.pad(waveform, (0, max(0, length - len(waveform))))
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, length
    )  # none reaches past an edge of the clip,
    step = _STEP_S * sample_rate  # where the sudden end of sound, common to both, would pull the lag to zero
    frames = windows[np.rint(np.arange(0, len(windows) - 0.5, step)).astype(int)]
    power = np.abs(rfft(frames * get_window("hann", length).astype(np.float32), axis=1)) ** 2
    edges = np.linspace(1, power.shape[1], _N_BANDS + 1).astype(int)[:-1]
    bands = np.add.reduceat(power.astype(np.float64), edges, axis=1).T
    logs: NDArray[np.float64] = np.log(np.maximum(bands, bands.max(initial=0.0) * _DYNAMIC_RANGE + 1e-20))
    logs -= logs.mean(axis=1, keepdims=True)
    return logs


def _vertex(values: NDArray[np.float64], peak: int) -> float:
    """Where a parabola through the surroundings of the peak is highest, relative to the peak, in steps.

    The top of a resynthesis' correlation is flat and rippled, so its highest sample alone says little.
    """
    steps = np.arange(max(0, peak - _REACH), min(len(values), peak + _REACH + 1)) - peak
    if len(steps) < 3:
        return 0.0
    square, slope, _ = np.polyfit(steps, values[steps + peak], 2)
    return float(np.clip(-slope / (2 * square), -_REACH, _REACH)) if square < 0 else 0.0
