"""What can be measured of a sound without learning anything: level, silence, bandwidth, distance."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import ShortTimeFFT, get_window

from avfake.audio.io import Waveform

FLOOR_DB = -120.0  # stands for the level of digital silence
SILENCE_BELOW_DB = 40.0  # a frame this far under the loudest one is silence
_FRAME_S = 0.02
_LTAS_RANGE_DB = 70.0  # the band of a sound ends where its average spectrum falls this far under its peak,
_LTAS_FLOOR_DB = -114.0  # or so low; the noise of 16 bits lies at -123 dB


def level_db(power: ArrayLike) -> NDArray[np.float64]:
    """Power in decibels against full scale, not under FLOOR_DB."""
    return np.asarray(10 * np.log10(np.maximum(np.asarray(power, np.float64), 10 ** (FLOOR_DB / 10))))


def loudness_db(waveform: Waveform, where: NDArray[np.bool_] | None = None) -> float:
    """Root mean square of the chosen samples (all by default), in dB against full scale."""
    chosen = waveform if where is None else waveform[where]
    return float(level_db(np.mean(np.square(chosen, dtype=np.float64)))) if len(chosen) else FLOOR_DB


def frame_levels_db(waveform: Waveform, sample_rate: int) -> NDArray[np.float64]:
    """Level of consecutive frames of 20 ms, [frames]; the last one may be shorter."""
    length = round(_FRAME_S * sample_rate)
    starts = np.arange(0, len(waveform), length)
    sums = np.add.reduceat(np.square(waveform, dtype=np.float64), starts) if len(waveform) else np.zeros(0)
    return level_db(sums / np.diff(np.append(starts, len(waveform))))


def active_speech(waveform: Waveform, sample_rate: int) -> NDArray[np.bool_]:
    """Samples, [time], whose 20 ms frame lies within SILENCE_BELOW_DB of the loudest frame."""
    levels = frame_levels_db(waveform, sample_rate)
    active = (levels > levels.max(initial=FLOOR_DB) - SILENCE_BELOW_DB) & (levels > FLOOR_DB)
    return np.repeat(active, round(_FRAME_S * sample_rate))[: len(waveform)]


def edge_silence(waveform: Waveform, sample_rate: int) -> tuple[float, float]:
    """Seconds of silence before the first and after the last active frame, to 20 ms."""
    active = np.flatnonzero(active_speech(waveform, sample_rate))
    if not len(active):
        return len(waveform) / sample_rate, len(waveform) / sample_rate
    return float(active[0] / sample_rate), float((len(waveform) - 1 - active[-1]) / sample_rate)


def bandwidth_hz(waveform: Waveform, sample_rate: int) -> float:
    """Highest frequency at which the average spectrum is within 70 dB of its peak, to 100 Hz."""
    levels = average_spectrum_db(waveform, sample_rate)
    inside = np.flatnonzero(levels > max(levels.max() - _LTAS_RANGE_DB, _LTAS_FLOOR_DB))
    top = inside[-1] if len(inside) else 0
    return float(round(top * sample_rate / 2 / (len(levels) - 1), -2))


def average_spectrum_db(waveform: Waveform, sample_rate: int) -> NDArray[np.float64]:
    """Long-term average spectrum, smoothed over 7 bins; 513 bins from 0 Hz to the Nyquist frequency."""
    spectrum = _power_spectrogram(waveform, sample_rate).mean(axis=1)
    return level_db(np.convolve(np.pad(spectrum, 3, mode="edge"), np.ones(7) / 7, mode="valid"))


def log_spectral_distance_db(reference: Waveform, other: Waveform, sample_rate: int) -> float:
    """Log-spectral distance of two sounds of one length, in dB.

    Per frame of 46 ms the root mean square over frequency of the difference of the log power spectra,
    then the mean over the frames in which the reference is active. Bins more than 80 dB under the
    reference's loudest bin count as if they lay there.
    """
    spectra = [_power_spectrogram(waveform, sample_rate) for waveform in (reference, other)]
    floor = max(float(spectra[0].max()), 1e-12) * 1e-8
    logs = [10 * np.log10(np.maximum(spectrum, floor)) for spectrum in spectra]
    per_frame = np.sqrt(np.mean((logs[0] - logs[1]) ** 2, axis=0))
    energy = spectra[0].sum(axis=0)
    active = energy > energy.max(initial=0.0) * 10 ** (-SILENCE_BELOW_DB / 10)
    return float(per_frame[active].mean()) if active.any() else 0.0


def _power_spectrogram(waveform: Waveform, sample_rate: int, n_fft: int = 1024) -> NDArray[np.float64]:
    """Power of the Hann-windowed frames that lie wholly inside, [frequency, frames]."""
    window = get_window("hann", n_fft)
    transform = ShortTimeFFT(window, n_fft // 2, sample_rate, scale_to="magnitude")
    padded = np.pad(waveform, (0, max(0, n_fft - len(waveform)))).astype(np.float64)
    first, last = transform.lower_border_end[1], transform.upper_border_begin(len(padded))[1]
    return np.asarray(4 * np.abs(transform.stft(padded, p0=first, p1=max(last, first + 1))) ** 2)
