"""Filters without delay: a low-pass, another sound's band edge, and a rotation of phase."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin, get_window, hilbert, kaiserord, oaconvolve

from avfake.audio.io import Waveform
from avfake.audio.measure import average_spectrum_db

STOPBAND_DB = 90.0  # under what 16 bits can hold of speech
TRANSITION_HZ = 500.0
_IN_BAND_DB = -45.0  # of the average spectrum, against its peak; what is louder is left as it is,
_OUT_OF_BAND_DB = -55.0  # and what is softer, the band limit and the floor beyond, is made the same
_ROUNDS = 2  # the measured spectra are smooth, so that one round leaves a trace of a steep edge
_N_ANGLES = 128
_FADE = 2_048  # samples


def low_pass(waveform: Waveform, cutoff_hz: float, sample_rate: int) -> Waveform:
    """Remove what lies at and above a frequency, with linear phase.

    Args:
        waveform: Mono, [time].
        cutoff_hz: Where the stop band begins; the pass band ends TRANSITION_HZ below.
        sample_rate: In Hz.

    Returns:
        As many samples as came in.
    """
    nyquist = sample_rate / 2
    if cutoff_hz >= nyquist:
        return waveform
    n_taps, beta = kaiserord(STOPBAND_DB, TRANSITION_HZ / nyquist)
    taps = firwin(n_taps | 1, cutoff_hz - TRANSITION_HZ / 2, window=("kaiser", beta), fs=sample_rate)
    delay = len(taps) // 2
    filtered = oaconvolve(waveform.astype(np.float64), taps)
    return np.asarray(filtered[delay : delay + len(waveform)], np.float32)


def with_band_edge(waveform: Waveform, model: Waveform, sample_rate: int) -> Waveform:
    """Give a sound the average spectrum of ``model`` where the band of ``model`` has ended, and beyond.

    Args:
        waveform: [time], as loud as ``model``.
        model: [time].
        sample_rate: Of both, in Hz.
    """
    model_db = average_spectrum_db(model, sample_rate)
    depth_db = _IN_BAND_DB - (model_db - model_db.max())
    share = np.clip(depth_db / (_IN_BAND_DB - _OUT_OF_BAND_DB), 0, 1)
    if not share.any():
        return waveform
    for _ in range(_ROUNDS):
        gains_db = share * np.clip(model_db - average_spectrum_db(waveform, sample_rate), -60, 30)
        taps = np.roll(np.fft.irfft(10 ** (gains_db / 20)), len(gains_db) - 1)[1:]
        taps *= get_window(("kaiser", 9.0), len(taps), fftbins=False)
        waveform = np.asarray(fftconvolve(waveform, taps, mode="same"), np.float32)
    return waveform


def rotate_to_peak(waveform: Waveform, peak: float) -> Waveform:
    """Rotate the phase of all frequencies by the one angle that brings the peak nearest to ``peak``.

    Spectrum, loudness and timing stay as they are, and the ear does not hear it; the crest changes some dB.
    """
    analytic = _analytic(waveform)
    loud = analytic[np.abs(analytic) >= 0.5 * np.abs(analytic).max(initial=0.0)]
    angles = np.pi * (np.arange(_N_ANGLES) / _N_ANGLES - 0.5)
    peaks = np.array([np.abs((loud * np.exp(-1j * angle)).real).max(initial=0.0) for angle in angles])
    best = angles[np.lexsort((np.abs(angles), np.round(np.abs(peaks - peak), 6)))[0]]
    return np.asarray((analytic * np.exp(-1j * best)).real, np.float32)


def _analytic(waveform: Waveform) -> NDArray[np.complex128]:
    """Analytic signal, [time]; mirrored and faded ends keep a clip cut off in mid-word from ringing."""
    fade = min(_FADE, len(waveform) - 1)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
    padded = np.pad(waveform.astype(np.float64), fade, mode="reflect")
    padded[:fade] *= ramp
    padded[len(padded) - fade :] *= ramp[::-1]
    signal: NDArray[np.complex128] = hilbert(padded)
    return signal[fade : fade + len(waveform)]
