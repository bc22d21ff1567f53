"""The sound of a corpus that is in no split, judged by detectors' audio streams alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from avfake.accelerator import Accelerator, find_device
from avfake.audio.io import fit_length, load_flac
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.evaluation.inference import (
    Windows,
    judge,
    refuse_other_clips,
)
from avfake.models.build import load_detector
from avfake.reproduction.seeds import Judged

_AT_ONCE = 32  # clips


def judge_sounds(
    workspace: Workspace, corpus: str, runs: Sequence[str], *, accelerator: Accelerator = "auto"
) -> Judged:
    """Let the audio streams of runs judge the first window of each clip whose sound has a label.

    Args:
        workspace: Where corpus and runs lie.
        corpus: Indexed, its sound fetched.
        runs: Of one detector, with different seeds.
        accelerator: What they run on.

    Raises:
        AvfakeError: No clip has a label and sound, or a run has no detector for such sound.
    """
    clips = _clips(workspace, corpus)
    if not clips:
        raise AvfakeError(f"{corpus} has no clip with sound and a label of it; index it with --audio-label")
    device = find_device(accelerator)
    p = []
    for run in runs:
        detector = load_detector(workspace.root / "runs" / run / "model")
        refuse_other_clips(detector.config)
        windows = _windows(workspace.root, clips, detector.config.n_samples)
        p.append(judge(detector, windows, device)[:, 1])
    labels = np.array([clip["audio_label"] for clip in clips], np.int64)
    return Judged([clip["identity_group"] for clip in clips], {"audio": labels}, {"audio": np.stack(p)})


def _clips(workspace: Workspace, corpus: str) -> list[dict[str, Any]]:
    """Label, identity and sound of each clip that has them, by name."""
    sounds = {}
    for part in sorted(workspace.ledger("audio").glob("part-*.parquet")):
        for row in pq.ParquetFile(part).read(["corpus", "clip_id", "status", "audio_path"]).to_pylist():
            if (row["corpus"], row["status"]) == (corpus, "ok"):
                sounds[row["clip_id"]] = row["audio_path"]
    index = pq.ParquetFile(workspace.index(corpus)).read(["clip_id", "audio_label", "identity_group"])
    labelled = [row for row in index.to_pylist() if row["audio_label"] is not None]
    return [
        {**row, "audio_path": sounds[row["clip_id"]]}
        for row in sorted(labelled, key=lambda row: row["clip_id"])
        if row["clip_id"] in sounds
    ]


def _windows(root: Path, clips: Sequence[dict[str, Any]], n_samples: int) -> Iterator[Windows]:
    for start in range(0, len(clips), _AT_ONCE):
        batch = clips[start : start + _AT_ONCE]
        sounds = [fit_length(load_flac(root / clip["audio_path"])[0], n_samples) for clip in batch]
        yield Windows(None, torch.from_numpy(np.stack(sounds)))
