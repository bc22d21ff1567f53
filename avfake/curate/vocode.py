"""``avfake vocode``: fake sound, made by resynthesizing the real sound of each clip."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from avfake.audio.blur import BlurPolicy, draw_blur
from avfake.audio.io import load_flac, save_flac
from avfake.audio.match import match_sound
from avfake.curate.stage import Outcome, Retry, Stage, StageReport, Task, read_ledger, run_stage
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.files import inside, sha256_of
from avfake.vocoders.base import Vocoder
from avfake.vocoders.registry import full_name, load_vocoder, vocoders_at_hand
from avfake.vocoders.resynthesis import resynthesize

VOCODED_FIELDS = [
    pa.field("vocoder", pa.string()),
    pa.field("audio_path", pa.string()),
    pa.field("audio_sha256", pa.string()),
    pa.field("source_sha256", pa.string()),
    pa.field("checkpoint_sha256", pa.string()),
    pa.field("sample_rate", pa.int32()),
    pa.field("n_samples", pa.int64()),
    pa.field("blur_time_sigma", pa.float64()),
    pa.field("blur_mel_sigma", pa.float64()),
    pa.field("gain_db", pa.float64()),
    pa.field("lag_ms", pa.float64()),
    pa.field("lsd_db", pa.float64()),
    pa.field("bandwidth_hz", pa.float64()),
]


@dataclass(frozen=True)
class VocodeReport:
    """What each vocoder's run on each corpus found.

    Attributes:
        stages: One report per vocoder and corpus.
    """

    stages: tuple[StageReport, ...]

    @property
    def n_failed(self) -> int:
        """Clips without a resynthesis, over all vocoders and corpora."""
        return sum(stage.n_failed for stage in self.stages)

    def __str__(self) -> str:
        return "\n".join(map(str, self.stages))


def vocode(
    workspace: Workspace,
    *,
    vocoders: Sequence[str],
    corpora: Sequence[str] = (),
    blur: float = 0.5,
    seed: int = 0,
    jobs: int = 1,
    executor: str = "local",
    retry: Retry = "transient",
) -> VocodeReport:
    """Resynthesize the fetched sound of each clip, matched to its source in all but the resynthesis.

    Args:
        workspace: Where the sound lies and the fakes go.
        vocoders: Names of vocoders, or ``all``.
        corpora: Names of corpora whose sound was fetched; all when empty.
        blur: Probability that a clip's spectrogram is blurred; the strength is drawn per clip.
        seed: Of the draws.
        jobs: Worker processes.
        executor: ``local`` or ``ray``.
        retry: Which failed clips are tried again.

    Raises:
        AvfakeError: A vocoder is unknown, or no sound was fetched.
    """
    names = vocoders_at_hand() if "all" in vocoders else list(dict.fromkeys(map(full_name, vocoders)))
    checkpoints = {name: load_vocoder(name).checkpoint_sha256 for name in names}  # also refuses unknown names
    sources = {corpus: list(_tasks(workspace, corpus)) for corpus in corpora or workspace.corpora()}
    if empty := [corpus for corpus in corpora if not sources[corpus]]:
        raise AvfakeError(
            f"corpus {empty[0]!r} has no fetched sound; run avfake fetch-audio {empty[0]} first"
        )
    if not any(sources.values()):
        raise AvfakeError(f"{workspace.root} holds no fetched sound; run avfake fetch-audio first")
    policy = BlurPolicy(probability=blur)
    with workspace.lock():
        reports = tuple(
            run_stage(
                _stage(workspace, name, corpus, checkpoints[name], policy, seed),
                tasks,
                jobs=jobs,
                executor=executor,
                retry=retry,
            )
            for name in names
            for corpus, tasks in sources.items()
            if tasks
        )
    return VocodeReport(reports)


@dataclass(frozen=True)
class _Resynthesize:
    """Work of the stage: one FLAC file in, its matched resynthesis out."""

    root: Path  # of the workspace
    vocoder: str
    policy: BlurPolicy
    seed: int

    def __call__(self, task: Task) -> Outcome:
        source, sample_rate = load_flac(inside(self.root, task.facts["audio_path"]))
        vocoder = _loaded(self.vocoder)
        blur = draw_blur(self.policy, self._draws(task))
        matched = match_sound(resynthesize(vocoder, source, blur), source, sample_rate)
        name = f"vocoded/{self.vocoder}/{task.corpus}/{task.clip_id}.flac"
        save_flac(self.root / name, matched.waveform, sample_rate)
        return {
            "vocoder": self.vocoder,
            "audio_path": name,
            "audio_sha256": sha256_of(self.root / name),
            "source_sha256": task.facts["audio_sha256"],
            "checkpoint_sha256": vocoder.checkpoint_sha256,
            "sample_rate": sample_rate,
            "n_samples": len(matched.waveform),
            "blur_time_sigma": blur.time_sigma,
            "blur_mel_sigma": blur.mel_sigma,
            "gain_db": matched.gain_db,
            "lag_ms": matched.lag_ms,
            "lsd_db": matched.lsd_db,
            "bandwidth_hz": matched.bandwidth_hz,
        }

    def _draws(self, task: Task) -> np.random.Generator:
        """Random numbers of this clip: the same whatever else is vocoded, and by whom."""
        text = f"{self.seed}|vocode|{task.corpus}|{task.clip_id}|{self.vocoder}"
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


@lru_cache(maxsize=1)
def _loaded(name: str) -> Vocoder:
    return load_vocoder(name)


def _stage(
    workspace: Workspace, vocoder: str, corpus: str, checkpoint: str | None, policy: BlurPolicy, seed: int
) -> Stage:
    return Stage(
        ledger=workspace.ledger("vocoded"),
        scope=f"{vocoder}-{corpus}",
        fields=VOCODED_FIELDS,
        config={"vocoder": vocoder, "checkpoint": checkpoint, "blur": asdict(policy), "seed": seed},
        work=_Resynthesize(workspace.root, vocoder, policy, seed),
        root=workspace.root,
        media_column="audio_path",
    )


def _tasks(workspace: Workspace, corpus: str) -> Iterator[Task]:
    """A task for every clip whose sound was fetched."""
    for row in read_ledger(workspace.ledger("audio"), corpus):
        if row["status"] == "ok":
            facts = {"audio_path": row["audio_path"], "audio_sha256": row["audio_sha256"]}
            yield Task(corpus, row["clip_id"], row["audio_sha256"], facts)
