import re

import numpy as np
import pytest

from avfake.evaluation.scores import make_scores
from avfake.evaluation.summary import summarise
from avfake.evaluation.tables import (
    Table,
    detector_table,
    escape_latex,
    format_estimate,
    gather_notes,
    method_table,
    quadrant_table,
    vocoder_table,
)
from tests.evaluation.scoring import make_rows, make_scored


def test_estimate_is_a_percentage_with_its_interval() -> None:
    assert format_estimate({"value": 0.97619, "low": 0.9621, "high": 1.0}) == "97.62 [96.21, 100.00]"
    assert format_estimate({"value": 0.5, "low": None, "high": None}) == "50.00"
    assert format_estimate({"value": None, "low": None, "high": None}) == "–"


def test_detectors_stand_beside_each_other_as_in_the_paper() -> None:
    summaries = {
        "two-plus-one": summarise(make_scored(), n_draws=100),
        "independent": summarise(make_scored(whole=False), n_draws=100),
    }
    table = detector_table(summaries)
    assert table.columns == (
        "detector",
        "video accuracy",
        "audio accuracy",
        "whole accuracy",
        "whole balanced accuracy",
        "whole AUC",
    )
    assert [row[0] for row in table.rows] == ["two-plus-one", "independent"]
    assert table.rows[1][5] == format_estimate(summaries["independent"]["heads"]["whole"]["auc"])
    assert re.fullmatch(r"\d\d\.\d\d \[\d\d\.\d\d, \d\d\d?\.\d\d\]", table.rows[0][1])
    assert [note for note in table.notes if "our choice" in note] == [table.notes[-1]]
    assert table.notes[-1].startswith("independent: ")
    assert table.notes[0] == "In brackets: 95 % interval, 100 resamples of 12 identity groups."
    assert len(table.notes) == 2


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (quadrant_table, ["real-real", "real-fake", "fake-real", "fake-fake"]),
        (method_table, ["Deepfakes", "Face2Face"]),
        (vocoder_table, ["melgan", "world"]),
    ],
)
def test_each_kind_has_its_row_and_count(make: object, names: list[str]) -> None:
    table = make(summarise(make_scored(), n_draws=100))
    assert [row[:2] for row in table.rows] == [(name, "24") for name in names]
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_missing_numbers_come_with_their_reason() -> None:
    rows = make_rows()
    rows = rows.filter(np.array([q == "fake-fake" for q in rows["quadrant"].to_pylist()]))
    summary = summarise(make_scores(rows, *np.random.default_rng(0).random((3, rows.num_rows))), n_draws=50)
    table = detector_table({"late-fusion": summary})
    assert table.rows[0][5] == "–"
    assert "late-fusion, whole balanced accuracy and whole AUC: no real sample." in table.notes


def test_cells_of_equal_notes_share_a_sentence() -> None:
    notes = [
        ("melgan", "audio recall", "no real sample"),
        ("melgan", "audio AUC", "no real sample"),
        ("melgan", "whole recall", ""),
        ("world", "audio AUC", "no sample"),
        ("world", "whole recall", "no real sample"),
    ]
    assert gather_notes(notes) == [
        "melgan, audio recall and audio AUC; world, whole recall: no real sample.",
        "world, audio AUC: no sample.",
    ]
    assert gather_notes([("a", "v", ""), *(("a", h, "n") for h in "xyz")]) == ["a, x, y and z: n."]
    assert gather_notes([("a", h, "n") for h in "xyz"]) == ["everywhere: n."]
    assert gather_notes([("a", "x", "n")]) == ["a, x: n."]
    assert gather_notes([("a", h, "") for h in "xyz"]) == []


TABLE = Table(("kind", "share_1"), (("a|b & c_d", "50 % [4, 6]"), ("[x]", "–")), ("Mind this.",))


def test_markdown_of_a_table() -> None:
    assert TABLE.as_markdown() == (
        "| kind | share_1 |\n| --- | --: |\n| a\\|b & c_d | 50 % [4, 6] |\n| [x] | – |\n\nMind this.\n"
    )


def test_latex_of_a_table() -> None:
    assert TABLE.as_latex() == (
        "\\begin{tabular}{lr}\n\\toprule\nkind & share\\_1 \\\\\n\\midrule\n"
        "a|b \\& c\\_d & 50 \\% {[}4, 6] \\\\\n{[}x] & -- \\\\\n\\bottomrule\n\\end{tabular}\n% Mind this.\n"
    )


def test_every_special_character_of_latex_is_escaped_once() -> None:
    assert escape_latex(r"\%") == r"\textbackslash{}\%"
    assert escape_latex("#$&_{}~^<>") == (
        r"\#\$\&\_\{\}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}"
    )
