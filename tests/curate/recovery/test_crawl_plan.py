"""What a crawl would do is told without a request or a written byte, and the crawl then does it."""

import dataclasses
import json
from pathlib import Path

import pytest

from avfake.curate.recovery.crawl import crawl
from avfake.curate.recovery.crawl_plan import CrawlPlan, plan_crawl
from avfake.curate.recovery.download import CrawlConfig
from avfake.curate.recovery.pace import Patience
from avfake.curate.workspace import Workspace
from tests.curate.recovery.test_pace import Day
from tests.loopback import Loopback

IDS = tuple(f"upload-{number:04d}" for number in range(6))
NEEDED = dict.fromkeys(IDS, True)


def first_plan(workspace: Workspace, **options: float) -> CrawlPlan:
    return plan_crawl(workspace, "ffpp", NEEDED, CrawlConfig(**{"sleep_s": 0, **options}))  # type: ignore[arg-type]


@pytest.fixture
def disturbed(
    workspace: Workspace, loopback: Loopback, upload_streams: tuple[Path, ...]
) -> tuple[Workspace, CrawlConfig, Loopback]:
    """A crawl that left four uploads, a deleted one and a late one."""
    for youtube_id in IDS:
        loopback.serve(youtube_id, *upload_streams)
    loopback.fail(IDS[1], status=404)
    loopback.fail(IDS[4], reset=True)
    config = CrawlConfig(url_template=loopback.url_template, sleep_s=0)
    crawl(workspace, "ffpp", NEEDED, config, pace=Day().pace(Patience()))
    return workspace, config, loopback


def test_before_the_first_crawl_all_is_to_be_fetched_and_nothing_is_touched(workspace: Workspace) -> None:
    plan = first_plan(workspace)
    assert (plan.n_uploads, plan.n_complete, plan.n_to_fetch) == (6, 0, 6)
    assert (plan.failed_before, plan.asked_again, plan.n_failed) == ({}, {}, 0)
    assert not workspace.root.exists()


def test_a_plan_knows_what_is_there_what_failed_and_what_is_asked_again(
    disturbed: tuple[Workspace, CrawlConfig, Loopback],
) -> None:
    workspace, config, server = disturbed
    n_requests, files = len(server.requests), sorted(workspace.root.rglob("*"))
    plan = plan_crawl(workspace, "ffpp", NEEDED, config)
    assert (plan.n_complete, plan.n_to_fetch) == (4, 1)
    assert (plan.failed_before, plan.asked_again) == ({"deleted": 1, "timeout": 1}, {"timeout": 1})
    thorough = plan_crawl(workspace, "ffpp", NEEDED, config, "failed")
    assert (thorough.n_complete, thorough.n_to_fetch) == (4, 2)
    assert thorough.asked_again == thorough.failed_before
    assert (len(server.requests), sorted(workspace.root.rglob("*"))) == (n_requests, files)


@pytest.mark.parametrize("retry", ["transient", "failed", "all"])
@pytest.mark.parametrize("needed", [True, False])
def test_the_crawl_asks_for_what_its_plan_said(
    disturbed: tuple[Workspace, CrawlConfig, Loopback], retry: str, needed: bool
) -> None:
    workspace, config, server = disturbed
    for path in (workspace.root / "uploads" / "ffpp").glob(f"{IDS[2]}.*"):
        path.unlink()
    ids = dict.fromkeys(IDS, needed)
    plan = plan_crawl(workspace, "ffpp", ids, config, retry)  # type: ignore[arg-type]
    server.requests.clear()
    crawl(workspace, "ffpp", ids, config, retry, pace=Day().pace(Patience()))  # type: ignore[arg-type]
    assert len({request.youtube_id for request in server.requests}) == plan.n_to_fetch


def test_the_time_it_takes_follows_from_rate_rest_and_cap(workspace: Workspace) -> None:
    # 8 MB at 0.5 MB/s are 16 s; 3 s of talk; a rest of 10 s is 12.5 s on average
    assert first_plan(workspace, rate_limit=500_000).duration_s == pytest.approx(6 * 19)
    assert first_plan(workspace, rate_limit=500_000, sleep_s=10).duration_s == pytest.approx(6 * 31.5)
    capped = first_plan(workspace, rate_limit=500_000, max_per_hour=2)  # the fifth begins after two hours
    assert capped.duration_s == pytest.approx(2 * 3600 + 2 * 19)


def test_the_size_of_an_upload_is_known_once_some_are_there(
    disturbed: tuple[Workspace, CrawlConfig, Loopback], upload_streams: tuple[Path, ...]
) -> None:
    workspace, config, _ = disturbed
    slow = dataclasses.replace(config, rate_limit=100)
    size = sum(upload_streams[number].stat().st_size for number in (1, 3))
    plan = plan_crawl(workspace, "ffpp", NEEDED, slow)
    assert plan.duration_s == pytest.approx(3 + size / 100)
    assert "the mean of 4" in plan.assumption


def test_a_plan_reads_well_and_goes_into_json(disturbed: tuple[Workspace, CrawlConfig, Loopback]) -> None:
    workspace, config, _ = disturbed
    plan = plan_crawl(workspace, "ffpp", NEEDED, config)
    assert json.loads(json.dumps(dataclasses.asdict(plan)))["asked_again"] == {"timeout": 1}
    lines = str(plan).splitlines()
    assert "failed before: 1 deleted, 1 timeout; to be asked for again: 1 timeout" in lines[2]
    done = plan_crawl(workspace, "ffpp", {IDS[0]: True}, config)
    assert "takes" not in str(done)
