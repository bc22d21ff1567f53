"""Turn the phases of a sound, and nothing else, until its peaks are as high as another's."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, ifft
from scipy.signal import get_window

from avfake.audio.blocks import by_blocks, cut_blocks
from avfake.audio.filters import mirrored_convolve
from avfake.audio.io import Waveform

# Where lower frequencies may be turned against higher ones, in the order in which it is tried.
STEPS_HZ = (400.0, 1_000.0, 200.0, 2_000.0, 600.0, 300.0, 1_400.0, 3_000.0)
_STEP_ANGLES = np.pi / 2 * np.array([1, -1, 2])
_ANGLES = 2 * np.pi * np.arange(128) / 128  # of all frequencies
_BLOCK = 2_048  # samples; a step at the lowest frequency smears over less
_MOST_BLOCKS = 48  # that are tried out, the loudest ones, so that a long clip takes no longer
_LOUD = 0.5  # of the highest peak: a block under it will not hold the peak after any turn
_CLOSE_DB = 0.05
_BOTH_PEAKS = 0.5  # what an error of the upper or the lower peak counts against one of the higher of the two
_SILENT = 1e-9

_Phases = NDArray[np.float64]


class Peaks(NamedTuple):
    """How far a waveform goes.

    Attributes:
        highest: Its highest sample.
        lowest: Its lowest sample, negated.
    """

    highest: float
    lowest: float


class _Turn(NamedTuple):
    """Phases, in radians, [frequency], and what they miss the wanted peaks by."""

    error_db: float
    phases: _Phases


class _Blocks(NamedTuple):
    """The loudest blocks of a waveform.

    Attributes:
        spectra: Of each with half a block on either side, [blocks, frequency].
        below: What will be added to each, [blocks, time].
    """

    spectra: NDArray[np.complex64]
    below: NDArray[np.float32]


def peaks_of(waveform: Waveform) -> Peaks:
    """The peaks of a waveform, [time]."""
    return Peaks(float(waveform.max()), float(-waveform.min()))


def turn_to_peaks(
    waveform: Waveform,
    wanted: Peaks,
    *,
    below: Waveform,
    sample_rate: int,
    steps_hz: tuple[float, ...] = STEPS_HZ,
) -> Waveform:
    """Turn phases until ``waveform + below`` comes as near to the wanted peaks as it can.

    All frequencies are turned by one angle, and where that is not enough, lower ones against higher ones.
    Spectrum and loudness stay as they are, and the ear hears nothing; the crest changes some decibels.

    Args:
        waveform: [time], without anything below the voice.
        wanted: The higher of the two is met as nearly as possible, then both.
        below: What will be added below the voice, [time].
        sample_rate: In Hz.
        steps_hz: Where lower frequencies may be turned against higher ones.
    """
    frequencies = np.fft.rfftfreq(2 * _BLOCK, 1 / sample_rate)
    blocks = _loudest_blocks(waveform, below)
    best = _best_angle(blocks, np.zeros(len(frequencies)), wanted)
    for step_hz in steps_hz:
        if best.error_db <= _CLOSE_DB:
            break
        shape = 1 / (1 + (frequencies / step_hz) ** 4)
        tried = [_best_angle(blocks, best.phases + angle * shape, wanted) for angle in _STEP_ANGLES]
        best = min([best, *tried], key=lambda turn: turn.error_db)
    return _turned(waveform, best.phases)


def _loudest_blocks(waveform: Waveform, below: Waveform) -> _Blocks:
    places = [block.place for block in cut_blocks(len(waveform), multiple=_BLOCK)]
    heights = np.concatenate([_heights(waveform[place] + below[place]) for place in places])
    loudest = np.argsort(-heights, kind="stable")[:_MOST_BLOCKS]
    loudest = np.sort(loudest[heights[loudest] >= _LOUD * heights.max()])
    around = loudest[:, None] * _BLOCK + np.arange(-_BLOCK // 2, _BLOCK + _BLOCK // 2)
    spectra = 2 * fft(_excerpts(waveform, around).astype(np.complex64), axis=1)[:, : _BLOCK + 1]
    return _Blocks(spectra, _excerpts(below, around[:, _BLOCK // 2 : -_BLOCK // 2]))


def _heights(waveform: Waveform) -> NDArray[np.float32]:
    """Highest magnitude of each block, [blocks]."""
    return np.maximum.reduceat(np.abs(waveform), np.arange(0, len(waveform), _BLOCK))


def _excerpts(waveform: Waveform, places: NDArray[np.int64]) -> Waveform:
    """Samples at some places, zero where there are none."""
    inside = (places >= 0) & (places < len(waveform))
    return np.where(inside, waveform.take(places, mode="clip"), np.float32(0))


def _best_angle(blocks: _Blocks, phases: _Phases, wanted: Peaks) -> _Turn:
    """Try all angles on top of some phases."""
    spectra = np.zeros((len(blocks.spectra), 2 * _BLOCK), np.complex64)
    spectra[:, : _BLOCK + 1] = blocks.spectra * np.exp(1j * phases).astype(np.complex64)
    analytic = ifft(spectra, axis=1)[:, _BLOCK // 2 : -_BLOCK // 2]
    reach = np.abs(analytic) + np.abs(blocks.below)
    high = reach >= _LOUD * min(*wanted, reach.max())
    turned = np.real(analytic[high][:, None] * np.exp(1j * _ANGLES).astype(np.complex64))
    turned += blocks.below[high][:, None]
    highest, lowest = turned.max(axis=0), -turned.min(axis=0)
    errors_db = [
        np.abs(20 * np.log10(np.maximum(found, _SILENT) / max(peak, _SILENT)))
        for found, peak in (
            (np.maximum(highest, lowest), max(wanted)),
            (highest, wanted.highest),
            (lowest, wanted.lowest),
        )
    ]
    total_db = errors_db[0] + _BOTH_PEAKS * np.maximum(errors_db[1], errors_db[2])
    best = int(np.argmin(total_db))
    return _Turn(float(total_db[best]), phases + _ANGLES[best])


def _turned(waveform: Waveform, phases: _Phases) -> Waveform:
    taps = np.roll(np.fft.irfft(np.exp(1j * phases)), _BLOCK)[1:]
    taps *= get_window(("kaiser", 6.0), len(taps), fftbins=False)
    return by_blocks(lambda sound: mirrored_convolve(sound, taps), waveform, reach=len(taps) // 2)
