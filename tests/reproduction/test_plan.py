"""A plan says what will be done, and how long it takes where that was measured."""

import json

import pytest

from avfake.curate.workspace import Workspace, safe_name
from avfake.errors import AvfakeError
from avfake.manifest.schema import SPLIT_SCHEMA
from avfake.manifest.table import write_rows
from avfake.reproduction.experiments import EXPERIMENTS
from avfake.reproduction.plan import Plan, make_plan
from avfake.reproduction.settings import Settings
from tests.dataset.making import make_row
from tests.reproduction.corpora import make_corpus


def plan(workspace: Workspace, name: str, n_seeds: int = 1, **settings: object) -> Plan:
    return make_plan(workspace, EXPERIMENTS[name], settings=Settings(**settings), n_seeds=n_seeds)


@pytest.mark.parametrize(
    ("name", "n_splits", "n_runs"),
    [("table2", 2, 18), ("table3", 4, 8), ("table4", 1, 2), ("fig3", 1, 4), ("in-the-wild", 1, 1)],
)
def test_counts(workspace: Workspace, name: str, n_splits: int, n_runs: int) -> None:
    found = plan(workspace, name, n_seeds=2)
    assert (len(found.splits), len(found.runs)) == (n_splits, 2 * n_runs)
    assert len({run.name for run in found.runs}) == 2 * n_runs
    for run in found.runs:
        safe_name(run.name, "run")
    assert not workspace.root.exists()


def test_frozen_runs_begin_with_streams_of_their_own_seed_and_data(workspace: Workspace) -> None:
    names: set[str] = set()
    for run in plan(workspace, "table2", n_seeds=2).runs:
        if run.row.frozen:
            assert run.config.detector.freeze_streams
            assert run.config.streams_from in names
            assert run.config.streams_from == f"paper-{run.row.data.kind}-independent-s{run.seed}"
        else:
            assert run.config.streams_from is None
        assert run.config.seed == run.seed
        names.add(run.name)


def test_frozen_streams_begin_with_nothing_but_the_run_they_are_of(workspace: Workspace) -> None:
    for run in plan(workspace, "table2", fields=("pretrained=kinetics400",)).runs:
        assert run.config.detector.pretrained == ("none" if run.row.frozen else "kinetics400")


def test_splits_are_swapped_and_leave_out_their_pair(workspace: Workspace) -> None:
    make_corpus(workspace, "ff", kind="ffpp")
    splits = plan(workspace, "table3").splits
    assert splits[1].name == "reproduce-ff-unseen-FaceSwap"
    assert splits[1].config.leave_out_method == ("FaceSwap",)
    assert splits[1].config.leave_out_vocoder == ("wavernn.ljspeech-mol",)
    assert {split.config.train_policy for split in splits} == {"swap"}
    assert [split.config.shuffle_audio for split in plan(workspace, "table4").splits] == [True]


def test_figure3_shares_the_run_of_table2(workspace: Workspace) -> None:
    shared = {run.name for run in plan(workspace, "fig3").runs} & {
        run.name for run in plan(workspace, "table2").runs
    }
    assert shared == {"paper-ffpp-two-plus-one-s0"}


def test_hours_are_steps_times_what_a_finished_run_measured(workspace: Workspace) -> None:
    rows = [make_row(f"p{n}_real", "real-real") for n in range(20)]
    filled = [{name: row.get(name) for name in SPLIT_SCHEMA.names} for row in rows]
    split = workspace.split("reproduce-ffpp")
    write_rows(split / "train.parquet", filled, SPLIT_SCHEMA, {})
    (split / "report.json").write_text("{}")
    tiny = {"preset": "tiny", "epochs": 9}
    before = plan(workspace, "fig3", **tiny)
    assert [run.hours for run in before.runs] == [None] * 4
    assert "4 of 4 runs to train, hours unknown" in str(before)
    done = workspace.root / "runs" / before.runs[0].name
    done.mkdir(parents=True)
    (done / "config.json").write_text(json.dumps(before.runs[0].config.as_json()))
    (done / "metrics.json").write_text(json.dumps({"seconds_per_step": 100.0}))
    after = plan(workspace, "fig3", **tiny)
    assert [run.hours for run in after.runs] == pytest.approx([20 // 8 * 9 * 100 / 3600] * 4)
    assert "3 of 4 runs to train, at most 1.5 h" in str(after)
    assert plan(workspace, "fig3", preset="tiny", batch_size=4).runs[1].hours is None


def test_a_dry_plan_lists_all_that_is_missing(workspace: Workspace) -> None:
    text = str(plan(workspace, "table2"))
    assert text.count("\nmissing: ") == 2 * (3 + 7)
    make_corpus(workspace, "ff", kind="ffpp")
    assert "nothing is missing" in str(plan(workspace, "fig3"))


def test_an_unknown_preset_is_refused(workspace: Workspace) -> None:
    with pytest.raises(AvfakeError, match="preset 'huge' is unknown; choose one of paper, tiny"):
        plan(workspace, "fig3", preset="huge")
