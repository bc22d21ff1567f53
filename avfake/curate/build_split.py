"""``avfake build-split``: a four-quadrant manifest from the workspace's tables, proven before it appears."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from avfake.curate.band_limit import forget_other_cutoffs, limit_band
from avfake.curate.stage import fingerprint
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.files import sha256_of, write_bytes
from avfake.manifest.balance import choose_rows
from avfake.manifest.candidates import Tables, judge_clips, known_vocoders, load_tables
from avfake.manifest.database import Database, open_database
from avfake.manifest.holdout import place_clips
from avfake.manifest.pairing import pair_sounds
from avfake.manifest.proof import prove
from avfake.manifest.rows import prepare_rows, split_rows
from avfake.manifest.schema import SPLIT_SCHEMA, SPLITS
from avfake.manifest.split_config import BandLimit, SplitConfig, TrainPolicy
from avfake.manifest.table import write_table

_EXCLUDED = """
SELECT reason, count(*) FROM (
    SELECT reason FROM clips WHERE reason IS NOT NULL
    UNION ALL SELECT reason FROM placed WHERE reason IS NOT NULL
    UNION ALL SELECT 'method left out of its split' FROM placed p
        ANTI JOIN pool USING (corpus, clip_id) WHERE p.reason IS NULL
    UNION ALL SELECT 'not needed for equal quadrants' FROM pool ANTI JOIN chosen USING (corpus, clip_id)
) GROUP BY reason ORDER BY reason
"""


@dataclass(frozen=True)
class SplitReport:
    """What was built, what was left out and why.

    Attributes:
        name: Of the split.
        build: Fingerprint of the rows and options; also in the metadata of each table.
        n_clips: Indexed clips looked at.
        n_rows: Manifest rows, by split and quadrant.
        excluded: Clips that are in no row, by reason.
        cutoff_hz: Where all sound was cut off; None without a band limit.
        config: All options.
        methods: Video methods of the usable clips.
        proof: Counts of every kind of row, and what was checked.
        n_failed: Always 0: a build that cannot be proven raises instead.
    """

    name: str
    build: str
    n_clips: int
    n_rows: Mapping[str, Mapping[str, int]]
    excluded: Mapping[str, int]
    cutoff_hz: float | None
    config: Mapping[str, Any]
    methods: Sequence[str]
    proof: Mapping[str, Any]
    n_failed: int = field(default=0)

    def __str__(self) -> str:
        lines = [f"split {self.name}: proof passed, {self.n_clips} clips looked at"]
        for split, quadrants in self.n_rows.items():
            lines.append(f"  {split:5} " + "  ".join(f"{name} {n}" for name, n in quadrants.items()))
        lines += [f"  left out: {n} {reason}" for reason, n in self.excluded.items()]
        if self.cutoff_hz is not None:
            lines.append(f"  all sound cut off at {self.cutoff_hz:.0f} Hz")
        return "\n".join(lines)


def build_split(
    workspace: Workspace,
    *,
    name: str = "balanced",
    corpora: Sequence[str] = (),
    vocoders: Sequence[str] = (),
    balanced: bool = True,
    train_policy: TrainPolicy = "balanced",
    leave_out_method: Sequence[str] = (),
    leave_out_vocoder: Sequence[str] = (),
    shuffle_audio: bool = False,
    per_quadrant: int | None = None,
    window_s: float = 3.0,
    min_duration_s: float = 0.0,
    min_sync: float | None = None,
    ratios: Sequence[float] = (0.72, 0.14, 0.14),
    band_limit: BandLimit = "none",
    seed: int = 0,
    jobs: int = 1,
    executor: str = "local",
) -> SplitReport:
    """Build the train, val and test tables of one split, prove them, and put them in place together.

    Args:
        workspace: Where index, sound and vocoded sound lie and the split goes.
        name: Of the split.
        corpora: Indexed corpora to use; all when empty.
        vocoders: Whose sound stands for fake audio; all that were run when empty.
        balanced: Equal quadrants; else every usable clip with every vocoder.
        train_policy: ``swap`` takes each training clip once, with a vocoded sound one time in two.
        leave_out_method: Video methods that only the test split shows, and no others.
        leave_out_vocoder: Vocoders that only the test split holds, and no others.
        shuffle_audio: Give each clip the sound of another person (the pairing control).
        per_quadrant: Rows of each quadrant in each balanced split; None for as many as there can be.
        window_s: Length of a sample, in seconds.
        min_duration_s: Clips with shorter sound are left out, in seconds.
        min_sync: Clips whose mouth follows their sound less than this are left out; None for no such limit.
        ratios: Shares of train, val and test where the corpus has no official split.
        band_limit: ``common`` passes all sound, real and fake, through one low-pass.
        seed: Of every draw.
        jobs: Threads of the joins, and worker processes of the band limit.
        executor: Where the band limit runs: ``local`` or ``ray``.

    Raises:
        AvfakeError: A name is unknown, a table is broken, a cell of the balance is short, or the proof fails.
        StorageError: The disk is full or read-only.
    """
    config = SplitConfig(
        corpora=workspace.chosen(corpora),
        vocoders=_names(vocoders),
        balanced=balanced,
        train_policy=train_policy,
        leave_out_method=_names(leave_out_method),
        leave_out_vocoder=_names(leave_out_vocoder),
        shuffle_audio=shuffle_audio,
        per_quadrant=per_quadrant,
        window_s=float(window_s),
        min_duration_s=float(min_duration_s),
        min_sync=min_sync,
        ratios=tuple(map(float, ratios)),
        band_limit=band_limit,
        seed=seed,
    )
    with workspace.lock():
        return _build(workspace, name, config, jobs=jobs, executor=executor)


def _build(workspace: Workspace, name: str, config: SplitConfig, *, jobs: int, executor: str) -> SplitReport:
    folder = workspace.split(name)
    building = folder.with_name(f".{folder.name}.building")
    with open_database(building, threads=jobs) as database:
        load_tables(database, _tables(workspace, config.corpora))
        config = replace(config, vocoders=_vocoders(database, config.vocoders))
        judge_clips(database, config)
        place_clips(database, config)
        methods = choose_rows(database, config)
        pair_sounds(database, shuffle=config.shuffle_audio, seed=config.seed)
        prepare_rows(database)
        cutoff_hz = None
        if config.band_limit == "common":
            cutoff_hz = limit_band(database, workspace.root, folder, jobs=jobs, executor=executor)
        facts = {
            "config": config.as_json(),
            "seed": config.seed,
            "methods": list(methods),
            "cutoff_hz": cutoff_hz,
        }
        index = [workspace.index(corpus) for corpus in config.corpora]
        facts = _write(database, building, config, facts, index)
        report = _report(database, name, facts)
        _publish(building, folder, report)
    forget_other_cutoffs(folder, cutoff_hz)
    return report


def _vocoders(database: Database, names: Sequence[str]) -> tuple[str, ...]:
    known = known_vocoders(database)
    if not known:
        raise AvfakeError("no clip is vocoded yet; run avfake vocode first")
    if unknown := sorted(set(names) - set(known)):
        raise AvfakeError(f"no clip is vocoded with {unknown[0]!r} (there is: {', '.join(known)})")
    return tuple(names) or known


def _names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _tables(workspace: Workspace, corpora: Sequence[str]) -> Tables:
    stages = ("audio", "vocoded", "faces", "screened")
    parts = {stage: sorted(workspace.ledger(stage).glob("part-*.parquet")) for stage in stages}
    return Tables([workspace.index(corpus) for corpus in corpora], **parts)


def _write(
    database: Database, building: Path, config: SplitConfig, facts: Mapping[str, Any], index: Sequence[Path]
) -> dict[str, Any]:
    """Write the tables, prove them, and write them once more with the proof in their metadata.

    Returns:
        The facts, proof and fingerprint added.

    Raises:
        AvfakeError: The proof found a violation.
    """
    for split in SPLITS:
        write_table(building / f"{split}.parquet", split_rows(database, split, config), SPLIT_SCHEMA, {})
    proof = prove(building, facts["config"], facts["methods"], index)
    if proof.violations:
        raise AvfakeError(f"the split was not written, its proof failed: {'; '.join(proof.violations[:3])}")
    build = fingerprint(facts, [sha256_of(building / f"{split}.parquet") for split in SPLITS])
    proven = {**facts, "build": build, "proof": proof.as_json()}
    for split in SPLITS:
        rows = pq.ParquetFile(building / f"{split}.parquet").iter_batches()
        write_table(building / "proven" / f"{split}.parquet", rows, SPLIT_SCHEMA, {**proven, "split": split})
    return proven


def _report(database: Database, name: str, facts: Mapping[str, Any]) -> SplitReport:
    rows: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for cell in facts["proof"]["cells"]:
        rows[cell["split"]][cell["quadrant"]] += cell["n_rows"]
    (n_clips,) = database.execute("SELECT count(*) FROM clips").fetchone() or (0,)
    return SplitReport(
        name=name,
        build=facts["build"],
        n_clips=n_clips,
        n_rows={split: dict(counts) for split, counts in rows.items()},
        excluded=dict(database.execute(_EXCLUDED).fetchall()),
        cutoff_hz=facts["cutoff_hz"],
        config=facts["config"],
        methods=facts["methods"],
        proof=facts["proof"],
    )


def _publish(building: Path, folder: Path, report: SplitReport) -> None:
    """Move the finished tables into place; the report comes last and tells a whole split from a torn one."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        (building / "proven" / f"{split}.parquet").replace(folder / f"{split}.parquet")
    (folder / "audit.json").unlink(missing_ok=True)  # it spoke of the tables just replaced
    write_bytes(folder / "report.json", json.dumps(asdict(report), indent=1, sort_keys=True).encode())
