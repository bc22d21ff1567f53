"""Small splits with sound on disk, clean or with one planted shortcut."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import soundfile

from avfake.curate.crops import FACES_FIELDS
from avfake.curate.stage import KEY_FIELDS
from avfake.curate.workspace import Workspace
from avfake.files import sha256_of
from avfake.manifest.schema import INDEX_SCHEMA, SPLIT_SCHEMA, SPLITS, Quadrant
from avfake.manifest.table import write_rows

RATE = 22_050
Sound = np.ndarray
Change = Callable[[Sound, int, np.random.Generator], Sound]  # sound, audio label, random numbers


def leave(sound: Sound, audio_label: int, rng: np.random.Generator) -> Sound:
    """No shortcut: a fake sound differs from its real one by a little noise."""
    return sound


def make_split(
    workspace: Workspace,
    *,
    n_groups: int = 20,
    change: Change = leave,
    rates: tuple[int, int] = (RATE, RATE),
    subtypes: tuple[str, str] = ("PCM_16", "PCM_16"),
    n_voices: int = 1_000,
    name: str = "balanced",
    **facts: Any,
) -> None:
    """Write a split of four rows per identity group, one of each quadrant.

    ``rates`` and ``subtypes`` are those of real and of fake sound; with ``n_voices`` smaller than the groups,
    several groups have one real sound; ``facts`` change every row.
    """
    rows: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
    for group in range(n_groups):
        split = SPLITS[min(2, max(0, group - n_groups // 2))]
        for row in _rows(workspace, group, change, rates, subtypes, n_voices):
            rows[split].append({**row, "split": split, **facts})
    for split in SPLITS:
        path = workspace.split(name) / f"{split}.parquet"
        write_rows(path, rows[split], SPLIT_SCHEMA, {"seed": 0, "build": "one"})


def make_index(workspace: Workspace, *, fake_width: int = 640) -> None:
    """Write the index of the videos that ``make_split`` names."""
    rows = []
    for clip_id in (f"g{group:03d}{kind}" for group in range(40) for kind in ("real", "fake")):
        fake = clip_id.endswith("fake")
        facts = {
            "corpus": "made",
            "clip_id": clip_id,
            "video_path": f"{clip_id}.mp4",
            "video_label": int(fake),
        }
        probe = {"width": fake_width if fake else 640, "height": 480, "n_frames": 25, "video_codec": "h264"}
        rows.append({**facts, "identity_group": clip_id[:4], "status": "ok", **probe})
    write_rows(workspace.index("made"), rows, INDEX_SCHEMA, {"kind": "folder"})


def make_crops(workspace: Workspace, *, fake_brightness: float = 0.5) -> None:
    """Write the ledger of the face crops that a split with ``faces_path`` names."""
    for kind, brightness in (("real", 0.5), ("fake", fake_brightness)):
        rows = [
            {
                "corpus": "made",
                "clip_id": f"g{group:03d}{kind}",
                "inputs": "0",
                "status": "ok",
                "n_frames": 3,
                "face_height_px": 90.0 + group,
                "brightness": brightness + group / 1000,
            }
            for group in range(40)
        ]
        part = workspace.ledger("faces") / f"part-made-{kind}-00000-{0:08x}.parquet"
        write_rows(part, rows, pa.schema([*KEY_FIELDS, *FACES_FIELDS]), {"config": {}})


def _rows(
    workspace: Workspace,
    group: int,
    change: Change,
    rates: tuple[int, int],
    subtypes: tuple[str, str],
    n_voices: int,
) -> Iterator[dict[str, Any]]:
    for quadrant in Quadrant:
        clip_id = f"g{group:03d}{'fake' if quadrant.video_label else 'real'}"
        label = quadrant.audio_label
        audio_path = f"{'vocoded' if label else 'audio'}/made/{clip_id}.flac"
        rng = np.random.default_rng([group % n_voices, quadrant.video_label])
        sound = change(_voice(rng), label, np.random.default_rng([group, quadrant.video_label, label]))
        path = workspace.root / audio_path
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound, rates[label], subtype=subtypes[label])
        yield {
            "sample_id": f"made/{clip_id}/{quadrant}",
            "corpus": "made",
            "quadrant": quadrant.value,
            "video_label": quadrant.video_label,
            "audio_label": label,
            "label": quadrant.label,
            "clip_id": clip_id,
            "identity_group": f"g{group:03d}",
            "video_path": f"{clip_id}.mp4",
            "audio_path": audio_path,
            "audio_clip_id": clip_id,
            "start_s": 0.0,
            "duration_s": len(sound) / rates[label],
            "video_fps": 25.0,
            "sample_rate": rates[label],
            "n_samples": len(sound),
            "pad_s": 0.0,
            "audio_sha256": sha256_of(path),
        }


def _voice(rng: np.random.Generator) -> Sound:
    """A quarter of a second of noise at the level and length of one speaker's clip."""
    level = 0.05 * 10 ** (rng.normal(scale=1.0) / 20)
    return level * rng.normal(size=RATE // 4 + int(rng.integers(500)))
