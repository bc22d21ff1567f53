"""The table: what was measured beside what the paper says."""

import json
from pathlib import Path

import numpy as np
import pytest

from avfake.curate.workspace import Workspace
from avfake.evaluation.summary import summarise
from avfake.reproduction.experiments import EXPERIMENTS, HEADS_AND_AUC, Measure
from avfake.reproduction.plan import Plan, make_plan
from avfake.reproduction.results import Judged, join_scores, measure, write_results
from avfake.reproduction.settings import Settings
from tests.evaluation.scoring import make_scored


@pytest.fixture
def plan(workspace: Workspace) -> Plan:
    return make_plan(workspace, EXPERIMENTS["table4"], settings=Settings())


def test_one_seed_is_measured_as_evaluate_does(plan: Plan) -> None:
    scores = make_scored()
    found = measure(plan.runs[:1], join_scores([scores]), HEADS_AND_AUC)
    heads = summarise(scores)["heads"]
    for (head, metric), estimate in zip(HEADS_AND_AUC, found.measured, strict=True):
        assert estimate._asdict() == heads[head][metric]


def test_seeds_are_averaged_by_hand() -> None:
    judged = Judged(
        ["a", "a", "b", "b"],
        {"audio": np.array([0, 1, 0, 1])},
        {"audio": np.array([[0.1, 0.9, 0.2, 0.8], [0.6, 0.9, 0.7, 0.3]])},
    )
    found = measure([], judged, (Measure("audio", "accuracy"), Measure("audio", "auc")))
    assert found.each == ((1.0, 0.25), (1.0, 0.5))
    assert [estimate.value for estimate in found.measured] == pytest.approx([0.625, 0.75])
    accuracy = found.measured[0]
    assert (accuracy.low, accuracy.high) == pytest.approx((0.5, 0.75))  # of group b alone, and of group a


def test_fakes_alone_have_no_auc() -> None:
    judged = Judged(["a", "b"], {"audio": np.array([1, 1])}, {"audio": np.array([[0.9, 0.1], [0.9, 0.9]])})
    accuracy, auc = measure([], judged, (Measure("audio", "accuracy"), Measure("audio", "auc"))).measured
    assert accuracy.value == pytest.approx(0.75)
    assert (auc.value, auc.note) == (None, "no real sample")


def test_other_samples_are_not_joined() -> None:
    with pytest.raises(ValueError, match="other samples"):
        join_scores([make_scored(n_groups=4), make_scored(n_groups=4, n_each=1)])


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
