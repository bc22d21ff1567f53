"""An evaluation as a person reads it: on the terminal, on a page, in a paper."""

from collections.abc import Mapping

from avfake.evaluation.result_folder import PICTURE
from avfake.evaluation.scores import HEADS
from avfake.evaluation.summary import METRICS, Summary
from avfake.evaluation.tables import (
    Table,
    detector_table,
    format_estimate,
    gather_notes,
    method_table,
    quadrant_table,
    vocoder_table,
)

_MAXIMUM = (
    "The whole is the larger of p(video) and p(audio), our choice; at the threshold it is the OR of both."
)


def head_table(summary: Summary) -> Table:
    """All metrics of each head in percent, one row per head."""
    rows, cautions = [], []
    for head in HEADS:
        found = summary["heads"][head]
        error = f"{100 * found['calibration_error']:.2f}"
        rows.append((head, *(format_estimate(found[name]) for name in METRICS), error))
        cautions += [(head, _title(name), found[name]["note"]) for name in METRICS]
    notes = gather_notes(cautions)
    if summary["whole_by"] == "maximum":
        notes.append(_MAXIMUM)
    return Table(("head", *map(_title, METRICS), "calibration error"), tuple(rows), tuple(notes))


def as_text(summary: Summary) -> str:
    """Columns for a terminal: every head, quadrant, method and vocoder."""
    heads = head_table(summary)
    tables = [heads, *_kinds(summary).values()]
    lines = [
        _sentence(summary),
        f"  {_numbers(summary)}",
        *(line for table in tables for line in _aligned(table)),
    ]
    return "\n".join([*lines, *(f"  note: {note}" for note in heads.notes)])


def markdown_page(summary: Summary) -> str:
    """A page of Markdown."""
    parts = [f"# {_heading(summary)}", f"{_sentence(summary)}. {_numbers(summary)}"]
    for title, table in _all(summary).items():
        parts += [f"## {title}", table.as_markdown().rstrip()]
    parts += ["## Calibration", f"![Share of fakes by probability of being fake]({PICTURE})"]
    return "\n\n".join(parts) + "\n"


def latex_page(summary: Summary) -> str:
    """The tables of the page as ``tabular`` environments, to be taken one by one."""
    tables = [f"% {title}\n{table.as_latex()}" for title, table in _all(summary).items()]
    return "\n".join([f"% {_heading(summary)}", f"% {_numbers(summary)}", *tables])


def _all(summary: Summary) -> dict[str, Table]:
    beside = detector_table({summary["run"]: summary})
    return {"Heads": head_table(summary), "Beside other detectors": beside, **_kinds(summary)}


def _kinds(summary: Summary) -> Mapping[str, Table]:
    tables = {"Quadrants": quadrant_table(summary), "Video methods": method_table(summary)}
    tables["Vocoders"] = vocoder_table(summary)
    return {title: table for title, table in tables.items() if table.rows}


def _heading(summary: Summary) -> str:
    return f"Run {summary['run']} on {summary['part']} of split {summary['split']}"


def _sentence(summary: Summary) -> str:
    length_s = summary["window_s"]
    seen = f"the first {length_s:g} s of each"
    if summary["hop_s"] is not None:
        seen = f"{summary['aggregation']} over windows of {length_s:g} s, {summary['hop_s']:g} s apart"
    rows, groups = _count(summary["n_samples"], "row"), _count(summary["n_groups"], "identity group")
    return f"{_heading(summary)}: {rows} of {groups}, {seen}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _numbers(summary: Summary) -> str:
    interval = summary["interval"]
    return (
        f"Percent, with {100 * interval['level']:.0f} % intervals from {interval['n_draws']} resamples of "
        f"whole identity groups; fake from a probability of {summary['threshold']} on."
    )


def _title(name: str) -> str:
    return {"auc": "AUC", "equal_error_rate": "EER"}.get(name, name.replace("_", " "))


def _aligned(table: Table) -> list[str]:
    """Rows of a table in columns: names left, numbers right."""
    rows = [table.columns, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
