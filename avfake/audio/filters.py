"""Filters without delay: a low-pass, another sound's average spectrum and rumble, a rotation of phase."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, get_window, hilbert, kaiserord, oaconvolve

from avfake.audio.io import Waveform
from avfake.audio.measure import average_spectrum_db

STOPBAND_DB = 90.0  # under what 16 bits can hold of speech
TRANSITION_HZ = 500.0
RUMBLE_HZ = 60.0  # the lowest voices begin above
LARGEST_TINT_DB = 12.0
_RUMBLE_TRANSITION_HZ = 30.0
_IN_BAND_DB = -45.0  # of the average spectrum, against its peak; what is louder lies in the band,
_OUT_OF_BAND_DB = -55.0  # what is softer is the floor beyond
_ROUNDS = 2  # the measured spectra are smooth, so that one round leaves a trace of a steep edge
_N_ANGLES = 128
_EDGE = 2_048  # samples that are mirrored on at both ends before a phase is turned
_PIECE = 1 << 20  # of which the phase is turned at a time, in samples
_CONTEXT = 1 << 16  # samples on either side that a piece hears


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


def with_average_spectrum(waveform: Waveform, model: Waveform) -> Waveform:
    """Give a sound the average spectrum of ``model``, with linear phase.

    Where the band of ``model`` has ended, whatever it takes is done; within it LARGEST_TINT_DB at most.

    Args:
        waveform: [time], as loud as ``model``.
        model: [time], at the same sample rate.
    """
    model_db = average_spectrum_db(model)
    depth_db = _IN_BAND_DB - (model_db - model_db.max())
    beyond = np.clip(depth_db / (_IN_BAND_DB - _OUT_OF_BAND_DB), 0, 1)
    lowest, highest = (LARGEST_TINT_DB + beyond * (limit - LARGEST_TINT_DB) for limit in (120.0, 60.0))
    total_db = np.zeros_like(model_db)
    for _ in range(_ROUNDS):
        wanted_db = total_db + model_db - average_spectrum_db(waveform)
        gains_db = np.clip(np.clip(wanted_db, -lowest, highest) - total_db, -60, 60)
        total_db += gains_db
        taps = np.roll(np.fft.irfft(10 ** (gains_db / 20)), len(gains_db) - 1)[1:]
        taps *= get_window(("kaiser", 9.0), len(taps), fftbins=False)
        waveform = oaconvolve(waveform, taps.astype(np.float32), mode="same")
    return waveform


def with_rumble(waveform: Waveform, model: Waveform, sample_rate: int) -> Waveform:
    """Give a sound what ``model`` holds below the voice, RUMBLE_HZ, in place of what it holds there itself.

    Args:
        waveform: [time].
        model: [time].
        sample_rate: Of both, in Hz.
    """
    n_taps, beta = kaiserord(STOPBAND_DB, _RUMBLE_TRANSITION_HZ / (sample_rate / 2))
    taps = firwin(n_taps | 1, RUMBLE_HZ - _RUMBLE_TRANSITION_HZ / 2, window=("kaiser", beta), fs=sample_rate)
    delay = len(taps) // 2
    lacking = oaconvolve(model.astype(np.float64) - waveform, taps)[delay : delay + len(waveform)]
    return np.asarray(waveform + lacking, np.float32)


def rotate_to_peak(waveform: Waveform, peak: float) -> Waveform:
    """Rotate the phase of all frequencies by the one angle that brings the peak nearest to ``peak``.

    Spectrum, loudness and timing stay as they are, and the ear does not hear it; the crest changes some dB.
    """
    shifted = _quarter_turn(waveform)
    power = waveform**2 + shifted**2
    loud = power >= 0.25 * power.max(initial=0.0)
    cosines, sines = waveform[loud], shifted[loud]
    angles = np.pi * (np.arange(_N_ANGLES) / _N_ANGLES - 0.5)
    peaks = np.array([np.abs(_turned(cosines, sines, angle)).max(initial=0.0) for angle in angles])
    best = angles[np.lexsort((np.abs(angles), np.round(np.abs(peaks - peak), 6)))[0]]
    return _turned(waveform, shifted, best)


def _turned(waveform: Waveform, shifted: Waveform, angle: float) -> Waveform:
    return waveform * np.float32(np.cos(angle)) + shifted * np.float32(np.sin(angle))


def _quarter_turn(waveform: Waveform) -> Waveform:
    """All frequencies 90 degrees later, [time], piece by piece, each with what surrounds it faded out.

    The mirrored ends keep a clip cut off in mid-word from ringing.
    """
    edge = min(_EDGE, len(waveform) - 1)
    padded = _faded(np.pad(waveform, edge, mode="reflect"), edge, edge)
    turned = np.empty_like(padded)
    for start in range(0, len(padded), _PIECE):
        before, stop = min(start, _CONTEXT), min(start + _PIECE, len(padded))
        after = min(len(padded) - stop, _CONTEXT)
        heard = _faded(padded[start - before : stop + after].astype(np.float64), before, after)
        turned[start:stop] = hilbert(heard).imag[before : before + stop - start]
    return turned[edge : edge + len(waveform)]


def _faded(waveform: NDArray[np.floating], n_in: int, n_out: int) -> NDArray[np.floating]:
    """The waveform with its first ``n_in`` samples faded in and its last ``n_out`` faded out."""
    faded = waveform.copy()
    for n_samples, end in ((n_in, faded), (n_out, faded[::-1])):
        end[:n_samples] *= np.sin(np.linspace(0, np.pi / 2, n_samples, dtype=faded.dtype)) ** 2
    return faded
