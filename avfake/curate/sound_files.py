"""The last step of every way to a clip's sound: one form, one check, one file, one set of columns."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from avfake.audio.decode import DecodedSound
from avfake.audio.io import HEADROOM_DB, SAMPLE_RATE, SHORTEST_S, Waveform, in_common_form, save_flac
from avfake.audio.measure import active_speech, bandwidth_hz, loudness_db
from avfake.curate.task import Outcome, Task
from avfake.errors import ClipError, ErrorKind
from avfake.files import sha256_of

FORM = {"sample_rate": SAMPLE_RATE, "headroom_db": HEADROOM_DB}
_PIECE = pa.struct([(name, pa.float64()) for name in ("clip_start_s", "upload_start_s", "length_s")])
AUDIO_FIELDS = [
    # of every sound
    pa.field("audio_path", pa.string()),
    pa.field("audio_sha256", pa.string()),
    pa.field("audio_clip_id", pa.string()),
    pa.field("audio_from", pa.string()),
    pa.field("sample_rate", pa.int32()),
    pa.field("n_samples", pa.int64()),
    pa.field("loudness_db", pa.float64()),
    pa.field("bandwidth_hz", pa.float64()),
    pa.field("source_codec", pa.string()),
    pa.field("source_rate", pa.int32()),
    pa.field("source_channels", pa.int16()),
    # of sound from the clip's own file
    pa.field("offset_ms", pa.float64()),
    pa.field("audio_matches_original", pa.bool_()),
    pa.field("original_residual_db", pa.float64()),
    # of sound recovered from an upload
    pa.field("youtube_id", pa.string()),
    pa.field("align", pa.string()),
    pa.field("align_error_ms", pa.float64()),
    pa.field("align_score", pa.float64()),
    pa.field("frame_rate", pa.float64()),
    pa.field("pieces", pa.list_(_PIECE)),
]


def keep_sound(root: Path, task: Task, sound: DecodedSound) -> Outcome:
    """Write a clip's sound to ``audio/<corpus>/<clip_id>.flac`` and describe it.

    Args:
        root: Of the workspace.
        task: The clip.
        sound: As decoded, on the axis of the clip's pictures.

    Returns:
        The columns of AUDIO_FIELDS that hold for every sound, but whose it is.

    Raises:
        ClipError: The sound is too short or digital silence.
        StorageError: The file cannot be written.
    """
    waveform = in_common_form(sound.waveform, sound.sample_rate)
    _refuse_useless(waveform)
    name = f"audio/{task.corpus}/{task.clip_id}.flac"
    save_flac(root / name, waveform, SAMPLE_RATE)
    return {
        "audio_path": name,
        "audio_sha256": sha256_of(root / name),
        "sample_rate": SAMPLE_RATE,
        "n_samples": len(waveform),
        "loudness_db": loudness_db(waveform, active_speech(waveform, SAMPLE_RATE)),
        "bandwidth_hz": bandwidth_hz(waveform, SAMPLE_RATE),
        "source_codec": sound.codec,
        "source_rate": sound.sample_rate,
        "source_channels": sound.channels,
    }


def _refuse_useless(waveform: Waveform) -> None:
    length_s = len(waveform) / SAMPLE_RATE
    if length_s < SHORTEST_S:
        raise ClipError(ErrorKind.TOO_SHORT, f"{length_s:.2f} s of sound; at least {SHORTEST_S} s are needed")
    if np.abs(waveform).max() < 1 / 65_536:
        raise ClipError(ErrorKind.SILENT, "the sound is digital silence from start to end")
