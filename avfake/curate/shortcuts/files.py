"""The cues of every row of a split: of its sound, measured here, and of its video, from the index."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from avfake.curate.executors import EXECUTORS
from avfake.curate.shortcuts.cues import SOUND_CUES, SoundFile, Values, Window, measure_sound
from avfake.curate.shortcuts.models import Cue, categories
from avfake.progress import track

_Sounds = dict[tuple[str, Window], Values]
_SHARD = 32  # sound files
_FACE_CUES = (
    ("face_height_px", "face_height_px"),  # how far crops were enlarged or shrunk
    ("face_brightness", "brightness"),
    ("face_frames", "n_frames"),
)


def sound_cues(root: Path, rows: pa.Table, *, jobs: int, executor: str) -> Iterator[Cue]:
    """Measure the sound of every row; each file is read once, however many rows use it.

    Raises:
        AvfakeError: A file is missing or broken; the text names the row.
    """
    columns = (rows[name].to_pylist() for name in ("audio_path", "start_s", "duration_s"))
    keys = [(path, (start_s, duration_s)) for path, start_s, duration_s in zip(*columns, strict=True)]
    files = _files(keys, rows["sample_id"].to_pylist())
    shards = [files[start : start + _SHARD] for start in range(0, len(files), _SHARD)]
    sounds: _Sounds = {}
    with track("audit", total=len(files)) as advance:
        for n_files, measured in EXECUTORS[executor](partial(_measure, root), shards, jobs=jobs):
            sounds |= measured
            advance(n_files)
    for name in SOUND_CUES:
        yield _cue(name, [sounds[key][name] for key in keys])
    yield _cue("pad_s", rows["pad_s"].to_pylist())


def video_cues(
    rows: pa.Table, facts: Sequence[Mapping[str, object]], faces: Sequence[Mapping[str, object]]
) -> Iterator[Cue]:
    """Cues of the video of every row.

    Args:
        rows: Of the split.
        facts: The index's columns for each row's video; empty where there is none.
        faces: The columns of the ledger of faces for each row's crops; empty where there are none.
    """
    yield _cue("video_fps", rows["video_fps"].to_pylist())
    for cue, column in (("video_width", "width"), ("video_height", "height"), ("video_frames", "n_frames")):
        yield _cue(cue, [row.get(column) for row in facts])
    yield _cue("video_codec", [row.get("video_codec") for row in facts])
    if any(faces):
        for cue, column in _FACE_CUES:
            yield _cue(cue, [row.get(column) for row in faces])


def _files(keys: Sequence[tuple[str, Window]], sample_ids: Sequence[str]) -> list[SoundFile]:
    windows: dict[str, set[Window]] = {}
    first_row: dict[str, str] = {}
    for (path, window), sample_id in zip(keys, sample_ids, strict=True):
        windows.setdefault(path, set()).add(window)
        first_row.setdefault(path, sample_id)
    return [SoundFile(path, first_row[path], tuple(sorted(windows[path]))) for path in sorted(windows)]


def _measure(root: Path, shard: Sequence[SoundFile]) -> tuple[int, _Sounds]:
    sounds: _Sounds = {}
    for file in shard:
        sounds |= measure_sound(root, file)
    return len(shard), sounds


def _cue(name: str, values: Sequence[object]) -> Cue:
    if name.endswith("codec"):
        return categories(name, [None if value is None else str(value) for value in values])
    numbers = [np.nan if value is None else value for value in values]
    return Cue(name, np.asarray(numbers, dtype=np.float64))
