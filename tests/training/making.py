"""Splits of a few clips in which each label can be seen and heard, and a detector that learns in seconds."""

from pathlib import Path
from typing import Any

import numpy as np

from avfake.audio.io import SAMPLE_RATE, save_flac
from avfake.manifest.schema import SPLIT_SCHEMA, Quadrant
from avfake.manifest.table import write_rows
from avfake.models.config import DetectorConfig
from avfake.training.config import TrainConfig, detector_config
from avfake.video.lossless import write_pictures
from tests.dataset.making import make_row

SECONDS = 1.0
SETTINGS = [
    f"window_s={SECONDS}",
    "picture_shrink=4",
    "video_widths=[4,4,8,8]",
    "video_stem_width=4",
    "audio_widths=[4,4,8,8]",
]
SMALL = detector_config("tiny", SETTINGS)


def quick(detector: DetectorConfig = SMALL, **changes: Any) -> TrainConfig:
    """A training of seconds on the CPU, where nothing else is said."""
    return TrainConfig(
        **{
            "split": "made",
            "detector": detector,
            "epochs": 2,
            "batch_size": 4,
            "save_every": 1,
            "accelerator": "cpu",
            **changes,
        }
    )


def make_split(root: Path, *, n_train: int = 2, n_val: int = 1, name: str = "made") -> Path:
    """A split with a clip of each quadrant per person; fake pictures are striped, fake sound is shrill."""
    for part, n_people in (("train", n_train), ("val", n_val), ("test", 1)):
        rows = [_row(root, part, person, quadrant) for person in range(n_people) for quadrant in Quadrant]
        write_part(root / "splits" / name, part, rows)
    return root / "splits" / name


def write_part(split: Path, part: str, rows: list[dict[str, Any]]) -> None:
    """Write one table of a split."""
    rows = sorted(rows, key=lambda row: row["sample_id"])
    filled = [{column: row.get(column) for column in SPLIT_SCHEMA.names} for row in rows]
    write_rows(split / f"{part}.parquet", filled, SPLIT_SCHEMA, {"build": "first"})


def _row(root: Path, part: str, person: int, quadrant: Quadrant) -> dict[str, Any]:
    clip_id = f"{part}{person}_{quadrant.value}"
    faces, audio = f"faces/made/{clip_id}.avi", f"audio/made/{clip_id}.flac"
    rng = np.random.default_rng([person, len(part)])
    pictures = rng.integers(60, 120, (round(10 * SECONDS), 112, 112, 3)).astype(np.uint8)
    if quadrant.video_label:
        pictures[:, :, ::8] += 120
    time_s = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    frequency_hz = (4000 if quadrant.audio_label else 200) + 50 * person
    for path in (faces, audio):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
    write_pictures(root / faces, pictures, fps=10)
    save_flac(root / audio, (0.4 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32), SAMPLE_RATE)
    facts = {"split": part, "faces_path": faces, "audio_path": audio, "n_samples": len(time_s)}
    return make_row(clip_id, quadrant.value, duration_s=SECONDS, pad_s=3 - SECONDS, **facts)
