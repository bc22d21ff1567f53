"""A recipe from end to end on a corpus that stands in: a narrow detector, one epoch."""

import json
from pathlib import Path

import pytest

from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.reproduction.plan import Plan
from avfake.reproduction.reproduce import ReproductionReport, reproduce
from avfake.reproduction.settings import Settings
from tests.reproduction.corpora import SECONDS, make_media

NARROW = Settings(
    preset="tiny",
    fields=(
        f"window_s={SECONDS}",
        "picture_shrink=4",
        "video_widths=[4,4,8,8]",
        "video_stem_width=4",
        "audio_widths=[4,4,8,8]",
    ),
    epochs=1,
    accelerator="cpu",
)


def run(workspace: Workspace, experiment: str, *corpora: str, n_seeds: int = 1) -> ReproductionReport:
    report = reproduce(
        workspace, experiment, settings=NARROW, n_seeds=n_seeds, corpora=corpora, allow_shortcuts=True
    )
    assert isinstance(report, ReproductionReport)
    return report


def stamps(root: Path) -> dict[Path, int]:
    kept = ("splits", "runs")
    return {p: p.stat().st_mtime_ns for name in kept for p in (root / name).rglob("*") if p.is_file()}


def test_what_is_missing_stops_it_in_one_line(workspace: Workspace) -> None:
    with pytest.raises(AvfakeError, match=r"no corpus ffpp is indexed: .* \(9 more: --dry-run lists them\)"):
        reproduce(workspace, "fig3")
    plan = reproduce(workspace, "fig3", dry_run=True)
    assert isinstance(plan, Plan)
    assert plan.n_failed == 0
    assert not workspace.root.exists()


@pytest.mark.slow
def test_the_wild_is_judged_by_sound_alone_and_nothing_is_done_twice(workspace: Workspace) -> None:
    make_media(workspace)
    report = run(workspace, "in-the-wild", "folk", "wild", n_seeds=2)
    (result,) = report.results.values()
    assert (result.n_samples, result.n_groups, len(result.runs)) == (4, 4, 2)
    assert "folk stands in for FaceForensics++" in report.page
    before = stamps(workspace.root)
    assert run(workspace, "in-the-wild", "folk", "wild", n_seeds=2).page == report.page
    assert {path for path, when in stamps(workspace.root).items() if before.get(path) != when} <= {
        path for path in before if path.name == ".lock"
    }
    split = workspace.split("reproduce-folk") / "report.json"
    facts = json.loads(split.read_text())
    split.write_text(json.dumps({**facts, "config": {**facts["config"], "vocoders": ["world"]}}))
    with pytest.raises(AvfakeError, match="'reproduce-folk' was built with vocoders="):
        run(workspace, "in-the-wild", "folk", "wild")


@pytest.mark.slow
@pytest.mark.parametrize(("experiment", "n_rows"), [("table2", 11), ("table3", 4), ("table4", 2)])
def test_a_table_is_filled(workspace: Workspace, experiment: str, n_rows: int) -> None:
    make_media(workspace, n_people=30)
    report = run(workspace, experiment, "folk")
    assert len(report.results) == n_rows
    entries = json.loads((Path(report.folder) / "tiny-folk.json").read_text())["rows"]
    assert all(entry["measured"]["whole AUC"]["value"] is not None for entry in entries)
