"""Tiny splits with face crops and sound on disk: a moving square, and a tone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from avfake.audio.io import SAMPLE_RATE, save_flac
from avfake.files import sha256_of
from avfake.manifest.schema import SPLIT_SCHEMA, Quadrant
from avfake.manifest.table import write_rows
from avfake.manifest.validate import read_split
from avfake.video.lossless import write_pictures
from tests.dummies import tone


def moving_square(n_frames: int, *, size: int = 112) -> np.ndarray:
    """uint8 [frames, size, size, 3]: a square that moves by two pixels a picture over a slanted ground."""
    ramp = np.arange(size)
    ground = np.stack([ramp[:, None] + 0 * ramp, ramp + 0 * ramp[:, None], (ramp[:, None] + ramp) // 2], -1)
    pictures = np.repeat(ground[None].astype(np.uint8), n_frames, axis=0)
    for number, picture in enumerate(pictures):
        left = 2 * number % (size - 24)
        picture[40:64, left : left + 24] = (200, 120, 40)
    return pictures


def make_media(
    root: Path, clip_id: str, *, seconds: float = 2.0, frequency_hz: float = 440.0
) -> dict[str, Any]:
    """Write crops and sound of one clip; their columns of a split."""
    faces, audio = f"faces/made/{clip_id}.avi", f"audio/made/{clip_id}.flac"
    (root / "faces/made").mkdir(parents=True, exist_ok=True)
    write_pictures(root / faces, moving_square(round(10 * seconds)), fps=10)
    waveform = tone(frequency_hz, seconds)
    save_flac(root / audio, waveform, SAMPLE_RATE)
    return {
        "faces_path": faces,
        "faces_sha256": sha256_of(root / faces),
        "audio_path": audio,
        "audio_sha256": sha256_of(root / audio),
        "duration_s": len(waveform) / SAMPLE_RATE,
        "n_samples": len(waveform),
        "pad_s": max(0.0, 3 - len(waveform) / SAMPLE_RATE),
    }


def make_row(clip_id: str, quadrant: str, **facts: Any) -> dict[str, Any]:
    """A row of a split; what is not given is as in a usable one."""
    kind = Quadrant(quadrant)
    vocoder = facts.get("vocoder", "world" if kind.audio_label else None)
    return {
        "sample_id": f"made/{clip_id}/{vocoder or 'real'}",
        "corpus": "made",
        "split": "train",
        "quadrant": quadrant,
        "video_label": kind.video_label,
        "audio_label": kind.audio_label,
        "label": kind.label,
        "clip_id": clip_id,
        "identity_group": clip_id.split("_")[0],
        "video_method": "FaceSwap" if kind.video_label else None,
        "vocoder": vocoder,
        "video_path": f"{clip_id}.mp4",
        "audio_path": f"audio/made/{clip_id}.flac",
        "audio_clip_id": clip_id,
        "start_s": 0.0,
        "duration_s": 2.0,
        "sample_rate": SAMPLE_RATE,
        "n_samples": 2 * SAMPLE_RATE,
        "pad_s": 1.0,
        "audio_sha256": "0",
        **facts,
    }


def make_table(rows: list[Mapping[str, Any]]) -> pa.Table:
    """Rows without files."""
    filled = [{name: row.get(name) for name in SPLIT_SCHEMA.names} for row in rows]
    return pa.Table.from_pylist(filled, schema=SPLIT_SCHEMA)


def make_split(root: Path, *, n_people: int = 2, **media: Any) -> pa.Table:
    """A split of one row per quadrant and person, written and read as the loader would."""
    rows = []
    for person in range(n_people):
        for quadrant in Quadrant:
            clip_id = f"p{person}_{'fake' if quadrant.video_label else 'real'}"
            facts = make_media(root, f"{clip_id}_{quadrant.audio_label}", **media)
            rows.append(make_row(clip_id, quadrant, **facts))
    rows.sort(key=lambda row: row["sample_id"])
    path = root / "splits" / "made" / "train.parquet"
    write_rows(path, [{name: row.get(name) for name in SPLIT_SCHEMA.names} for row in rows], SPLIT_SCHEMA, {})
    return read_split(path, root)
