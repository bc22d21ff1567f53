"""``avfake reproduce``: an experiment of the paper from splits to its table, resumed wherever killed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from avfake.curate.audit import audit, refuse_shortcuts
from avfake.curate.build_split import build_split
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError, one_line
from avfake.evaluation.evaluate import evaluate
from avfake.evaluation.result_folder import SCORES
from avfake.evaluation.scores import load_scores
from avfake.reproduction.experiments import find_experiment
from avfake.reproduction.plan import Plan, RunPlan, SplitPlan, make_plan
from avfake.reproduction.results import write_results
from avfake.reproduction.seeds import Result, join_scores, measure
from avfake.reproduction.settings import Settings
from avfake.reproduction.wild import judge_sounds
from avfake.training.fit import train

_PAPER = Settings()


@dataclass(frozen=True)
class ReproductionReport:
    """What a recipe found.

    Attributes:
        experiment: Its name.
        page: Tables beside the paper's numbers, as Markdown.
        folder: Where these lie, with LaTeX and JSON.
        results: By the name of the row's first run.
        n_failed: Always 0: a recipe that fails raises instead.
    """

    experiment: str
    page: str
    folder: str
    results: dict[str, Result]
    n_failed: int = field(default=0)

    def __str__(self) -> str:
        return f"{self.page}\n{self.folder}"


def reproduce(
    workspace: Workspace,
    experiment: str,
    *,
    settings: Settings = _PAPER,
    n_seeds: int = 1,
    corpora: Sequence[str] = (),
    dry_run: bool = False,
    allow_shortcuts: bool = False,
    jobs: int = 1,
) -> ReproductionReport | Plan:
    """Run an experiment: build its splits, train and judge its detectors, write its table.

    A second call redoes nothing, and a killed one goes on. The table is written after each row.

    Args:
        workspace: Where the corpora are, and all results go.
        experiment: Key of ``EXPERIMENTS``.
        settings: How detectors are trained.
        n_seeds: Each detector is trained so often, with seeds from 0 on.
        corpora: That stand for the paper's data sets, in their order.
        dry_run: Only say what would be done, and what is missing.
        allow_shortcuts: Train on splits that failed their audit, too.
        jobs: Processes and threads for splits and audits.

    Returns:
        The plan, of a dry run.

    Raises:
        AvfakeError: Something is missing, an audit failed, or earlier runs had other settings.
        StorageError: The disk is full or read-only.
    """
    plan = make_plan(
        workspace, find_experiment(experiment), settings=settings, n_seeds=n_seeds, corpora=corpora
    )
    if dry_run:
        return plan
    if plan.missing:
        more = len(plan.missing) - 1
        others = f" ({more} more: --dry-run lists them)" if more else ""
        raise AvfakeError(f"{plan.missing[0]}{others}")
    for split in plan.splits:
        _build(workspace, split, allow_shortcuts=allow_shortcuts, jobs=jobs)
    folder = workspace.root / "reproduce" / plan.experiment.name
    results: dict[str, Result] = {}
    page = ""
    for runs in _by_row(plan):
        for run in runs:
            train(workspace.root, run.config, run=run.name)
        results[runs[0].name] = _judge(workspace, plan, runs, settings)
        page = write_results(folder, plan, results)
    return ReproductionReport(plan.experiment.name, page, str(folder), results)


def _by_row(plan: Plan) -> Iterator[list[RunPlan]]:
    """Runs of the same row, which differ in their seed."""
    runs: list[RunPlan] = []
    for run in plan.runs:
        if run.seed == 0 and runs:
            yield runs
            runs = []
        runs.append(run)
    yield runs


def _build(workspace: Workspace, split: SplitPlan, *, allow_shortcuts: bool, jobs: int) -> None:
    """Build a split, or keep the one that is there; audit it, or heed the audit that is there."""
    folder = workspace.split(split.name)
    if split.built:
        _refuse_other(folder, split)
    else:
        build_split(workspace, name=split.name, jobs=jobs, **asdict(split.config))
    if (folder / "audit.json").is_file():
        if _read(folder / "audit.json").get("verdict") == "fail" and not allow_shortcuts:
            raise AvfakeError(
                f"split {split.name!r} has shortcuts, see {folder / 'audit.json'}; mend them, see "
                "docs/audit.md, or pass --allow-shortcuts"
            )
        return
    refuse_shortcuts(audit(workspace, split.name, allow_shortcuts=allow_shortcuts, jobs=jobs))


def _refuse_other(folder: Path, split: SplitPlan) -> None:
    before, now = _read(folder / "report.json").get("config", {}), split.config.as_json()
    if wrong := [
        f"{name}={before.get(name)} (now {value})" for name, value in now.items() if before.get(name) != value
    ]:
        raise AvfakeError(
            f"split {split.name!r} was built with {', '.join(wrong)}; delete {folder} and the runs on it to "
            "begin anew"
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AvfakeError(f"{path} cannot be read: {one_line(error)}; delete it and run again") from error
    return found if isinstance(found, dict) else {}


def _judge(workspace: Workspace, plan: Plan, runs: Sequence[RunPlan], settings: Settings) -> Result:
    names = [run.name for run in runs]
    if plan.experiment.judged is not None:
        (corpus,) = (source.corpus for source in plan.sources if source.data == plan.experiment.judged)
        judged = judge_sounds(workspace, corpus, names, accelerator=settings.accelerator)
    else:
        folders = [
            evaluate(
                workspace.root,
                run.name,
                run.config.split,
                accelerator=settings.accelerator,
                workers=settings.workers,
            ).folder
            for run in runs
        ]
        judged = join_scores([load_scores(Path(folder) / SCORES) for folder in folders])
    return measure(runs, judged, plan.experiment.measures)
