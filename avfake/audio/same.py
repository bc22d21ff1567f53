"""Whether two sounds are one recording, whatever codec, level and delay lie between them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import firwin, oaconvolve

from avfake.audio.io import Waveform, resample
from avfake.audio.measure import level_db

LARGEST_RESIDUAL_DB = -6.0  # re-encoded speech lies under it, a resynthesis of the same speech above it
LONGEST_LAG_S = 0.5
_SHORTEST_S = 0.5  # shorter sounds are too easily alike at one lag or another
_QUIET_DB = -70.0  # a codec may lose the waveform of what is softer
_RATE = 8_000  # Hz; at 4 kHz and above codecs fill in noise of their own
_LOWEST_HZ = 80.0  # some codecs remove the rumble below
_N_TAPS = 401  # of the filter that removes it
_WINDOW_S = 1.0
_RANGE_DB = 20.0  # seconds that are softer than the loudest one by more are not judged
_REACH = 2  # samples to each side over which the original is filtered: a fraction of a sample, a codec's tint
_BLOCK = 1 << 17  # samples that are correlated at once

_Signal = NDArray[np.float64]


class Comparison(NamedTuple):
    """What is left of one sound when all that another explains is taken away.

    Attributes:
        matches: Whether both are one recording; None when they are too short or too quiet to tell.
        residual_db: Energy left against energy before, in the worst second; None when they are too short.
        lag_s: How late the one is against the other; 0 when they are too short.
    """

    matches: bool | None
    residual_db: float | None
    lag_s: float


UNKNOWN = Comparison(None, None, 0.0)


def compare(fake: Waveform, original: Waveform, sample_rate: int) -> Comparison:
    """Tell whether a sound is a copy of another: re-encoded, delayed, louder or softer, cut a little.

    Waveforms are compared and not envelopes, which a resynthesis shares with its source.

    Args:
        fake: Mono, [time].
        original: Mono, [time]. Where it ends LONGEST_LAG_S before ``fake`` or less, the rest is not judged;
            more than that is sound it does not explain.
        sample_rate: Of both, in Hz.
    """
    if min(len(fake), len(original)) < _SHORTEST_S * sample_rate:
        return UNKNOWN
    sound, source = (_speech_band(waveform, sample_rate) for waveform in (fake, original))
    lag = _lag(sound, source, min(round(LONGEST_LAG_S * _RATE), len(sound) // 4, len(source) // 4))
    judged = _judged(len(sound), len(source) + lag, lag)
    residual_db = _worst_db(sound[judged], _unexplained(sound, source, lag)[judged])
    matches = residual_db <= LARGEST_RESIDUAL_DB
    quiet = all(level_db(_powers(signal).max()) < _QUIET_DB for signal in (sound, source))
    return Comparison(None if quiet and not matches else matches, residual_db, lag / _RATE)


def _speech_band(waveform: Waveform, sample_rate: int) -> _Signal:
    """What codecs keep best, [time] at _RATE."""
    taps = firwin(_N_TAPS, _LOWEST_HZ, pass_zero=False, fs=_RATE)
    delay = _N_TAPS // 2
    filtered = oaconvolve(resample(waveform, sample_rate, _RATE).astype(np.float64), taps)
    return np.asarray(filtered[delay : len(filtered) - delay])


def _lag(sound: _Signal, source: _Signal, longest: int) -> int:
    """Samples by which ``sound`` is late: where the two correlate most, with either sign."""
    correlation = np.zeros(2 * longest + 1)
    padded = np.pad(source, (longest, longest + len(sound)))
    for start in range(0, len(sound), _BLOCK):
        piece = sound[start : start + _BLOCK]
        around = padded[start : start + len(piece) + 2 * longest]
        size = next_fast_len(len(around), real=True)
        products = irfft(np.conj(rfft(piece, size)) * rfft(around, size), size)
        correlation += products[2 * longest :: -1]
    return int(np.argmax(np.abs(correlation))) - longest


def _judged(n_samples: int, end: int, lag: int) -> slice:
    """Where a sound of ``n_samples`` is judged when its original lies from ``lag`` to ``end`` on its axis."""
    overhanging = n_samples - end <= LONGEST_LAG_S * _RATE
    return slice(max(0, lag), min(n_samples, end) if overhanging else n_samples)


def _unexplained(sound: _Signal, source: _Signal, lag: int) -> _Signal:
    """What remains of ``sound`` after the best filter of a few taps made the most of ``source``, [time]."""
    margin = abs(lag) + _REACH
    padded = np.pad(source, (margin, margin + len(sound)))
    shifts = range(margin - lag - _REACH, margin - lag + _REACH + 1)
    shifted = [padded[shift : shift + len(sound)] for shift in shifts]
    products = np.array([[one @ other for other in shifted] for one in shifted])
    taps = np.linalg.lstsq(products, np.array([one @ sound for one in shifted]), rcond=None)[0]
    remains = sound.copy()
    for tap, one in zip(taps, shifted, strict=True):
        remains -= tap * one
    return remains


def _worst_db(sound: _Signal, remains: _Signal) -> float:
    powers = _powers(sound)
    loud = (powers > 0) & (powers >= powers.max() * 10 ** (-_RANGE_DB / 10))
    if not loud.any():
        return 0.0  # nothing of silence is explained by anything
    return float(level_db(np.max(_powers(remains)[loud] / powers[loud])))


def _powers(signal: _Signal) -> NDArray[np.float64]:
    """Mean power of each second, half of which is in the next; of the whole when it is shorter, [windows]."""
    length = min(len(signal), round(_WINDOW_S * _RATE))
    starts = np.append(np.arange(0, len(signal) - length, length // 2), len(signal) - length)
    sums = np.cumsum(np.pad(np.square(signal), (1, 0)))
    return np.asarray((sums[starts + length] - sums[starts]) / length)
