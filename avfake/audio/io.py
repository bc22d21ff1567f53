"""The one form of all sound, real or fake: mono, 22 050 Hz, FLAC of 16 bits."""

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind, one_line
from avfake.files import write_bytes

Waveform = NDArray[np.float32]

SAMPLE_RATE = 22_050
HEADROOM_DB = 6.0  # by which all sound is softened, so that a resynthesis whose peaks are higher need not be
SHORTEST_S = 0.2  # a clip with less sound is none
_FULL_SCALE = 32_768  # of 16 bits


def in_common_form(waveform: Waveform, sample_rate: int) -> Waveform:
    """Bring decoded sound, whatever it is to become, to the one rate, no DC, and 6 dB of headroom.

    Args:
        waveform: Mono, [time], in [-1, 1].
        sample_rate: Of it, in Hz.

    Returns:
        [time], at SAMPLE_RATE.
    """
    return remove_dc(resample(waveform, sample_rate, SAMPLE_RATE)) * np.float32(10 ** (-HEADROOM_DB / 20))


def resample(waveform: Waveform, rate_in: int, rate_out: int) -> Waveform:
    """Change the sample rate with soxr at its highest quality: linear phase, no delay.

    Args:
        waveform: Mono, [time].
        rate_in: In Hz.
        rate_out: In Hz.

    Returns:
        Waveform of ``round(time * rate_out / rate_in)`` samples.
    """
    if rate_in == rate_out:
        return waveform
    n_samples = round(len(waveform) * rate_out / rate_in)
    resampled = soxr.resample(waveform, rate_in, rate_out, quality="VHQ").astype(np.float32)
    return fit_length(resampled, n_samples)


def fit_length(waveform: Waveform, n_samples: int) -> Waveform:
    """Cut, or pad with zeros at the end, to exactly ``n_samples``."""
    return np.pad(waveform[:n_samples], (0, max(0, n_samples - len(waveform))))


def remove_dc(waveform: Waveform) -> Waveform:
    """Subtract the mean of the samples that are not exactly zero, from those samples.

    Digital silence stays digital silence.
    """
    sounding = waveform != 0
    mean = waveform.mean(where=sounding, dtype=np.float64) if sounding.any() else 0.0
    return np.where(sounding, waveform - np.float32(mean), waveform)


def load_flac(path: Path) -> tuple[Waveform, int]:
    """Read a sound file as mono float32, [time], and its sample rate.

    Raises:
        ClipError: The file is missing or broken.
    """
    try:
        waveform, sample_rate = soundfile.read(path, dtype="float32")
    except (OSError, soundfile.LibsndfileError) as error:
        kind = ErrorKind.CORRUPT if path.exists() else ErrorKind.NOT_FOUND
        raise ClipError(kind, f"{path} is not a readable sound file: {one_line(error)}") from error
    return np.asarray(waveform), int(sample_rate)


def read_sound(path: Path, *, start: int, n_samples: int) -> Waveform:
    """Read part of a sound file in the common form.

    Args:
        path: Of the FLAC.
        start: Number of the first sample wanted.
        n_samples: How many are wanted; fewer come where the file ends.

    Returns:
        Mono float32, [time], in [-1, 1].

    Raises:
        ClipError: The file is missing, broken, or not mono of SAMPLE_RATE.
    """
    try:
        with soundfile.SoundFile(path) as file:
            if (file.samplerate, file.channels) != (SAMPLE_RATE, 1):
                raise ClipError(
                    ErrorKind.CORRUPT,
                    f"{file.channels} channels of {file.samplerate} Hz, wanted 1 of {SAMPLE_RATE} Hz; "
                    "run avfake fetch-audio again",
                )
            file.seek(min(start, file.frames))
            return np.asarray(file.read(n_samples, dtype="float32"))
    except (OSError, soundfile.LibsndfileError) as error:
        kind = ErrorKind.CORRUPT if path.exists() else ErrorKind.NOT_FOUND
        raise ClipError(kind, f"not a readable sound file: {one_line(error)}") from error


def as_stored(waveform: Waveform) -> Waveform:
    """A waveform in the common form as its FLAC gives it back, rounded to 16 bits.

    Args:
        waveform: [time], in [-1, 1], finite.
    """
    return _in_16_bits(waveform).astype(np.float32) / np.float32(_FULL_SCALE)


def save_flac(path: Path, waveform: Waveform, sample_rate: int) -> None:
    """Write FLAC of 16 bits, whole or not at all; the same samples give the same bytes.

    Raises:
        ClipError: A sample is NaN or infinite.
        StorageError: The disk is full or read-only.
    """
    if not np.isfinite(waveform).all():
        raise ClipError(ErrorKind.NOT_FINITE, f"{path.name} would hold NaN or infinite samples")
    buffer = io.BytesIO()
    soundfile.write(buffer, _in_16_bits(waveform), sample_rate, format="FLAC", subtype="PCM_16")
    write_bytes(path, buffer.getvalue())


def _in_16_bits(waveform: Waveform) -> NDArray[np.int16]:
    return np.clip(np.rint(waveform * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
