"""Summaries as tables for a page or a paper: one row per detector, quadrant, method or vocoder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from avfake.evaluation.scores import HEADS
from avfake.evaluation.summary import Summary

NO_VALUE = "–"
_MAXIMUM_NOTE = (
    "Without a head for the whole, p(whole) is the larger of p(video) and p(audio): our choice, "
    "which at the threshold is the OR of both."
)
_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",  # which at the start of a row would be an argument of the row before
    NO_VALUE: "--",
}


@dataclass(frozen=True)
class Table:
    """Texts in rows and columns; the first column names the rows.

    Attributes:
        columns: Headings.
        rows: One text per column each.
        notes: What to mind, each one sentence.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def as_markdown(self) -> str:
        """A table of GitHub's Markdown, its notes below."""
        ruler = ("---", *["--:"] * (len(self.columns) - 1))
        lines = [
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
            for row in (self.columns, ruler, *self.rows)
        ]
        return "\n".join([*lines, *(f"\n{note}" for note in self.notes)]) + "\n"

    def as_latex(self) -> str:
        """A ``tabular`` that needs the package booktabs, its notes as comments."""
        lines = [" & ".join(map(escape_latex, row)) + r" \\" for row in (self.columns, *self.rows)]
        return (
            "\n".join(
                [
                    rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}",
                    r"\toprule",
                    lines[0],
                    r"\midrule",
                    *lines[1:],
                    r"\bottomrule",
                    r"\end{tabular}",
                    *(f"% {note}" for note in self.notes),
                ]
            )
            + "\n"
        )


def detector_table(summaries: Mapping[str, Summary]) -> Table:
    """The paper's table: accuracy of each head and AUC of the whole, in percent, one row per detector.

    Balanced accuracy of the whole stands beside it, since three quadrants of four are fake.
    """
    columns = {f"{head} accuracy": ("heads", head, "accuracy") for head in HEADS}
    columns |= {
        "whole balanced accuracy": ("heads", "whole", "balanced_accuracy"),
        "whole AUC": ("heads", "whole", "auc"),
    }
    table = _table("detector", summaries, columns, summaries.values())
    maximum = [name for name, summary in summaries.items() if summary["whole_by"] == "maximum"]
    notes = (f"{', '.join(maximum)}: {_MAXIMUM_NOTE}",) if maximum else ()
    return Table(table.columns, table.rows, (*table.notes, *notes))


def quadrant_table(summary: Summary) -> Table:
    """How often each head is right, by quadrant."""
    columns = {f"{head} right": (head,) for head in HEADS} | {"video and audio right": ("both",)}
    return _table("quadrant", summary["quadrants"], columns, [summary], counted=True)


def method_table(summary: Summary) -> Table:
    """How often each video method is found."""
    columns = {"video recall": ("recall",), "video AUC": ("auc",), "whole recall": ("recall_whole",)}
    return _table("method", summary["methods"], columns, [summary], counted=True)


def vocoder_table(summary: Summary) -> Table:
    """How often each vocoder is found."""
    columns = {"audio recall": ("recall",), "audio AUC": ("auc",), "whole recall": ("recall_whole",)}
    return _table("vocoder", summary["vocoders"], columns, [summary], counted=True)


def format_estimate(estimate: Mapping[str, Any]) -> str:
    """A share in percent with its interval, as ``97.62 [96.21, 98.80]``."""
    if estimate["value"] is None:
        return NO_VALUE
    text = f"{100 * estimate['value']:.2f}"
    if estimate["low"] is None:
        return text
    return f"{text} [{100 * estimate['low']:.2f}, {100 * estimate['high']:.2f}]"


def gather_notes(notes: Sequence[tuple[str, str, str]]) -> list[str]:
    """One sentence per note, which names all the cells that it is about.

    Args:
        notes: Row, heading and note of each cell of a table; an empty note says nothing.
    """
    cells: dict[str, dict[str, list[str]]] = {}
    for row, heading, note in notes:
        cells.setdefault(note, {}).setdefault(row, []).append(heading)
    if len(cells) == 1 and len(notes) > 1:
        return [f"everywhere: {note}." for note in cells if note]
    return [
        f"{'; '.join(f'{row}, {_listed(headings)}' for row, headings in of_note.items())}: {note}."
        for note, of_note in cells.items()
        if note
    ]


def escape_latex(text: str) -> str:
    """Text as LaTeX prints it."""
    return "".join(_LATEX.get(character, character) for character in text)


def _table(
    what: str,
    entries: Mapping[str, Summary],
    columns: Mapping[str, Sequence[str]],
    summaries: Iterable[Summary],
    *,
    counted: bool = False,
) -> Table:
    """A row per entry, of estimates that lie at a path within it, and what their notes say."""
    rows, notes = [], []
    for name, entry in entries.items():
        cells = {heading: _at(entry, path) for heading, path in columns.items()}
        count = [str(entry["n_samples"])] if counted else []
        rows.append((name, *count, *map(format_estimate, cells.values())))
        notes += [(name, heading, cell["note"]) for heading, cell in cells.items()]
    headings = (what, *(["samples"] if counted else []), *columns)
    brackets = dict.fromkeys(map(_brackets, summaries))
    return Table(headings, tuple(rows), (*brackets, *gather_notes(notes)))


def _listed(names: Sequence[str]) -> str:
    """Names as a sentence has them."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _brackets(summary: Summary) -> str:
    interval = summary["interval"]
    return (
        f"In brackets: {100 * interval['level']:g} % interval, {interval['n_draws']} resamples of "
        f"{summary['n_groups']} identity groups."
    )


def _at(entry: Summary, path: Sequence[str]) -> dict[str, Any]:
    for name in path:
        entry = entry[name]
    return entry
