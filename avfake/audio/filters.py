"""Filters without delay: a low-pass, the bands of a sound, another's average spectrum and rumble."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, get_window, kaiserord, oaconvolve

from avfake.audio.blocks import by_blocks
from avfake.audio.io import Waveform
from avfake.audio.measure import average_spectrum_db

STOPBAND_DB = 90.0  # under what 16 bits can hold of speech
TRANSITION_HZ = 500.0
RUMBLE_HZ = 65.0  # the lowest voices begin above, the hum of the mains lies below
LARGEST_TINT_DB = 12.0
_RUMBLE_TRANSITION_HZ = 15.0
_IN_BAND_DB = -45.0  # of the average spectrum, against its peak; what is louder lies in the band,
_OUT_OF_BAND_DB = -55.0  # what is softer is the floor beyond
_ROUNDS = 2  # the measured spectra are smooth, so that one round leaves a trace of a steep edge


def low_pass(waveform: Waveform, cutoff_hz: float, sample_rate: int) -> Waveform:
    """Remove what lies at and above a frequency, with linear phase.

    Args:
        waveform: Mono, [time].
        cutoff_hz: Where the stop band begins; the pass band ends TRANSITION_HZ below.
        sample_rate: In Hz.

    Returns:
        As many samples as came in.
    """
    if cutoff_hz >= sample_rate / 2:
        return waveform
    taps = _low_pass_taps(cutoff_hz, TRANSITION_HZ, sample_rate)
    return by_blocks(
        lambda sound: oaconvolve(sound.astype(np.float64), taps, mode="same"),
        waveform,
        reach=len(taps) // 2,
    )


def split_bands(waveform: Waveform, edges_hz: tuple[float, ...], sample_rate: int) -> list[Waveform]:
    """Split a sound into bands, each [time], from the lowest to the highest; their sum is the sound.

    Args:
        waveform: [time].
        edges_hz: Where one band gives way to the next, over half an edge's frequency.
        sample_rate: In Hz.
    """
    bands: list[Waveform] = []
    rest = waveform
    for edge_hz in edges_hz:
        taps = _low_pass_taps(1.25 * edge_hz, 0.5 * edge_hz, sample_rate)
        bands.append(mirrored_convolve(rest, taps).astype(np.float32))
        rest = rest - bands[-1]
    return [*bands, rest]


def with_average_spectrum(waveform: Waveform, model_db: NDArray[np.float64]) -> Waveform:
    """Give a sound the average spectrum of a model, with linear phase.

    Where the band of the model has ended, whatever it takes is done; within it LARGEST_TINT_DB at most.

    Args:
        waveform: [time], as loud as the model.
        model_db: ``average_spectrum_db`` of the model, at the same sample rate.
    """
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
        tint = partial(oaconvolve, in2=taps.astype(np.float32), mode="same")
        waveform = by_blocks(tint, waveform, reach=len(taps) // 2)
    return waveform


def rumble(waveform: Waveform, sample_rate: int) -> Waveform:
    """What a sound holds below the voice, RUMBLE_HZ, [time]."""
    taps = _low_pass_taps(RUMBLE_HZ, _RUMBLE_TRANSITION_HZ, sample_rate)
    return by_blocks(
        lambda sound: mirrored_convolve(sound.astype(np.float64), taps), waveform, reach=len(taps) // 2
    )


def without_rumble(waveform: Waveform, sample_rate: int) -> Waveform:
    """What a sound holds from the voice upwards, [time]."""
    low = rumble(waveform, sample_rate)
    return np.subtract(waveform, low, out=low)


def mirrored_convolve(waveform: NDArray[np.floating], taps: NDArray[np.floating]) -> NDArray[np.floating]:
    """Filter, [time], as if the sound went on mirrored: one cut off in mid-word has no edges that ring.

    Args:
        waveform: [time].
        taps: An odd number, the middle one without delay.
    """
    delay = len(taps) // 2
    padded = np.pad(waveform, delay, mode="reflect")
    filtered: NDArray[np.floating] = oaconvolve(padded, taps.astype(waveform.dtype), mode="valid")
    return filtered


def _low_pass_taps(stop_hz: float, transition_hz: float, sample_rate: int) -> NDArray[np.float64]:
    n_taps, beta = kaiserord(STOPBAND_DB, transition_hz / (sample_rate / 2))
    taps: NDArray[np.float64] = firwin(
        n_taps | 1, stop_hz - transition_hz / 2, window=("kaiser", beta), fs=sample_rate
    )
    return taps
