"""Give a resynthesis the pauses of its source: its level there, band by band, and its digital silence."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.audio.blocks import Block, cut_blocks
from avfake.audio.filters import split_bands
from avfake.audio.io import Waveform
from avfake.audio.measure import FLOOR_DB, frame_length, frame_levels_db

_SPEECH_DB = -20.0  # against the loudest frame; louder frames all get one gain, so speech keeps its dynamics,
_PAUSE_DB = -30.0  # and softer ones follow the source's level: a vocoder's own noise floor would tell on it
# One level for all frequencies would not do: where a room hums, the vocoder would hiss as loudly.
_BAND_EDGES_HZ = (150.0, 300.0, 1_000.0, 2_500.0, 5_000.0)
_REACH_S = 0.12  # how far away a sample still counts: 66 ms by the filters of the bands, and two frames
_SHORTEST_ZEROS_S = 0.002  # shorter runs of zeros are zero crossings, not digital silence


class Levels(NamedTuple):
    """How loud a sound is, frame of 20 ms by frame, in dB against full scale.

    Attributes:
        whole: All frequencies together, [frames].
        bands: Each of six bands, [bands, frames].
    """

    whole: NDArray[np.float64]
    bands: NDArray[np.float64]


def measure_levels(waveform: Waveform, sample_rate: int) -> Levels:
    """Levels of a sound, [time], as a whole and in its bands."""
    whole = frame_levels_db(waveform, sample_rate)
    bands = np.empty((len(_BAND_EDGES_HZ) + 1, len(whole)))
    for block in _blocks(len(waveform), sample_rate):
        kept, place = (_frames(samples, sample_rate) for samples in (block.kept, block.place))
        for levels, band in zip(bands, _bands(waveform[block.heard], sample_rate), strict=True):
            levels[place] = frame_levels_db(band, sample_rate)[kept]
    return Levels(whole, bands)


def level_pauses(
    fake: Waveform, source: Levels, gain_db: float, sample_rate: int, *, limit_db: float
) -> Waveform:
    """Make speech louder by one gain, and pauses as loud as the source's in each of six bands.

    Args:
        fake: Resynthesis, [time].
        source: Levels of what it was made from.
        gain_db: Of speech.
        sample_rate: Of both, in Hz.
        limit_db: How far a pause may be moved against speech.
    """
    depth_db = _SPEECH_DB - (source.whole - source.whole.max())
    share = np.clip(depth_db / (_SPEECH_DB - _PAUSE_DB), 0, 1)
    centres = (np.arange(len(share)) + 0.5) * frame_length(sample_rate)
    levelled = np.zeros_like(fake)
    for block in _blocks(len(fake), sample_rate):
        frames, samples = _frames(block.heard, sample_rate), np.arange(block.heard.start, block.heard.stop)
        bands = _bands(fake[block.heard], sample_rate)
        for band, source_db in zip(bands, source.bands[:, frames], strict=True):
            fake_db = frame_levels_db(band, sample_rate)
            audible = np.minimum(source_db, fake_db) > FLOOR_DB + 10
            pause_gains_db = np.clip(source_db - fake_db - gain_db, -limit_db, limit_db)
            gains_db = gain_db + share[frames] * audible * pause_gains_db
            factors = (10 ** (np.interp(samples, centres[frames], gains_db) / 20)).astype(np.float32)
            levelled[block.place] += (band * factors)[block.kept]
    return levelled


def digital_silence(source: Waveform, sample_rate: int) -> NDArray[np.bool_]:
    """Samples, [time], in runs of exact zeros."""
    zero = np.concatenate([[False], source == 0, [False]])
    starts, ends = np.flatnonzero(zero[1:] & ~zero[:-1]), np.flatnonzero(~zero[1:] & zero[:-1])
    long_enough = ends - starts >= _SHORTEST_ZEROS_S * sample_rate
    silence = np.zeros(len(source) + 1, np.int8)
    silence[starts[long_enough]] += 1
    silence[ends[long_enough]] -= 1
    return np.cumsum(silence[:-1], dtype=np.int8).astype(bool)


def _blocks(n_samples: int, sample_rate: int) -> Iterator[Block]:
    """Blocks of whole frames."""
    return cut_blocks(n_samples, reach=round(_REACH_S * sample_rate), multiple=frame_length(sample_rate))


def _frames(samples: slice, sample_rate: int) -> slice:
    """The frames in which some samples lie; the first of these begins one."""
    length = frame_length(sample_rate)
    return slice(samples.start // length, -(-samples.stop // length))


def _bands(waveform: Waveform, sample_rate: int) -> list[Waveform]:
    return split_bands(waveform, _BAND_EDGES_HZ, sample_rate)
