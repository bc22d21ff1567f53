"""``avfake fetch-audio``: each clip's sound, on the time axis of its video, in one form for all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avfake.audio.decode import decode_sound
from avfake.audio.io import HEADROOM_DB, SAMPLE_RATE, Waveform, in_common_form, save_flac
from avfake.audio.measure import active_speech, bandwidth_hz, loudness_db
from avfake.curate.stage import Outcome, Retry, Stage, StageReport, Task, fingerprint, run_stage
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError, ClipError, ErrorKind
from avfake.files import inside, sha256_of
from avfake.manifest.table import read_metadata

SHORTEST_S = 0.2
AUDIO_FIELDS = [
    pa.field("audio_path", pa.string()),
    pa.field("audio_sha256", pa.string()),
    pa.field("audio_clip_id", pa.string()),
    pa.field("audio_from", pa.string()),
    pa.field("sample_rate", pa.int32()),
    pa.field("n_samples", pa.int64()),
    pa.field("loudness_db", pa.float64()),
    pa.field("bandwidth_hz", pa.float64()),
    pa.field("offset_ms", pa.float64()),
    pa.field("source_codec", pa.string()),
    pa.field("source_rate", pa.int32()),
    pa.field("source_channels", pa.int16()),
]


@dataclass(frozen=True)
class FetchReport:
    """What each corpus's run found.

    Attributes:
        stages: One report per corpus.
        without_sound: Corpora left out because their files hold no sound.
    """

    stages: tuple[StageReport, ...]
    without_sound: tuple[str, ...] = ()

    @property
    def n_failed(self) -> int:
        """Clips without sound, over all corpora."""
        return sum(stage.n_failed for stage in self.stages)

    def __str__(self) -> str:
        notes = [f"{corpus}: left out, FaceForensics++ files hold no sound" for corpus in self.without_sound]
        return "\n".join([*map(str, self.stages), *notes])


def fetch_audio(
    workspace: Workspace,
    *,
    corpora: Sequence[str] = (),
    jobs: int = 1,
    executor: str = "local",
    retry: Retry = "transient",
) -> FetchReport:
    """Take the sound out of each indexed clip: mono, 22 050 Hz, 16 bits, no constant offset.

    Args:
        workspace: Where the index lies and the sound goes.
        corpora: Names of indexed corpora; all when empty.
        jobs: Worker processes.
        executor: ``local`` or ``ray``.
        retry: Which failed clips are tried again.

    Raises:
        AvfakeError: A corpus is not indexed, or holds no sound.
    """
    names = corpora or workspace.corpora()
    if not names:
        raise AvfakeError(f"{workspace.root} holds no index; run avfake index first")
    kinds = {name: _facts(workspace, name)["kind"] for name in names}
    silent = tuple(name for name, kind in kinds.items() if kind == "ffpp")
    if silent and corpora:
        raise AvfakeError(
            f"corpus {silent[0]!r} is FaceForensics++, whose files hold no sound; "
            "recovering it from YouTube is not part of this version: leave it out"
        )
    with workspace.lock():
        stages = tuple(
            run_stage(
                _stage(workspace, name), _tasks(workspace, name), jobs=jobs, executor=executor, retry=retry
            )
            for name in names
            if name not in silent
        )
    return FetchReport(stages, silent)


@dataclass(frozen=True)
class _Demux:
    """Work of the stage: one clip's video file in, one FLAC file out."""

    root: Path  # of the workspace
    corpus_root: Path

    def __call__(self, task: Task) -> Outcome:
        sound = decode_sound(inside(self.corpus_root, task.facts["video_path"]))
        waveform = in_common_form(sound.waveform, sound.sample_rate)
        _refuse_useless(waveform)
        name = f"audio/{task.corpus}/{task.clip_id}.flac"
        save_flac(self.root / name, waveform, SAMPLE_RATE)
        return {
            "audio_path": name,
            "audio_sha256": sha256_of(self.root / name),
            "audio_clip_id": task.clip_id,
            "audio_from": "own",
            "sample_rate": SAMPLE_RATE,
            "n_samples": len(waveform),
            "loudness_db": loudness_db(waveform, active_speech(waveform, SAMPLE_RATE)),
            "bandwidth_hz": bandwidth_hz(waveform, SAMPLE_RATE),
            "offset_ms": sound.offset_ms,
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


def _stage(workspace: Workspace, corpus: str) -> Stage:
    root = Path(_facts(workspace, corpus)["root"])
    return Stage(
        ledger=workspace.ledger("audio"),
        scope=corpus,
        fields=AUDIO_FIELDS,
        config={"sample_rate": SAMPLE_RATE, "headroom_db": HEADROOM_DB},
        work=_Demux(workspace.root, root),
        root=workspace.root,
        media_column="audio_path",
    )


def _tasks(workspace: Workspace, corpus: str) -> Iterator[Task]:
    """A task for every indexed video, broken ones included: their reason then stands in this ledger too."""
    root = Path(_facts(workspace, corpus)["root"])
    table = pq.read_table(workspace.index(corpus), columns=["clip_id", "video_path"])
    for row in table.to_pylist():
        yield Task(corpus, row["clip_id"], _file_state(root / row["video_path"]), row)


def _file_state(path: Path) -> str:
    try:
        state = path.stat()
    except OSError:
        return "absent"
    return fingerprint(state.st_size, state.st_mtime_ns)


def _facts(workspace: Workspace, corpus: str) -> Mapping[str, Any]:
    path = workspace.index(corpus)
    if not path.exists():
        known = ", ".join(workspace.corpora()) or "none"
        raise AvfakeError(f"corpus {corpus!r} is not indexed (indexed: {known}); run avfake index first")
    return read_metadata(path)
