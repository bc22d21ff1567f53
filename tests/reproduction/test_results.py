"""The table: what was measured beside what the paper says."""

import json
from pathlib import Path

import pytest

from avfake.curate.workspace import Workspace
from avfake.reproduction.experiments import EXPERIMENTS, HEADS_AND_AUC
from avfake.reproduction.plan import Plan, make_plan
from avfake.reproduction.results import write_results
from avfake.reproduction.seeds import join_scores, measure
from avfake.reproduction.settings import Settings
from tests.evaluation.scoring import make_scored


@pytest.fixture
def plan(workspace: Workspace) -> Plan:
    return make_plan(workspace, EXPERIMENTS["table4"], settings=Settings())


def test_results_stand_beside_the_papers_numbers(plan: Plan, tmp_path: Path) -> None:
    runs = plan.runs[:1]
    result = measure(runs, join_scores([make_scored(whole=False)]), HEADS_AND_AUC)
    page = write_results(tmp_path, plan, {runs[0].name: result})
    first, second = [line for line in page.splitlines() if line.startswith("| two-plus-one")]
    cells = [cell.strip() for cell in first.strip("|").split("|")]
    assert cells[0] == "two-plus-one"
    assert cells[2::2] == ["98.02", "91.07", "95.44", "98.65"]
    assert cells[1].startswith(f"{100 * result.measured[0].value:.2f} [")  # type: ignore[operator]
    assert second == "| two-plus-one-inter | – | 98.21 | – | 92.46 | – | 95.44 | – | 98.90 |"
    assert "the whole is the larger of p(video) and p(audio), our choice" in page
    assert (tmp_path / "paper-ffpp.md").read_text() == page
    assert r"\begin{tabular}{lrrrrrrrr}" in (tmp_path / "paper-ffpp.tex").read_text()
    rows = json.loads((tmp_path / "paper-ffpp.json").read_text())["rows"]
    assert rows[0]["published_percent"]["whole AUC"] == 98.65
    assert rows[0]["measured"]["whole AUC"]["value"] == result.measured[3].value
    assert rows[1]["measured"] is None


def test_rows_of_others_are_the_papers_alone(workspace: Workspace, tmp_path: Path) -> None:
    page = write_results(tmp_path, make_plan(workspace, EXPERIMENTS["table3"], settings=Settings()), {})
    assert "not trained here: the paper's numbers alone" in page
    assert "| LipForensics (video) | 99.70 | 90.10 | 99.70 | 99.10 |" in page
    assert "| FaceSwap + wavernn: independent | – | 55.69 | – | 90.65 | – | 73.37 | – | – |" in page
