"""``avfake vocode``: fake sound, made by resynthesizing the real sound of each clip."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from avfake.accelerator import Accelerator, find_device
from avfake.audio.blur import BlurPolicy, draw_blur
from avfake.audio.io import SAMPLE_RATE, Waveform, load_flac, save_flac
from avfake.audio.match import VERSION as MATCHING
from avfake.audio.match import match_sound
from avfake.curate.stage import Retry, Stage, StageReport, read_ledger, run_stage
from avfake.curate.task import Outcome, Task, attempt
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.files import inside, sha256_of
from avfake.vocoders.base import Vocoder
from avfake.vocoders.registry import full_name, load_vocoder, vocoders_at_hand, weights_sha256
from avfake.vocoders.resynthesis import Clip, resynthesize, resynthesize_together

_TOGETHER_S = 600.0  # of sound: enough to keep autoregressive networks busy, little enough for any memory

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
    weights: Path | None = None,
    blur: float = 0.5,
    seed: int = 0,
    accelerator: Accelerator = "auto",
    jobs: int = 1,
    executor: str = "local",
    retry: Retry = "transient",
) -> VocodeReport:
    """Resynthesize the fetched sound of each clip, matched to its source in all but the resynthesis.

    Args:
        workspace: Where the sound lies and the fakes go.
        vocoders: Names of vocoders, or ``all``.
        corpora: Names of corpora whose sound was fetched; all when empty.
        weights: File to take instead of the published weights of the one vocoder that is named.
        blur: Probability that a clip's spectrogram is blurred; the strength is drawn per clip.
        seed: Of the draws.
        accelerator: What networks compute on; ``auto`` takes a GPU where a worker has one. It may change from
            run to run, and what was made before stays, though another device's sound differs.
        jobs: Worker processes.
        executor: ``local`` or ``ray``.
        retry: Which failed clips are tried again.

    Raises:
        AvfakeError: A vocoder is unknown, its weights cannot be had or are of another network, no sound was
            fetched, or there is no GPU where one is asked for.
    """
    names = vocoders_at_hand() if "all" in vocoders else list(dict.fromkeys(map(full_name, vocoders)))
    if weights and len(names) != 1:
        raise AvfakeError(f"--weights {weights} belongs to one vocoder; {len(names)} are named")
    weights = weights and weights.absolute()  # workers elsewhere have other working folders
    find_device(accelerator)
    for name in names:  # what cannot be loaded is refused before any work; the GPU is left to the workers
        load_vocoder(name, weights or True, "cpu")
    sources = {corpus: list(_tasks(workspace, corpus)) for corpus in corpora or workspace.corpora()}
    if empty := [corpus for corpus in corpora if not sources[corpus]]:
        raise AvfakeError(
            f"corpus {empty[0]!r} has no fetched sound; run avfake fetch-audio {empty[0]} first"
        )
    if not any(sources.values()):
        raise AvfakeError(f"{workspace.root} holds no fetched sound; run avfake fetch-audio first")
    policy = BlurPolicy(probability=blur)
    works = [_Resynthesize(workspace.root, name, weights, policy, seed, accelerator) for name in names]
    with workspace.lock():
        reports = tuple(
            run_stage(_stage(workspace, corpus, work), tasks, jobs=jobs, executor=executor, retry=retry)
            for work in works
            for corpus, tasks in sources.items()
            if tasks
        )
    return VocodeReport(reports)


@dataclass(frozen=True)
class _Resynthesize:
    """Work of the stage: FLAC files in, their matched resyntheses out."""

    root: Path  # of the workspace
    vocoder: str
    weights: Path | None  # instead of those of the card
    policy: BlurPolicy
    seed: int
    accelerator: Accelerator

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Outcome | Exception]:
        for together in _cut(tasks):
            sources = {task.clip_id: attempt(self._source, task) for task in together}
            clips = {name: source for name, source in sources.items() if isinstance(source, Clip)}
            made = dict(zip(clips, self._made(list(clips.values())), strict=True))
            for task in together:
                source = sources[task.clip_id]
                yield (
                    attempt(self._keep, task, source, made[task.clip_id])
                    if isinstance(source, Clip)
                    else source
                )

    def _source(self, task: Task) -> Clip:
        """The sound of a clip, and its blur."""
        waveform, _ = load_flac(inside(self.root, task.facts["audio_path"]))
        return Clip(waveform, draw_blur(self.policy, self._draws(task)))

    def _made(self, clips: Sequence[Clip]) -> Sequence[Waveform | Exception]:
        """Each clip anew, or why not; where all at once is too much, one by one."""
        vocoder = _loaded(self.vocoder, self.weights, self.accelerator)
        made = attempt(resynthesize_together, vocoder, clips)
        if isinstance(made, Exception):
            return [attempt(resynthesize, vocoder, *clip) for clip in clips]
        return made

    def _keep(self, task: Task, source: Clip, made: Waveform | Exception) -> Outcome:
        """Match a resynthesis to its source, write it, and say how it was made."""
        if isinstance(made, Exception):
            raise made
        matched = match_sound(made, source.waveform, SAMPLE_RATE)
        name = f"vocoded/{self.vocoder}/{task.corpus}/{task.clip_id}.flac"
        save_flac(self.root / name, matched.waveform, SAMPLE_RATE)
        return {
            "vocoder": self.vocoder,
            "audio_path": name,
            "audio_sha256": sha256_of(self.root / name),
            "source_sha256": task.facts["audio_sha256"],
            "checkpoint_sha256": _loaded(self.vocoder, self.weights, self.accelerator).checkpoint_sha256,
            "sample_rate": SAMPLE_RATE,
            "n_samples": len(matched.waveform),
            "blur_time_sigma": source.blur.time_sigma,
            "blur_mel_sigma": source.blur.mel_sigma,
            "gain_db": matched.gain_db,
            "lag_ms": matched.lag_ms,
            "lsd_db": matched.lsd_db,
            "bandwidth_hz": matched.bandwidth_hz,
        }

    def _draws(self, task: Task) -> np.random.Generator:
        """Random numbers of this clip: the same whatever else is vocoded, and by whom."""
        text = f"{self.seed}|vocode|{task.corpus}|{task.clip_id}|{self.vocoder}"
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def _cut(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Tasks that are done together: in order, until enough sound has come together."""
    together: list[Task] = []
    seconds = 0.0
    for task in tasks:
        task_s = task.facts["n_samples"] / SAMPLE_RATE
        if together and seconds + task_s > _TOGETHER_S:
            yield together
            together, seconds = [], 0.0
        together.append(task)
        seconds += task_s
    yield together


@lru_cache(maxsize=1)
def _loaded(name: str, weights: Path | None, accelerator: Accelerator) -> Vocoder:
    return load_vocoder(name, weights or True, accelerator)


def _stage(workspace: Workspace, corpus: str, work: _Resynthesize) -> Stage:
    checkpoint = weights_sha256(work.vocoder, work.weights or True)
    return Stage(
        ledger=workspace.ledger("vocoded"),
        scope=f"{work.vocoder}-{corpus}",
        fields=VOCODED_FIELDS,
        config={
            "vocoder": work.vocoder,
            "checkpoint": checkpoint,
            "matching": MATCHING,
            "blur": asdict(work.policy),
            "seed": work.seed,
        },
        work=work,
        root=workspace.root,
        media_column="audio_path",
    )


def _tasks(workspace: Workspace, corpus: str) -> Iterator[Task]:
    """A task for every clip whose sound was fetched."""
    for row in read_ledger(workspace.ledger("audio"), corpus):
        if row["status"] == "ok":
            facts = {name: row[name] for name in ("audio_path", "audio_sha256", "n_samples")}
            yield Task(corpus, row["clip_id"], row["audio_sha256"], facts)
