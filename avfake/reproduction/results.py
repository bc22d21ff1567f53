"""What a recipe found beside what the paper says: Markdown, LaTeX and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from avfake.evaluation.bootstrap import LEVEL, N_DRAWS
from avfake.evaluation.tables import NO_VALUE, Table, format_estimate, gather_notes
from avfake.files import write_bytes
from avfake.reproduction.experiments import Experiment
from avfake.reproduction.plan import Plan, RunPlan
from avfake.reproduction.seeds import Result


def result_tables(plan: Plan, results: Mapping[str, Result]) -> dict[str, Table]:
    """One table per data set, and one of the paper's rows that are not trained here.

    Args:
        plan: Whose rows are shown, those without a result too.
        results: By the name of the row's first run.
    """
    tables = {}
    for source in plan.sources:
        runs = [run for run in plan.runs if run.row.data == source.data and run.seed == 0]
        if not runs:
            continue
        title = source.data.title + (f" (here {source.corpus})" if source.stands_in else "")
        tables[title] = _table(plan.experiment, runs, results)
    if plan.experiment.others:
        tables["Other detectors of this table, not trained here: the paper's numbers alone"] = _others(
            plan.experiment
        )
    return tables


def write_results(folder: Path, plan: Plan, results: Mapping[str, Result]) -> str:
    """Write the tables and all behind them; what was found so far is enough.

    Args:
        folder: For ``<result name>.md``, ``.tex`` and ``.json``.
        plan: Of the recipe.
        results: By the name of the row's first run.

    Returns:
        The page of Markdown.
    """
    tables = result_tables(plan, results)
    lines = [_settings(plan), *plan.notes]
    page = [f"# {plan.experiment.title}", *lines]
    for title, table in tables.items():
        page += [f"## {title}", table.as_markdown().rstrip()]
    text = "\n\n".join(page) + "\n"
    latex = "\n".join(
        [f"% {line}" for line in (plan.experiment.title, *lines)]
        + [f"% {title}\n{table.as_latex()}" for title, table in tables.items()]
    )
    for suffix, content in (("md", text), ("tex", latex), ("json", as_json(plan, results))):
        write_bytes(folder / f"{plan.result_name}.{suffix}", content.encode())
    return text


def as_json(plan: Plan, results: Mapping[str, Result]) -> str:
    """All numbers: shares from 0 to 1 as measured, percent as the paper prints them."""
    rows = [_entry(plan.experiment, run, results.get(run.name)) for run in plan.runs if run.seed == 0]
    facts = {
        "experiment": plan.experiment.name,
        "label": plan.label,
        "notes": plan.notes,
        "interval": {"level": LEVEL, "n_draws": N_DRAWS, "seed": 0, "resampled": "identity_group"},
        "sources": [
            {"data_set": source.data.title, "corpus": source.corpus, "stands_in": source.stands_in}
            for source in plan.sources
        ],
        "splits": [{"name": split.name, **split.config.as_json()} for split in plan.splits],
        "rows": rows,
        "published_alone": plan.experiment.others,
    }
    return json.dumps(facts, indent=1) + "\n"


def _entry(experiment: Experiment, run: RunPlan, result: Result | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "data_set": run.row.data.title,
        "detector": run.row.label,
        "unseen_in_the_paper": str(run.row.unseen) if run.row.unseen else None,
        "unseen": run.left_out or (str(run.row.unseen) if run.row.unseen else None),
        "config": run.config.as_json(),
    }
    titles = [measure.title for measure in experiment.measures]
    found["published_percent"] = dict(zip(titles, run.row.published, strict=True))
    if result is None:
        return {**found, "measured": None}
    return {
        **found,
        "runs": [of_seed.name for of_seed in result.runs],
        "n_samples": result.n_samples,
        "n_groups": result.n_groups,
        "whole_by": result.whole_by,
        "measured": {
            title: {**estimate._asdict(), "each_seed": each}
            for title, estimate, each in zip(titles, result.measured, result.each, strict=True)
        },
    }


def _table(experiment: Experiment, runs: Sequence[RunPlan], results: Mapping[str, Result]) -> Table:
    rows, notes, maximum = [], [], []
    of_whole = any(measure.head == "whole" for measure in experiment.measures)
    titles = [measure.title for measure in experiment.measures]
    for run in runs:
        name = _row_name(run)
        result = results.get(run.name)
        cells = [NO_VALUE] * len(experiment.measures)
        if result is not None:
            cells = [format_estimate(estimate._asdict()) for estimate in result.measured]
            found = zip(titles, result.measured, strict=True)
            notes += [(name, title, estimate.note) for title, estimate in found]
            maximum += [name] if of_whole and result.whole_by == "maximum" else []
        published = [NO_VALUE if number is None else f"{number:.2f}" for number in run.row.published]
        rows.append((name, *(text for both in zip(cells, published, strict=True) for text in both)))
    headings = [text for title in titles for text in (title, "paper")]
    remarks = [*_brackets(results), *gather_notes(notes)]
    if maximum:
        remarks.append(f"{', '.join(maximum)}: the whole is the larger of p(video) and p(audio), our choice.")
    return Table(("detector", *headings), tuple(rows), tuple(remarks))


def _row_name(run: RunPlan) -> str:
    if run.row.unseen is None:
        return run.row.label
    here = f" (here {run.left_out})" if run.left_out else ""
    return f"{run.row.unseen}{here}: {run.row.label}"


def _brackets(results: Mapping[str, Result]) -> list[str]:
    if not results:
        return [f"{NO_VALUE}: not trained yet."]
    counts = sorted({(result.n_samples, result.n_groups, len(result.runs)) for result in results.values()})
    return [
        f"Percent; in brackets {100 * LEVEL:g} % intervals from {N_DRAWS} resamples of {n_groups} identity "
        f"groups ({n_samples} samples), {'one seed' if n_seeds == 1 else f'mean of {n_seeds} seeds'}."
        for n_samples, n_groups, n_seeds in counts
    ]


def _others(experiment: Experiment) -> Table:
    pairs = list(dict.fromkeys(str(row.unseen) for row in experiment.rows))
    rows = tuple(
        (name, *(f"{number:.2f}" for number in numbers)) for name, numbers in experiment.others.items()
    )
    return Table(("detector", *pairs), rows, ("As the paper prints them.",))


def _settings(plan: Plan) -> str:
    config = asdict(plan.runs[0].config)
    names = ("epochs", "batch_size", "accumulate", "precision", "learning_rate", "monitor")
    chosen = ", ".join(f"{name} {config[name]}" for name in names)
    return f"Label {plan.label}; {chosen}. The best epoch on val is judged."
