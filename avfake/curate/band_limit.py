"""One low-pass for all sound of a split, so that where a spectrum ends says nothing."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from avfake.audio.io import load_flac, save_flac
from avfake.curate.stage import Stage, find_parts, run_stage
from avfake.curate.task import OneByOne, Outcome, Task
from avfake.errors import AvfakeError
from avfake.files import inside, sha256_of
from avfake.manifest.database import Database, load_files

_FIELDS = [pa.field(name, pa.string()) for name in ("source_path", "limited_path", "limited_sha256")]

# A vocoder's effective top frequency is what its widest outputs reach; the 95th percentile, not the
# maximum, so that one clip with a click does not decide.
_CUTOFF = """
SELECT min(top) FROM (
    SELECT quantile_disc(bandwidth_hz, 0.95) AS top FROM sounds GROUP BY coalesce(vocoder, '')
)
"""


def limit_band(database: Database, root: Path, folder: Path, *, jobs: int, executor: str) -> float:
    """Low-pass every sound in use at the lowest effective top frequency of real sound and vocoders.

    Fills the table ``limited``. Filtered sound lies under the split's own folder, by cut-off, so that an
    earlier build of the same name stays whole until this one succeeds; a killed run resumes.

    Args:
        database: With the table ``sounds``.
        root: Workspace folder.
        folder: Of the split.
        jobs: Worker processes.
        executor: ``local`` or ``ray``.

    Returns:
        The cut-off in Hz: nothing is left at and above it.

    Raises:
        AvfakeError: A sound file is missing or broken.
    """
    (cutoff_hz,) = database.execute(_CUTOFF).fetchone() or (None,)
    if cutoff_hz is None:
        raise AvfakeError("--band-limit common needs bandwidth_hz of the sound: run avfake vocode again")
    names = [
        name for (name,) in database.execute("SELECT DISTINCT vocoder FROM sounds ORDER BY 1").fetchall()
    ]
    parts: list[Path] = []
    for vocoder in names:
        stage = _stage(root, folder, float(cutoff_hz), vocoder or "real")
        report = run_stage(stage, _tasks(database, vocoder), jobs=jobs, executor=executor, retry="failed")
        if report.n_failed:
            raise AvfakeError(
                f"{report.n_failed} sound files of {vocoder or 'real sound'} cannot be filtered "
                f"({', '.join(report.failures)}): make them again, reasons are in {stage.ledger}"
            )
        parts += find_parts(stage.ledger, stage.scope)
    load_files(database, "filtered", {field.name: "VARCHAR" for field in _FIELDS}, parts)
    database.execute("INSERT INTO limited SELECT * FROM filtered")
    return float(cutoff_hz)


def forget_other_cutoffs(folder: Path, cutoff_hz: float | None) -> None:
    """Remove filtered sound that the tables of a split no longer name."""
    kept = None if cutoff_hz is None else _label(cutoff_hz)
    for sounds in (folder / "audio").glob("*"):
        if sounds.name != kept:
            shutil.rmtree(sounds)
    for part in (folder / "audio.parquet").glob("part-*.parquet"):
        if not part.name.startswith(f"part-{kept}-"):
            part.unlink()


@dataclass(frozen=True)
class _Filter:
    """Work of the stage: one sound file in, its low-passed version out."""

    root: Path
    target: str  # folder below root
    cutoff_hz: float

    def __call__(self, task: Task) -> Outcome:
        from avfake.audio.filters import low_pass  # scipy.signal: a second to import, and few splits need it

        source = task.facts["audio_path"]
        waveform, sample_rate = load_flac(inside(self.root, source))
        name = f"{self.target}/{task.corpus}/{task.clip_id}.flac"
        save_flac(self.root / name, low_pass(waveform, self.cutoff_hz, sample_rate), sample_rate)
        return {
            "source_path": source,
            "limited_path": name,
            "limited_sha256": sha256_of(self.root / name),
        }


def _stage(root: Path, folder: Path, cutoff_hz: float, voice: str) -> Stage:
    target = folder.relative_to(root) / "audio" / _label(cutoff_hz) / voice
    return Stage(
        ledger=folder / "audio.parquet",
        scope=f"{_label(cutoff_hz)}-{voice}",
        fields=_FIELDS,
        config={"cutoff_hz": cutoff_hz},
        work=OneByOne(_Filter(root, target.as_posix(), cutoff_hz)),
        root=root,
        media_column="limited_path",
    )


def _label(cutoff_hz: float) -> str:
    return f"{cutoff_hz:.0f}hz"


def _tasks(database: Database, vocoder: str | None) -> Iterator[Task]:
    query = """
        SELECT corpus, clip_id, audio_path, audio_sha256 FROM sounds
        WHERE vocoder IS NOT DISTINCT FROM ? ORDER BY ALL
    """
    for corpus, clip_id, path, sha256 in database.execute(query, [vocoder]).fetchall():
        yield Task(corpus, clip_id, sha256, {"audio_path": path})
