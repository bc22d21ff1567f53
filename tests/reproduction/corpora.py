"""Workspaces with corpora that recipes run on: tables alone, or crops and sound too."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from avfake.audio.io import SAMPLE_RATE, save_flac
from avfake.curate.workspace import Workspace
from avfake.manifest.schema import INDEX_SCHEMA
from avfake.manifest.table import write_rows
from avfake.reproduction.experiments import FAMILIES, METHODS
from avfake.video.lossless import write_pictures
from avfake.vocoders.registry import full_name
from tests.split_tables import VOCODERS, make_tables, people

SECONDS = 1.0


def make_corpus(
    workspace: Workspace,
    corpus: str,
    *,
    kind: str,
    methods: Iterable[str] = METHODS,
    vocoders: Iterable[str] = tuple(map(full_name, FAMILIES)),
    cropped: bool = True,
) -> None:
    """Tables of a corpus that went through every stage; no media."""
    faces: dict[str, Any] = {"faces": {}} if cropped else {}
    make_tables(workspace, people(3, methods=methods, corpus=corpus, **faces), vocoders=vocoders)
    rows = pq.read_table(workspace.index(corpus)).to_pylist()
    write_rows(workspace.index(corpus), rows, INDEX_SCHEMA, {"kind": kind, "root": corpus})


def make_media(workspace: Workspace, *, n_people: int = 20) -> None:
    """Corpora ``folk``, whose fakes are striped and vocoded sounds shrill, and ``wild``, of sound alone."""
    frames = {"faces": {"n_frames": 10}, "seconds": SECONDS}
    folk = people(n_people, corpus="folk", **frames)
    wild = people(4, corpus="wild", methods=(), **frames)
    for clip in wild[::2]:
        clip["audio_label"] = 1
    make_tables(workspace, [*folk, *wild])
    for number, clip in enumerate(folk):
        _write_faces(workspace, clip, seed=number)
        _write_sound(workspace, f"audio/folk/{clip['clip_id']}", 200)
        for vocoder in VOCODERS:
            _write_sound(workspace, f"vocoded/{vocoder}/folk/{clip['clip_id']}", 4000)
    for clip in wild:
        _write_sound(workspace, f"audio/wild/{clip['clip_id']}", 4000 if clip.get("audio_label") else 200)


def _write_faces(workspace: Workspace, clip: dict[str, Any], *, seed: int) -> None:
    pictures = np.random.default_rng(seed).integers(60, 120, (10, 112, 112, 3)).astype(np.uint8)
    if clip.get("video_label"):
        pictures[:, :, ::8] += 120
    path = workspace.root / f"faces/folk/{clip['clip_id']}.avi"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_pictures(path, pictures, fps=10)


def _write_sound(workspace: Workspace, name: str, frequency_hz: float) -> None:
    path = workspace.root / f"{name}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    save_flac(path, (0.4 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32), SAMPLE_RATE)
