"""Pages hold every number of a summary that they name, in words a person reads."""

import re
from typing import Any

import pytest

from avfake.evaluation.pages import as_text, head_table, latex_page, markdown_page
from avfake.evaluation.scores import HEADS
from avfake.evaluation.summary import summarise
from avfake.evaluation.tables import format_estimate
from tests.evaluation.scoring import make_scored


def summary_of(*, whole: bool = True, **facts: Any) -> dict[str, Any]:
    fixed = {
        "run": "first",
        "split": "made",
        "part": "test",
        "window_s": 3.0,
        "hop_s": None,
        "aggregation": None,
    }
    return {**fixed, **summarise(make_scored(whole=whole), n_draws=50), **facts}


def test_heads_stand_with_all_their_metrics() -> None:
    summary = summary_of()
    table = head_table(summary)
    assert table.columns == ("head", "accuracy", "balanced accuracy", "AUC", "EER", "calibration error")
    for row, head in zip(table.rows, HEADS, strict=True):
        found = summary["heads"][head]
        wanted = [
            format_estimate(found[name])
            for name in ("accuracy", "balanced_accuracy", "auc", "equal_error_rate")
        ]
        assert row == (head, *wanted, f"{100 * found['calibration_error']:.2f}")
    assert not table.notes


def test_a_caution_is_said_once_with_the_numbers_it_is_about() -> None:
    summary = summary_of()
    for name in ("auc", "accuracy"):
        summary["heads"]["video"][name]["note"] = "mind this"
    assert head_table(summary).notes == ("video, accuracy and AUC: mind this.",)
    alone = summary_of(**summarise(make_scored(n_groups=1), n_draws=50))
    assert head_table(alone).notes == ("everywhere: one identity group alone: no interval.",)


@pytest.mark.parametrize("write", [as_text, markdown_page, latex_page])
def test_what_the_whole_is_stands_on_every_page(write: Any) -> None:
    assert "our choice" not in write(summary_of())
    assert "The whole is the larger of p(video) and p(audio), our choice" in write(summary_of(whole=False))


def test_text_is_in_columns() -> None:
    lines = as_text(summary_of()).splitlines()
    assert lines[0] == "Run first on test of split made: 96 rows of 12 identity groups, the first 3 s of each"
    assert "95 % intervals from 50 resamples" in lines[1]
    heads = lines[2:6]
    assert [line.split()[0] for line in heads] == ["head", *HEADS]
    assert len({len(line) for line in heads}) == 1
    assert {"quadrant", "real-real", "method", "Deepfakes", "vocoder", "world"} <= {
        line.split()[0] for line in lines
    }


def test_windows_are_told() -> None:
    text = as_text(summary_of(hop_s=0.5, aggregation="max"))
    assert text.splitlines()[0].endswith("max over windows of 3 s, 0.5 s apart")


def test_every_table_of_the_page_is_whole() -> None:
    page = markdown_page(summary_of())
    titles = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert titles == [
        "Heads",
        "Beside other detectors",
        "Quadrants",
        "Video methods",
        "Vocoders",
        "Calibration",
    ]
    for block in re.findall(r"(?:^\|.*\|$\n)+", page, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "(reliability.png)" in page
    tex = latex_page(summary_of())
    assert tex.count(r"\begin{tabular}") == tex.count(r"\end{tabular}") == 5


def test_a_split_without_fakes_of_a_kind_has_no_table_of_them() -> None:
    summary = summary_of() | {"methods": {}}
    assert "Video methods" not in markdown_page(summary)
    assert "method" not in [line.split()[0] for line in as_text(summary).splitlines()]
