"""Rid a resynthesis of every difference from its source that is not the resynthesis itself.

A detector would rather learn a level, a silence, an offset or a cut-off than a vocoder. So the fake gets
the source's loudness over speech, its level in every pause, its digital silence, its average spectrum, what
it holds below the voice, its peaks, and no DC; what cannot be mended (a lag, a broken output) fails the clip.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.audio.align import measure_lag
from avfake.audio.filters import rumble, with_average_spectrum, without_rumble
from avfake.audio.io import Waveform, remove_dc
from avfake.audio.measure import (
    FLOOR_DB,
    active_speech,
    average_spectrum_db,
    bandwidth_hz,
    log_spectral_distance_db,
    loudness_db,
)
from avfake.audio.pauses import Levels, digital_silence, level_pauses, measure_levels
from avfake.audio.phases import STEPS_HZ, peaks_of, turn_to_peaks
from avfake.errors import ClipError, ErrorKind

VERSION = 3  # raise it when the same resynthesis comes out as other samples
LARGEST_LAG_MS = 1.0
LARGEST_GAIN_DB = 20.0
# How far pauses are moved against speech, and where low frequencies may be turned against high ones. The
# source's level to the last decibel sharpens what a blur smeared over an onset, and turning delays: either
# can read as a lag. Where it does, the next is tried.
_ATTEMPTS = ((40.0, STEPS_HZ), (40.0, ()), (10.0, ()), (5.0, ()), (0.0, ()))
_PEAK_TRIM_DB = 1.0  # of loudness given up to bring the peak nearer to the source's: peaks of mastered speech
# crowd at one value, where a decibel tells; loudness does not


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
    """Give a resynthesis the level, silences, average spectrum and peaks of its source.

    Args:
        fake: Resynthesis, [time].
        source: What it was made from, [time], of the same length.
        sample_rate: Of both, in Hz.

    Raises:
        ClipError: The resynthesis is not finite, silent, wildly louder or softer, or lags.
    """
    if not np.isfinite(fake).all():
        raise ClipError(ErrorKind.NOT_FINITE, "the vocoder's output holds NaN or infinite samples")
    voice = without_rumble(fake, sample_rate)
    model = _learn(source, sample_rate)
    gain_db = _speech_gain_db(voice, model)
    matched, lag_ms = _on_time(voice, model, gain_db)
    return Matched(
        waveform=matched,
        gain_db=gain_db,
        lag_ms=lag_ms,
        lsd_db=log_spectral_distance_db(source, matched),
        bandwidth_hz=bandwidth_hz(matched, sample_rate),
    )


class _Model(NamedTuple):
    """A source, and what is taken over from it.

    It is taken apart at the lower end of the voice. What lies below is the room's: left in, it would pass for
    the loudness of a pause, which the vocoder would then fill with hiss.

    Attributes:
        source: [time].
        sample_rate: In Hz.
        low: What lies below the voice, [time].
        speech: Samples of active speech, [time].
        speech_db: Loudness of the voice over them.
        levels: Of the voice.
        spectrum_db: Average spectrum of the voice.
    """

    source: Waveform
    sample_rate: int
    low: Waveform
    speech: NDArray[np.bool_]
    speech_db: float
    levels: Levels
    spectrum_db: NDArray[np.float64]


def _learn(source: Waveform, sample_rate: int) -> _Model:
    low = rumble(source, sample_rate)
    voice = source - low
    speech = active_speech(source, sample_rate)
    return _Model(
        source=source,
        sample_rate=sample_rate,
        low=low,
        speech=speech,
        speech_db=loudness_db(voice, speech),
        levels=measure_levels(voice, sample_rate),
        spectrum_db=average_spectrum_db(voice),
    )


def _speech_gain_db(voice: Waveform, model: _Model) -> float:
    speech_db = loudness_db(voice, model.speech)
    if speech_db <= FLOOR_DB + 1:
        raise ClipError(ErrorKind.SILENT, "the vocoder's output is silent where its source speaks")
    gain_db = model.speech_db - speech_db
    if abs(gain_db) > LARGEST_GAIN_DB:
        raise ClipError(
            ErrorKind.WRONG_LEVEL,
            f"the vocoder's speech is {-gain_db:+.0f} dB off its source's; {LARGEST_GAIN_DB:.0f} dB may be",
        )
    return gain_db


def _on_time(voice: Waveform, model: _Model, gain_db: float) -> tuple[Waveform, float | None]:
    """The matched resynthesis, [time], and its lag in milliseconds."""
    lag_ms = 0.0
    for limit_db, steps_hz in _ATTEMPTS:
        matched = _matched(voice, model, gain_db, limit_db, steps_hz)
        lag_s = measure_lag(model.source, matched, model.sample_rate)
        if lag_s is None:
            return matched, None
        lag_ms = lag_s * 1000
        if abs(lag_ms) <= LARGEST_LAG_MS:
            return matched, lag_ms
    raise ClipError(
        ErrorKind.MISALIGNED,
        f"the vocoder's output lags by {lag_ms:+.2f} ms; {LARGEST_LAG_MS:.0f} ms may be",
    )


def _matched(
    voice: Waveform, model: _Model, gain_db: float, limit_db: float, steps_hz: tuple[float, ...]
) -> Waveform:
    """One attempt; works in place where it can, for a clip may be long."""
    source, sample_rate = model.source, model.sample_rate
    made = with_average_spectrum(
        level_pauses(voice, model.levels, gain_db, sample_rate, limit_db=limit_db), model.spectrum_db
    )
    made = without_rumble(made, sample_rate)
    made *= _factor_to_speech(made, model)
    made = turn_to_peaks(made, peaks_of(source), below=model.low, sample_rate=sample_rate, steps_hz=steps_hz)
    made *= _factor_to_speech(made, model)
    made += model.low
    made[digital_silence(source, sample_rate)] = 0
    made = remove_dc(made)
    made *= _trim(max(peaks_of(made)), max(peaks_of(source)))
    return made


def _factor_to_speech(voice: Waveform, model: _Model) -> np.float32:
    """By which speech becomes as loud as the source's."""
    return np.float32(10 ** ((model.speech_db - loudness_db(voice, model.speech)) / 20))


def _trim(peak: float, wanted: float) -> np.float32:
    """Last factor of all: towards the wanted peak by a decibel at most, and never beyond full scale."""
    trim_db = np.clip(20 * np.log10(wanted / max(peak, 1e-9)), -_PEAK_TRIM_DB, _PEAK_TRIM_DB)
    return np.float32(min(10 ** (trim_db / 20), 32_767 / 32_768 / max(peak, 1e-9)))
