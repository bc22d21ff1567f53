"""Rid a resynthesis of every difference from its source that is not the resynthesis itself.

A detector would rather learn a level, a silence, an offset or a cut-off than a vocoder. So the fake gets
the source's loudness over speech, its level in every pause, its digital silence, its average spectrum, what
it holds below the voice, its peak, and no DC; what cannot be mended (a lag, a broken output) fails the clip.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.audio.align import measure_lag
from avfake.audio.filters import rotate_to_peak, with_average_spectrum, with_rumble
from avfake.audio.io import Waveform, remove_dc
from avfake.audio.measure import (
    FLOOR_DB,
    active_speech,
    bandwidth_hz,
    frame_levels_db,
    log_spectral_distance_db,
    loudness_db,
)
from avfake.errors import ClipError, ErrorKind

LARGEST_LAG_MS = 1.0
LARGEST_GAIN_DB = 20.0
# How far a pause may be moved against speech. The source's level to the last decibel sharpens what a blur
# smeared over an onset, which reads as a lag; where that matters, less of it is done.
_PAUSE_LIMITS_DB = (40.0, 10.0, 5.0, 0.0)
_PEAK_TRIM_DB = 1.0  # of loudness given up to bring the peak nearer to the source's: peaks of mastered speech
# crowd at one value, where a decibel tells; loudness does not
_SPEECH_DB = -20.0  # against the loudest frame; louder frames all get one gain, so speech keeps its dynamics,
_PAUSE_DB = -30.0  # and softer ones follow the source's level: a vocoder's own noise floor would tell on it
_SHORTEST_ZEROS_S = 0.002  # shorter runs of zeros are zero crossings, not digital silence


class Matched(NamedTuple):
    """A matched resynthesis and how far it is from its source.

    Attributes:
        waveform: [time], as long as the source.
        gain_db: By which its speech was made louder.
        lag_ms: How late it is; None where the sound has no envelope to compare.
        lsd_db: Log-spectral distance.
        bandwidth_hz: Effective bandwidth.
    """

    waveform: Waveform
    gain_db: float
    lag_ms: float | None
    lsd_db: float
    bandwidth_hz: float


def match_sound(fake: Waveform, source: Waveform, sample_rate: int) -> Matched:
    """Give a resynthesis the level, silences, average spectrum and zero mean of its source.

    Args:
        fake: Resynthesis, [time].
        source: What it was made from, [time], of the same length.
        sample_rate: Of both, in Hz.

    Raises:
        ClipError: The resynthesis is not finite, silent, wildly louder or softer, or lags.
    """
    if not np.isfinite(fake).all():
        raise ClipError(ErrorKind.NOT_FINITE, "the vocoder's output holds NaN or infinite samples")
    fake = remove_dc(fake)
    speech = active_speech(source, sample_rate)
    gain_db = _speech_gain_db(fake, source, speech)
    levelled, lag_ms = _levelled(fake, source, gain_db, sample_rate)
    peak = float(np.abs(source).max())
    tinted = with_average_spectrum(levelled, source)
    tinted *= np.float32(10 ** ((loudness_db(source, speech) - loudness_db(tinted, speech)) / 20))
    matched = with_rumble(rotate_to_peak(tinted, peak), source, sample_rate)
    matched = remove_dc(np.where(_digital_silence(source, sample_rate), np.float32(0), matched))
    matched *= _trim(float(np.abs(matched).max()), peak)
    return Matched(
        waveform=matched,
        gain_db=gain_db,
        lag_ms=lag_ms,
        lsd_db=log_spectral_distance_db(source, matched),
        bandwidth_hz=bandwidth_hz(matched, sample_rate),
    )


def _trim(peak: float, wanted: float) -> np.float32:
    """Last factor of all: towards the wanted peak by a decibel at most, and never beyond full scale."""
    trim_db = np.clip(20 * np.log10(wanted / max(peak, 1e-9)), -_PEAK_TRIM_DB, _PEAK_TRIM_DB)
    return np.float32(min(10 ** (trim_db / 20), 32_767 / 32_768 / max(peak, 1e-9)))


def _speech_gain_db(fake: Waveform, source: Waveform, speech: NDArray[np.bool_]) -> float:
    speech_db = loudness_db(fake, speech)
    if speech_db <= FLOOR_DB + 1:
        raise ClipError(ErrorKind.SILENT, "the vocoder's output is silent where its source speaks")
    gain_db = loudness_db(source, speech) - speech_db
    if abs(gain_db) > LARGEST_GAIN_DB:
        raise ClipError(
            ErrorKind.WRONG_LEVEL,
            f"the vocoder's speech is {-gain_db:+.0f} dB off its source's; {LARGEST_GAIN_DB:.0f} dB may be",
        )
    return gain_db


def _levelled(
    fake: Waveform, source: Waveform, gain_db: float, sample_rate: int
) -> tuple[Waveform, float | None]:
    """The resynthesis at its source's level, and its lag in milliseconds."""
    lag_ms = 0.0
    for limit_db in _PAUSE_LIMITS_DB:
        gains = _gain_curve(fake, source, gain_db, limit_db, sample_rate)
        levelled = fake * gains
        lag_s = measure_lag(source, levelled, sample_rate)
        if lag_s is None:
            return levelled, None
        lag_ms = lag_s * 1000
        if abs(lag_ms) <= LARGEST_LAG_MS:
            return levelled, lag_ms
    raise ClipError(
        ErrorKind.MISALIGNED,
        f"the vocoder's output lags by {lag_ms:+.2f} ms; {LARGEST_LAG_MS:.0f} ms may be",
    )


def _gain_curve(
    fake: Waveform, source: Waveform, speech_gain_db: float, limit_db: float, sample_rate: int
) -> NDArray[np.float32]:
    """Factor per sample, [time]: one gain for speech, in pauses whatever gives the source's level."""
    source_db, fake_db = (frame_levels_db(waveform, sample_rate) for waveform in (source, fake))
    depth_db = _SPEECH_DB - (source_db - source_db.max())
    share = np.clip(depth_db / (_SPEECH_DB - _PAUSE_DB), 0, 1) * (
        np.minimum(source_db, fake_db) > FLOOR_DB + 10
    )
    pause_gains_db = np.clip(source_db - fake_db - speech_gain_db, -limit_db, limit_db)
    gains_db = speech_gain_db + share * pause_gains_db
    centres = (np.arange(len(gains_db)) + 0.5) * len(fake) / len(gains_db)
    return np.asarray(10 ** (np.interp(np.arange(len(fake)), centres, gains_db) / 20), np.float32)


def _digital_silence(source: Waveform, sample_rate: int) -> NDArray[np.bool_]:
    """Samples, [time], in runs of exact zeros."""
    zero = np.concatenate([[False], source == 0, [False]])
    starts, ends = np.flatnonzero(zero[1:] & ~zero[:-1]), np.flatnonzero(~zero[1:] & zero[:-1])
    long_enough = ends - starts >= _SHORTEST_ZEROS_S * sample_rate
    silence = np.zeros(len(source) + 1, np.int8)
    silence[starts[long_enough]] += 1
    silence[ends[long_enough]] -= 1
    return np.cumsum(silence[:-1]).astype(bool)
