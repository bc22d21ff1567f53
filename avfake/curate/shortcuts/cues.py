"""Measure what a detector should not live on: the level, edges, band and file of one sound."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from avfake.audio.io import Waveform, load_flac
from avfake.audio.measure import (
    FLOOR_DB,
    active_speech,
    bandwidth_hz,
    edge_silence,
    level_db,
    loudness_db,
)
from avfake.errors import AvfakeError, ClipError, ErrorKind
from avfake.files import inside

Window = tuple[float, float]  # start and duration, in seconds
Values = Mapping[str, float | str]

SOUND_CUES = (
    "duration_s",
    "lead_silence_s",
    "trail_silence_s",
    "loudness_db",
    "peak_db",
    "asymmetry_db",
    "dc_offset",
    "bandwidth_hz",
    "zero_fraction",
    "lead_zeros",
    "trail_zeros",
    "limited_fraction",
    "file_duration_s",
    "bytes_per_sample",
    "sample_rate",
    "channels",
    "codec",
)
_FULL_SCALE = 32_767 / 32_768  # the largest sample of 16 bits


@dataclass(frozen=True)
class SoundFile:
    """One file and the windows of it that rows use.

    Attributes:
        path: Relative to the workspace.
        sample_id: A row that names it, for error messages.
        windows: Of all rows that name it.
    """

    path: str
    sample_id: str
    windows: tuple[Window, ...]


def measure_sound(root: Path, file: SoundFile) -> dict[tuple[str, Window], Values]:
    """Cues of every window of one file, by path and window; the names are ``SOUND_CUES``.

    Raises:
        AvfakeError: The file is missing, broken, outside the workspace, or ends before a window starts.
    """
    try:
        path = inside(root, file.path)
        waveform, sample_rate = load_flac(path)
        facts = _file_cues(path, len(waveform))
        if not len(waveform) or not np.isfinite(waveform).all():
            raise ClipError(ErrorKind.CORRUPT, f"{path} holds no samples, or NaN or infinite ones")
        mono = waveform if waveform.ndim == 1 else waveform.mean(axis=1)
        return {
            (file.path, window): {**facts, **_window_cues(_cut(mono, sample_rate, window, path), sample_rate)}
            for window in file.windows
        }
    except ClipError as error:
        raise AvfakeError(f"row {file.sample_id}: {error}; mend the file or build the split anew") from error


def _cut(waveform: Waveform, sample_rate: int, window: Window, path: Path) -> Waveform:
    start, length = (round(seconds * sample_rate) for seconds in window)
    cut = waveform[max(0, start) : max(0, start + length)]
    if not len(cut):
        has = len(waveform) / sample_rate
        wants = f"{window[0]:.3f} s to {sum(window):.3f} s"
        raise ClipError(ErrorKind.TOO_SHORT, f"{path} lasts {has:.3f} s, the row wants {wants} of it")
    return cut


def _file_cues(path: Path, n_samples: int) -> Values:
    info = soundfile.info(path)
    return {
        "file_duration_s": n_samples / info.samplerate,
        "bytes_per_sample": path.stat().st_size / max(1, n_samples),
        "sample_rate": float(info.samplerate),
        "channels": float(info.channels),
        "codec": f"{info.format} {info.subtype}",
    }


def _window_cues(waveform: Waveform, sample_rate: int) -> Values:
    lead, trail = edge_silence(waveform, sample_rate)
    magnitude = np.abs(waveform)
    sounding = np.flatnonzero(magnitude)
    peak = float(magnitude.max())
    return {
        "duration_s": len(waveform) / sample_rate,
        "lead_silence_s": lead,
        "trail_silence_s": trail,
        "loudness_db": loudness_db(waveform, active_speech(waveform, sample_rate)),
        "peak_db": float(level_db(peak**2)) if peak else FLOOR_DB,
        "asymmetry_db": _asymmetry_db(waveform),
        "dc_offset": float(waveform.mean(dtype=np.float64)),
        "bandwidth_hz": bandwidth_hz(waveform, sample_rate),
        "zero_fraction": 1 - len(sounding) / len(waveform),
        "lead_zeros": float(sounding[0] if len(sounding) else len(waveform)),
        "trail_zeros": float(len(waveform) - 1 - sounding[-1] if len(sounding) else len(waveform)),
        "limited_fraction": float(np.mean(magnitude >= _FULL_SCALE)),
    }


def _asymmetry_db(waveform: Waveform) -> float:
    """By how much the highest sample is farther from zero than the lowest.

    Its sign is the polarity of the microphone, and of the recordings a vocoder was trained on.
    """
    highest, lowest = (level_db(max(0.0, float(peak)) ** 2) for peak in (waveform.max(), -waveform.min()))
    return float(highest - lowest)
