"""A crawl of the real yt-dlp: every id ends in its state, and no upload comes twice, whatever happens."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from avfake.curate.recovery.crawl import crawl
from avfake.curate.recovery.download import CrawlConfig
from avfake.curate.recovery.pace import Pace, Patience
from avfake.curate.stage import StageReport, read_ledger
from avfake.curate.task import Outcome
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from tests.curate.recovery.test_pace import Day
from tests.loopback import Loopback

PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"
# Sorted by name, so that after each wall comes an upload that can be had.
STATES: Mapping[str, tuple[str, dict[str, Any], str | None]] = {
    "00-fine": ("any", {"times": 0}, None),
    "01-gone": ("page", {"status": 404}, "deleted"),
    "02-refused": ("sound", {"status": 403}, "bot_wall"),
    "03-fine": ("any", {"times": 0}, None),
    "04-busy": ("page", {"status": 429}, "rate_limited"),
    "05-fine": ("any", {"times": 0}, None),
    "06-consent": ("page", {"body": PAGE}, "bot_wall"),
    "07-fine": ("any", {"times": 0}, None),
    "08-still": ("page", {"silence_s": 1.0}, "timeout"),
    "09-short": ("sound", {"cut_at": 0.3, "ranges": False}, "timeout"),
    "10-loop": ("page", {"redirect": "/watch?v=10-loop----"}, "timeout"),
    "11-mute": ("any", {"times": 0}, "no_audio"),
    "12-noise": ("sound", {"body": b"\x07" * 50_000}, "corrupt"),
    "13-reset": ("page", {"reset": True}, "timeout"),
}
IDS = tuple(f"{name:-<11}" for name in STATES)
TRANSIENT = {"bot_wall", "rate_limited", "timeout"}


@pytest.fixture
def day() -> Day:
    return Day()


def fetch(
    workspace: Workspace,
    server: Loopback,
    ids: Sequence[str],
    retry: Any = "transient",
    pace: Pace | None = None,
    needed: bool = True,
    **options: Any,
) -> StageReport:
    config = CrawlConfig(url_template=server.url_template, socket_timeout_s=0.4, **{"sleep_s": 0, **options})
    return crawl(workspace, "ffpp", dict.fromkeys(ids, needed), config, retry, pace=pace)


def rows(workspace: Workspace) -> dict[str, Outcome]:
    return {row["clip_id"]: row for row in read_ledger(workspace.ledger("uploads"), "ffpp")}


def contents(workspace: Workspace) -> dict[str, bytes]:
    """Bytes of every file, but for what is left of what could not be had."""
    files = [path for path in workspace.root.rglob("*") if path.is_file() and ".partial" not in path.parts]
    return {str(path.relative_to(workspace.root)): path.read_bytes() for path in files}


def undisturbed(workspace: Workspace, server: Loopback, ids: Sequence[str]) -> dict[str, bytes]:
    """What one calm crawl gives in a workspace of its own."""
    calm = Workspace(workspace.root.with_name("calm"))
    fetch(calm, server, ids)
    return contents(calm)


def ids_of(n_ids: int) -> list[str]:
    return [f"upload-{number:04d}" for number in range(n_ids)]


@pytest.fixture
def served(loopback: Loopback, upload_streams: tuple[Path, ...]) -> list[str]:
    ids = ids_of(6)
    for youtube_id in ids:
        loopback.serve(youtube_id, *upload_streams)
    return ids


def test_every_id_ends_in_its_state_and_a_server_that_is_well_again_ends_the_rest(
    workspace: Workspace, loopback: Loopback, upload_streams: tuple[Path, ...], day: Day
) -> None:
    for youtube_id, (on, how, state) in zip(IDS, STATES.values(), strict=True):
        loopback.serve(youtube_id, *(upload_streams[2:] if state == "no_audio" else upload_streams))
        loopback.fail(youtube_id, on=on, **how)
    states = dict(zip(IDS, (state for _, _, state in STATES.values()), strict=True))
    report = fetch(workspace, loopback, IDS, pace=day.pace(Patience(pauses_s=(60,), backoff_s=())))
    assert {key: row["error_kind"] for key, row in rows(workspace).items()} == states
    assert report.failures == Counter(filter(None, states.values()))
    assert all(row["error"] for row in rows(workspace).values() if row["status"] == "failed")

    for youtube_id in IDS:
        loopback.serve(youtube_id, *upload_streams)
        loopback.mend(youtube_id)
    for_good = {key for key, state in states.items() if state and state not in TRANSIENT}
    asked = {key: loopback.count(key) for key in IDS}
    fetch(workspace, loopback, IDS)
    assert {key for key, row in rows(workspace).items() if row["status"] == "failed"} == for_good
    again = {key for key in IDS if loopback.count(key) > asked[key]}
    assert again == {key for key, state in states.items() if state in TRANSIENT}

    assert fetch(workspace, loopback, IDS, retry="failed").n_ok == len(IDS)
    assert contents(workspace) == undisturbed(workspace, loopback, IDS)


def test_a_server_that_names_its_time_gets_it(
    workspace: Workspace, loopback: Loopback, served: list[str], day: Day
) -> None:
    loopback.fail(served[1], on="page", status=429, headers={"Retry-After": "137"}, times=2)
    start_s = day.now_s
    assert fetch(workspace, loopback, served, pace=day.pace(Patience(pauses_s=(60, 60, 300)))).n_ok == 6
    assert day.now_s - start_s == 2 * 137
    assert all("137 s" in text or "2 min" in text for text in day.told)
    assert loopback.count(served[1], "page") == 3


def test_a_wall_pauses_then_stands_and_the_next_run_goes_on_behind_it(
    workspace: Workspace, loopback: Loopback, served: list[str], day: Day
) -> None:
    for youtube_id in served[2:]:
        loopback.fail(youtube_id, on="page", status=403)
    start_s = day.now_s
    report = fetch(workspace, loopback, served, pace=day.pace(Patience(pauses_s=(60, 300))))
    assert report.failures == {"bot_wall": 4}
    assert day.now_s - start_s >= 360
    assert [loopback.count(youtube_id) for youtube_id in served[2:]] == [3, 1, 0, 0]
    assert "not asked" in rows(workspace)[served[4]]["error"]
    assert "not asked" not in rows(workspace)[served[3]]["error"]

    for youtube_id in served:
        loopback.mend(youtube_id)
    assert fetch(workspace, loopback, served).n_ok == 6
    assert contents(workspace) == undisturbed(workspace, loopback, served)


def test_a_server_that_restarts_costs_nothing(
    workspace: Workspace, loopback: Loopback, served: list[str], upload_streams: tuple[Path, ...]
) -> None:
    for youtube_id in served:
        loopback.fail(youtube_id, on="sound", bytes_per_s=upload_streams[1].stat().st_size / 0.3)
    restart = threading.Thread(target=lambda: (wait_for(loopback, 3), loopback.restart(0.5)))
    restart.start()
    pace = Pace(Patience(backoff_s=(0.3, 0.6)))
    assert fetch(workspace, loopback, served, pace=pace).n_ok == 6
    restart.join()


def wait_for(server: Loopback, n_uploads: int, share: float = 0.5) -> None:
    """Return in the middle of the sound of the n-th upload."""
    youtube_id = ids_of(n_uploads)[-1]
    size = whole_bytes(server, youtube_id, "sound")
    deadline_s = time.monotonic() + 60
    while server.bytes_sent(youtube_id, "sound") < share * size:
        assert time.monotonic() < deadline_s, "the crawl does not get there"
        time.sleep(0.002)


def whole_bytes(server: Loopback, youtube_id: str, part: str) -> int:
    number = {"sound": 1, "pictures": 3}[part]  # those of its streams that are chosen
    found = server.find(f"/media/{youtube_id}/{number}")
    assert found is not None
    assert isinstance(found.body, Path)
    return found.body.stat().st_size


def test_a_second_run_asks_nothing_at_another_speed_or_address(
    workspace: Workspace, loopback: Loopback, served: list[str]
) -> None:
    fetch(workspace, loopback, served)
    before = contents(workspace)
    with Loopback() as mirror:
        report = fetch(workspace, mirror, served, sleep_s=9, max_per_hour=1, rate_limit=5)
        assert (report.n_done_before, mirror.requests) == (6, [])
        fetch(workspace, mirror, served, retry="failed")
        fetch(workspace, mirror, served, retry="all")
        assert mirror.requests == []
    assert contents(workspace) == before


def test_an_upload_whose_row_a_kill_prevented_is_neither_asked_nor_waited_for(
    workspace: Workspace, loopback: Loopback, served: list[str], day: Day
) -> None:
    fetch(workspace, loopback, served)
    before, n_requests, start_s = contents(workspace), len(loopback.requests), day.now_s
    for part in sorted(workspace.ledger("uploads").iterdir())[2:4]:
        part.unlink()
    assert fetch(workspace, loopback, served, pace=day.pace(Patience(sleep_s=9))).n_ok == 6
    assert (len(loopback.requests), day.now_s) == (n_requests, start_s)
    assert contents(workspace) == before


def test_the_hour_is_remembered_beside_the_uploads(
    workspace: Workspace, loopback: Loopback, served: list[str]
) -> None:
    for number in range(6):
        fetch(workspace, loopback, served[: number + 1], max_per_hour=5 if number < 5 else 9)
    asked_s = [float(line) for line in (workspace.root / "uploads" / "requests.txt").read_text().split()]
    assert len(asked_s) == 6
    assert asked_s == sorted(asked_s)


def test_files_may_go_once_no_clip_waits_for_them(
    workspace: Workspace, loopback: Loopback, served: list[str]
) -> None:
    fetch(workspace, loopback, served)
    ledger, n_requests = rows(workspace), len(loopback.requests)
    gone = [workspace.root / ledger[served[3]][column] for column in ("sound_path", "pictures_path")]
    for path in gone:
        path.unlink()
    assert fetch(workspace, loopback, served, needed=False).n_ok == 6
    assert fetch(workspace, loopback, served, needed=False, retry="all").n_ok == 6
    assert (rows(workspace), len(loopback.requests)) == (ledger, n_requests)
    assert fetch(workspace, loopback, served).n_ok == 6
    assert (rows(workspace), all(path.exists() for path in gone)) == (ledger, True)
    assert len(loopback.requests) == n_requests + loopback.count(served[3]) // 2


def test_a_smaller_index_costs_no_upload(workspace: Workspace, loopback: Loopback, served: list[str]) -> None:
    fetch(workspace, loopback, served)
    before, n_requests = contents(workspace), len(loopback.requests)
    fetch(workspace, loopback, served[:2])
    assert contents(workspace) == before
    fetch(workspace, loopback, served)
    assert len(loopback.requests) == n_requests


def test_an_id_that_is_none_is_a_row_and_reaches_no_server(workspace: Workspace, loopback: Loopback) -> None:
    report = fetch(workspace, loopback, ["../../../x1", "--proxy=abc"])
    assert report.failures == {"bad_metadata": 2}
    assert loopback.requests == []


def test_cookies_that_cannot_be_read_end_it_before_the_first_upload(
    workspace: Workspace, loopback: Loopback, served: list[str], tmp_path: Path
) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("these are none")
    with pytest.raises(AvfakeError, match="cookies"):
        fetch(workspace, loopback, served, cookies=cookies)
    assert not rows(workspace)
    fetch(workspace, loopback, served)
    assert fetch(workspace, loopback, served, cookies=cookies).n_ok == 6  # nobody needs them now


CRAWL = """
import sys
from pathlib import Path
from avfake.curate.recovery.crawl import crawl
from avfake.curate.recovery.download import CrawlConfig
from avfake.curate.workspace import Workspace
root, template, *ids = sys.argv[1:]
crawl(Workspace(Path(root)), "ffpp", dict.fromkeys(ids, True), CrawlConfig(url_template=template, sleep_s=0))
"""


@pytest.mark.parametrize(
    ("n_ids", "n_kills"), [pytest.param(8, 2), pytest.param(30, 12, marks=pytest.mark.slow)]
)
def test_kill_9_costs_no_upload_and_no_byte(
    workspace: Workspace,
    loopback: Loopback,
    upload_streams: tuple[Path, ...],
    n_ids: int,
    n_kills: int,
) -> None:
    ids = ids_of(n_ids)
    for youtube_id in ids:
        loopback.serve(youtube_id, *upload_streams)
    calm = undisturbed(workspace, loopback, ids)
    loopback.requests.clear()
    for youtube_id in ids:
        for part in ("sound", "pictures"):  # as slow as it takes to be hit in the middle
            size = whole_bytes(loopback, youtube_id, part)
            loopback.fail(youtube_id, on=part, bytes_per_s=size / 0.1)
    draws = random.Random(n_kills)
    moments = sorted((draws.randrange(n_ids) + 1, draws.random()) for _ in range(n_kills))
    for n_uploads, share in moments:
        process = start_crawl(workspace, loopback, ids)
        wait_for(loopback, n_uploads, share)
        time.sleep(draws.random() * 0.2)  # also between the sound and the row
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start_crawl(workspace, loopback, ids).wait(timeout=120) == 0
    assert contents(workspace) == calm
    for youtube_id in ids:
        for part in ("sound", "pictures"):
            whole = whole_bytes(loopback, youtube_id, part)
            asked = [it for it in loopback.requests if (it.youtube_id, it.part) == (youtube_id, part)]
            assert sum(request.n_bytes == whole for request in asked) <= 1
            assert loopback.bytes_sent(youtube_id, part) < 2 * whole


def start_crawl(workspace: Workspace, server: Loopback, ids: Sequence[str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", CRAWL, str(workspace.root), server.url_template, *ids]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])})
