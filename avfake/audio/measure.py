"""What can be measured of a sound without learning anything: level, silence, bandwidth, distance."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import rfft
from scipy.signal import get_window

from avfake.audio.blocks import cut_blocks
from avfake.audio.io import Waveform, fit_length

FLOOR_DB = -120.0  # stands for the level of digital silence
SILENCE_BELOW_DB = 40.0  # a frame this far under the loudest one is silence
_FRAME_S = 0.02
_N_FFT = 1024
_FRAMES_AT_ONCE = 1024  # so that a long clip needs no more memory than a short one
_LTAS_RANGE_DB = 70.0  # the band of a sound ends where its average spectrum falls this far under its peak,
_LTAS_FLOOR_DB = -114.0  # or so low; the noise of 16 bits lies at -123 dB


def level_db(power: ArrayLike) -> NDArray[np.float64]:
    """Power in decibels against full scale, not under FLOOR_DB."""
    return np.asarray(10 * np.log10(np.maximum(np.asarray(power, np.float64), 10 ** (FLOOR_DB / 10))))


def loudness_db(waveform: Waveform, where: NDArray[np.bool_] | None = None) -> float:
    """Root mean square of the chosen samples (all by default), in dB against full scale."""
    total, n_chosen = 0.0, 0
    for _, place, _ in cut_blocks(len(waveform)):
        chosen = waveform[place] if where is None else waveform[place][where[place]]
        total += float(np.square(chosen, dtype=np.float64).sum())
        n_chosen += len(chosen)
    return float(level_db(total / n_chosen)) if n_chosen else FLOOR_DB


def frame_length(sample_rate: int) -> int:
    """Samples of a frame of 20 ms."""
    return round(_FRAME_S * sample_rate)


def frame_levels_db(waveform: Waveform, sample_rate: int) -> NDArray[np.float64]:
    """Level of consecutive frames of 20 ms, [frames]; the last one may be shorter."""
    length = frame_length(sample_rate)
    levels = [np.zeros(0)]
    for _, place, _ in cut_blocks(len(waveform), multiple=length):
        squares = np.square(waveform[place], dtype=np.float64)
        starts = np.arange(0, len(squares), length)
        levels.append(np.add.reduceat(squares, starts) / np.diff(np.append(starts, len(squares))))
    return level_db(np.concatenate(levels))


def active_speech(waveform: Waveform, sample_rate: int) -> NDArray[np.bool_]:
    """Samples, [time], whose 20 ms frame lies within SILENCE_BELOW_DB of the loudest frame."""
    levels = frame_levels_db(waveform, sample_rate)
    active = (levels > levels.max(initial=FLOOR_DB) - SILENCE_BELOW_DB) & (levels > FLOOR_DB)
    return np.repeat(active, frame_length(sample_rate))[: len(waveform)]


def edge_silence(waveform: Waveform, sample_rate: int) -> tuple[float, float]:
    """Seconds of silence before the first and after the last active frame, to 20 ms."""
    active = np.flatnonzero(active_speech(waveform, sample_rate))
    if not len(active):
        return len(waveform) / sample_rate, len(waveform) / sample_rate
    return float(active[0] / sample_rate), float((len(waveform) - 1 - active[-1]) / sample_rate)


def bandwidth_hz(waveform: Waveform, sample_rate: int) -> float:
    """Highest frequency at which the average spectrum is within 70 dB of its peak, to 100 Hz."""
    levels = average_spectrum_db(waveform)
    inside = np.flatnonzero(levels > max(levels.max() - _LTAS_RANGE_DB, _LTAS_FLOOR_DB))
    top = inside[-1] if len(inside) else 0
    return float(round(top * sample_rate / 2 / (len(levels) - 1), -2))


def average_spectrum_db(waveform: Waveform) -> NDArray[np.float64]:
    """Long-term average spectrum, smoothed over 7 bins; 513 bins from 0 Hz to the Nyquist frequency."""
    sums, counts = zip(*((power.sum(axis=0), len(power)) for power in _powers(waveform)), strict=True)
    spectrum = np.sum(sums, axis=0) / sum(counts)
    return level_db(np.convolve(np.pad(spectrum, 3, mode="edge"), np.ones(7) / 7, mode="valid"))


def log_spectral_distance_db(reference: Waveform, other: Waveform) -> float:
    """Log-spectral distance of two sounds of one length, in dB.

    Per frame of 1024 samples the root mean square over frequency of the difference of the log power spectra,
    then the mean over the frames in which the reference is active. Bins more than 80 dB under the
    reference's loudest bin count as if they lay there.
    """
    loudest = max(float(power.max()) for power in _powers(reference))
    floor = max(loudest, 1e-12) * 1e-8
    distances, energies = [], []
    for powers in zip(_powers(reference), _powers(other), strict=True):
        logs = [10 * np.log10(np.maximum(power, floor)) for power in powers]
        distances.append(np.sqrt(np.mean((logs[0] - logs[1]) ** 2, axis=1)))
        energies.append(powers[0].sum(axis=1))
    energy = np.concatenate(energies)
    active = energy > energy.max() * 10 ** (-SILENCE_BELOW_DB / 10)
    return float(np.concatenate(distances)[active].mean()) if active.any() else 0.0


def _powers(waveform: Waveform) -> Iterator[NDArray[np.float64]]:
    """Power spectra of the Hann-windowed frames that lie wholly inside, [frames, frequency], some at a time.

    A shorter waveform is one frame, padded with zeros.
    """
    window = get_window("hann", _N_FFT)
    if len(waveform) < _N_FFT:
        waveform = fit_length(waveform, _N_FFT)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, _N_FFT)[:: _N_FFT // 2]
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        spectrum = rfft(frames[start : start + _FRAMES_AT_ONCE] * (2 * window / window.sum()), axis=1)
        yield np.square(spectrum.real) + np.square(spectrum.imag)
