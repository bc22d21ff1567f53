"""What a recipe will do: the splits it builds, the detectors it trains, and about how long that takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow.parquet as pq

from avfake.curate.workspace import Workspace, safe_name
from avfake.errors import AvfakeError
from avfake.manifest.split_config import SplitConfig
from avfake.reproduction.experiments import DETECTORS, INDEPENDENT, Experiment, Pair, Row
from avfake.reproduction.pace import Pace, find_paces, seconds_per_step
from avfake.reproduction.settings import PRESETS, Settings
from avfake.reproduction.sources import Source, find_sources
from avfake.training.config import TrainConfig


@dataclass(frozen=True)
class SplitPlan:
    """A split that is built once and kept.

    Attributes:
        name: Of it.
        config: All options that decide it.
        built: It is there.
        n_train: Rows of train; None before it is built.
    """

    name: str
    config: SplitConfig
    built: bool
    n_train: int | None


@dataclass(frozen=True)
class RunPlan:
    """A detector that is trained and judged.

    Attributes:
        name: Of the run.
        row: Of the table that it fills.
        left_out: By which the row's unseen pair is replaced; empty where nothing stands in.
        seed: Of the training.
        config: Of the training.
        finished: It was trained before.
        hours: At most, by the pace of finished runs; None where nobody knows.
    """

    name: str
    row: Row
    left_out: str
    seed: int
    config: TrainConfig
    finished: bool
    hours: float | None


@dataclass(frozen=True)
class Plan:
    """All that a recipe does on a workspace.

    Attributes:
        experiment: Which.
        label: Of its runs and results.
        sources: Corpora in the place of the paper's data sets.
        splits: To build.
        runs: To train and judge, in order.
        missing: One line each: what is not there yet, and which command makes it.
        notes: What differs from the paper, each a sentence.
        n_failed: Always 0: what is missing has not failed.
    """

    experiment: Experiment
    label: str
    sources: tuple[Source, ...]
    splits: tuple[SplitPlan, ...]
    runs: tuple[RunPlan, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    n_failed: int = field(default=0)

    @property
    def result_name(self) -> str:
        """Of the files of results."""
        return f"{self.label}-{'+'.join(source.corpus for source in self.sources)}"

    def __str__(self) -> str:
        lines = [self.experiment.title, "splits:"]
        for split in self.splits:
            size = "not built yet" if split.n_train is None else f"built, {split.n_train} rows of train"
            lines.append(f"  {split.name}: {_options(split.config)}; {size}")
        lines.append("runs:")
        lines += [f"  {run.name}: {_settings(run)}; {_time(run)}" for run in self.runs]
        todo = [run.hours for run in self.runs if not run.finished]
        known = [hours for hours in todo if hours is not None]
        if todo:
            total = f"at most {sum(known):.1f} h" if len(known) == len(todo) else "hours unknown"
            lines.append(f"{len(todo)} of {len(self.runs)} runs to train, {total}")
        lines += [f"note: {note}" for note in self.notes]
        lines += [f"missing: {line}" for line in self.missing] or ["nothing is missing"]
        return "\n".join(lines)


def make_plan(
    workspace: Workspace,
    experiment: Experiment,
    *,
    settings: Settings,
    n_seeds: int = 1,
    corpora: Sequence[str] = (),
) -> Plan:
    """Look what a workspace has, and what is to be done there; nothing is written.

    Args:
        workspace: Where.
        experiment: What.
        settings: How detectors are trained.
        n_seeds: Each detector is trained so often, with seeds from 0 on.
        corpora: That stand for the paper's data sets, in their order.

    Raises:
        AvfakeError: A setting is impossible, or a table of the workspace is broken.
    """
    if settings.preset not in PRESETS:
        raise AvfakeError(f"preset {settings.preset!r} is unknown; choose one of {', '.join(PRESETS)}")
    if n_seeds < 1:
        raise AvfakeError(f"n_seeds={n_seeds} must be at least 1")
    label = safe_name(settings.label or settings.preset, "label")
    sources = find_sources(workspace, experiment, corpora)
    paces = list(find_paces(workspace.root))
    splits: dict[str, SplitPlan] = {}
    runs = []
    for source in sources:
        for row, pair in _rows(experiment, source):
            split = _split(workspace, source, pair, shuffle_audio=experiment.shuffle_audio)
            splits[split.name] = split
            left_out = str(pair) if pair and source.stands_in else ""
            runs += [
                _run(workspace, split, row, left_out, seed, settings, label, paces) for seed in range(n_seeds)
            ]
    missing = [line for source in sources for line in source.missing]
    if not runs and not missing:
        missing.append("no row can be filled: unseen pairs need two video methods and two vocoders at least")
    notes = (*(note for source in sources for note in source.notes), *experiment.notes)
    return Plan(experiment, label, tuple(sources), tuple(splits.values()), tuple(runs), tuple(missing), notes)


def _rows(experiment: Experiment, source: Source) -> Iterator[tuple[Row, Pair | None]]:
    """Rows of the table that a source can fill, and what is left out for each."""
    rows = [row for row in experiment.rows if row.data == source.data]
    pairs = source.stand_in(list(dict.fromkeys(row.unseen for row in rows if row.unseen)))
    for row in rows:
        if row.unseen is None:
            yield row, None
        elif row.unseen in pairs:
            yield row, pairs[row.unseen]


def _split(workspace: Workspace, source: Source, pair: Pair | None, *, shuffle_audio: bool) -> SplitPlan:
    config = SplitConfig(
        corpora=(source.corpus,),
        vocoders=tuple(sorted(source.vocoders)),
        train_policy="swap",
        leave_out_method=(pair.method,) if pair else (),
        leave_out_vocoder=(pair.vocoder,) if pair else (),
        shuffle_audio=shuffle_audio,
    )
    parts = ["reproduce", source.corpus, *(["unseen", pair.method] if pair else [])]
    name = "-".join([*parts, *(["shuffled"] if shuffle_audio else [])])
    folder = workspace.split(name)
    if not (folder / "report.json").is_file():
        return SplitPlan(name, config, built=False, n_train=None)
    return SplitPlan(
        name, config, built=True, n_train=pq.ParquetFile(folder / "train.parquet").metadata.num_rows
    )


def _run(
    workspace: Workspace,
    split: SplitPlan,
    row: Row,
    left_out: str,
    seed: int,
    settings: Settings,
    label: str,
    paces: Sequence[Pace],
) -> RunPlan:
    base = f"{label}-{split.name.removeprefix('reproduce-')}"
    name = safe_name(f"{base}-{row.label}-s{seed}", "run")
    config = settings.config(split.name, row, seed, f"{base}-{INDEPENDENT}-s{seed}" if row.frozen else None)
    finished = (workspace.root / "runs" / name / "metrics.json").is_file()
    hours = None
    if split.n_train is not None and (step_s := seconds_per_step(config, paces)) is not None:
        hours = split.n_train // config.batch_size * config.epochs * step_s / 3600
    return RunPlan(name, row, left_out, seed, config, finished, hours)


def _options(config: SplitConfig) -> str:
    left_out = [*config.leave_out_method, *config.leave_out_vocoder]
    parts = [
        f"corpus {', '.join(config.corpora)}",
        f"vocoders {', '.join(config.vocoders) or 'unknown yet'}",
        f"train {config.train_policy}",
        *([f"left out {' + '.join(left_out)}"] if left_out else []),
        *(["sound shuffled"] if config.shuffle_audio else []),
    ]
    return ", ".join(parts)


def _settings(run: RunPlan) -> str:
    fields = {**DETECTORS[run.row.detector], **({"freeze_streams": True} if run.row.frozen else {})}
    texts = [f"{name}={value}" for name, value in fields.items()]
    begun = [f"streams from {run.config.streams_from}"] if run.config.streams_from else []
    return ", ".join([*texts, *begun, f"seed {run.seed}"])


def _time(run: RunPlan) -> str:
    if run.finished:
        return "finished"
    return "hours unknown" if run.hours is None else f"at most {run.hours:.1f} h"
