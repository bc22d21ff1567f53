"""Give a resynthesis the pauses of its source: its level there, band by band, and its digital silence."""

import numpy as np
from numpy.typing import NDArray

from avfake.audio.filters import split_bands
from avfake.audio.io import Waveform
from avfake.audio.measure import FLOOR_DB, frame_levels_db

_SPEECH_DB = -20.0  # against the loudest frame; louder frames all get one gain, so speech keeps its dynamics,
_PAUSE_DB = -30.0  # and softer ones follow the source's level: a vocoder's own noise floor would tell on it
# One level for all frequencies would not do: where a room hums, the vocoder would hiss as loudly.
_BAND_EDGES_HZ = (150.0, 300.0, 1_000.0, 2_500.0, 5_000.0)
_SHORTEST_ZEROS_S = 0.002  # shorter runs of zeros are zero crossings, not digital silence


def level_pauses(
    fake: Waveform, source: Waveform, gain_db: float, sample_rate: int, *, limit_db: float
) -> Waveform:
    """Make speech louder by one gain, and pauses as loud as the source's in each of six bands.

    Args:
        fake: Resynthesis, [time].
        source: What it was made from, [time].
        gain_db: Of speech.
        sample_rate: Of both, in Hz.
        limit_db: How far a pause may be moved against speech.
    """
    loudness_db = frame_levels_db(source, sample_rate)
    depth_db = _SPEECH_DB - (loudness_db - loudness_db.max())
    share = np.clip(depth_db / (_SPEECH_DB - _PAUSE_DB), 0, 1)
    levelled = np.zeros_like(fake)
    bands = (split_bands(waveform, _BAND_EDGES_HZ, sample_rate) for waveform in (fake, source))
    for band, model in zip(*bands, strict=True):
        fake_db, source_db = (frame_levels_db(sound, sample_rate) for sound in (band, model))
        audible = np.minimum(source_db, fake_db) > FLOOR_DB + 10
        pause_gains_db = np.clip(source_db - fake_db - gain_db, -limit_db, limit_db)
        levelled += band * _factors(gain_db + share * audible * pause_gains_db, len(fake))
    return levelled


def digital_silence(source: Waveform, sample_rate: int) -> NDArray[np.bool_]:
    """Samples, [time], in runs of exact zeros."""
    zero = np.concatenate([[False], source == 0, [False]])
    starts, ends = np.flatnonzero(zero[1:] & ~zero[:-1]), np.flatnonzero(~zero[1:] & zero[:-1])
    long_enough = ends - starts >= _SHORTEST_ZEROS_S * sample_rate
    silence = np.zeros(len(source) + 1, np.int8)
    silence[starts[long_enough]] += 1
    silence[ends[long_enough]] -= 1
    return np.cumsum(silence[:-1]).astype(bool)


def _factors(gains_db: NDArray[np.float64], n_samples: int) -> NDArray[np.float32]:
    """Factor per sample, [time], from gains per frame."""
    centres = (np.arange(len(gains_db)) + 0.5) * n_samples / len(gains_db)
    return np.asarray(10 ** (np.interp(np.arange(n_samples), centres, gains_db) / 20), np.float32)
