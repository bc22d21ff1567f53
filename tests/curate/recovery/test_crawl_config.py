"""What a user asks of a crawl is checked at once, and reaches the net as it was meant."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from avfake.curate.recovery.download import CrawlConfig, check_crawl, download, parse_rate
from avfake.curate.recovery.reasons import FetchError
from avfake.errors import AvfakeError, ErrorKind
from tests.loopback import Loopback

ID = "-_abcdefghi"
COOKIES = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tSID\tsecret\n"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url_template": "https://mirror.example/watch"}, "must hold {id} once"),
        ({"url_template": "https://mirror.example/{id}/{id}"}, "must hold {id} once"),
        ({"url_template": "file:///etc/{id}"}, "http or https"),
        ({"url_template": "mirror.example/{id}"}, "http or https"),
        ({"url_template": "https:///{id}"}, "http or https"),
        ({"cookies": Path("/nowhere/cookies.txt")}, "is no file"),
        ({"cookies_from_browser": "netscape"}, "must name one of .*firefox"),
        ({"cookies_from_browser": "chrome+wallet"}, "keyring 'wallet'"),
        ({"cookies_from_browser": ""}, "must name one of"),
        ({"proxy": "gopher://x"}, "must begin with one of"),
        ({"rate_limit": 0}, "--rate-limit 0 must be more than 0"),
        ({"max_per_hour": -1}, "--max-per-hour -1"),
        ({"sleep_s": -1.0}, "--sleep"),
        ({"sleep_s": float("nan")}, "--sleep"),
    ],
)
def test_what_cannot_be_used_is_told_at_once(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(AvfakeError, match=words):
        CrawlConfig(**wrong)


@pytest.mark.parametrize("browser", ["firefox", "Chrome:Profile 1", "brave+gnomekeyring:x", "firefox::Work"])
def test_browsers_are_named_as_for_yt_dlp(browser: str) -> None:
    config = CrawlConfig(cookies_from_browser=browser)
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize(
    ("text", "rate"),
    [("500K", 512_000), ("2M", 2 << 20), ("1.5m", 3 << 19), ("100", 100), (" 64 KiB/s ", 65_536)],
)
def test_rates_are_read(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0", "-5K", "5T", "0.1", "1e3", "nan", "5K5"])
def test_what_is_no_rate_is_told(text: str) -> None:
    with pytest.raises(AvfakeError, match="like 500K or 2M"):
        parse_rate(text)


def test_cookies_are_sent_and_their_file_stays_as_it_is(loopback: Loopback, tmp_path: Path) -> None:
    cookies = tmp_path / "$HOME cookies.txt"
    cookies.write_text(COOKIES)
    loopback.fail(ID, on="page", headers={"Set-Cookie": "NEW=1; Max-Age=999"})
    download(ID, tmp_path, CrawlConfig(loopback.url_template, cookies=cookies))
    assert "SID=secret" in loopback.requests[0].headers["Cookie"]
    assert cookies.read_text() == COOKIES


@pytest.mark.parametrize("content", [b"", b"no cookies\n", b'[{"name": "SID"}]', b"\xff\xfe\0", b"<html>"])
def test_a_file_without_cookies_is_told_before_the_first_upload(tmp_path: Path, content: bytes) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_bytes(content)
    with pytest.raises(AvfakeError, match=r"cookies.*(cannot be read|Netscape)"):
        check_crawl(CrawlConfig(cookies=cookies))


def test_a_browser_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="the cookies cannot be read"):
        check_crawl(CrawlConfig(cookies_from_browser=f"firefox:{tmp_path}/none"))


def test_all_requests_go_through_the_proxy(loopback: Loopback, tmp_path: Path) -> None:
    config = CrawlConfig("http://mirror.example/watch?v={id}", proxy=loopback.address)
    download(ID, tmp_path, config)
    assert [request.path.rpartition("/")[0] for request in loopback.requests] == [
        "http://mirror.example",
        f"http://mirror.example/media/{ID}",
        f"http://mirror.example/media/{ID}",
    ]


def test_youtube_is_asked_by_its_own_extractor_alone(loopback: Loopback, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        download(ID, tmp_path, CrawlConfig(proxy=loopback.address))
    assert caught.value.kind is ErrorKind.TIMEOUT  # a proxy that lets nobody through is no word of YouTube's
    asked = {(request.method, request.path) for request in loopback.requests}
    assert asked == {("CONNECT", "www.youtube.com:443")}


def test_a_proxy_that_is_not_there_is_a_timeout(loopback: Loopback, tmp_path: Path) -> None:
    with Loopback() as gone:
        pass
    with pytest.raises(FetchError) as caught:
        download(ID, tmp_path, CrawlConfig(loopback.url_template, proxy=gone.address))
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert not loopback.requests


def test_a_rate_limit_is_kept(loopback: Loopback, tmp_path: Path, upload_streams: tuple[Path, ...]) -> None:
    limit = upload_streams[1].stat().st_size  # a second's worth
    with pytest.raises(FetchError, match="not fetched within"):
        download(ID, tmp_path, CrawlConfig(loopback.url_template, rate_limit=limit, time_limit_s=0.5))


def test_nothing_of_the_users_own_yt_dlp_is_used_or_left(loopback: Loopback, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins" / "yt_dlp_plugins" / "extractor"
    plugins.mkdir(parents=True)
    (plugins / "mine.py").write_text(f"open({str(tmp_path / 'loaded')!r}, 'w')")
    home = tmp_path / "home"
    (home / ".config" / "yt-dlp").mkdir(parents=True)
    (home / ".config" / "yt-dlp" / "config").write_text("--write-info-json\n--verbose\n")
    before = sorted(home.rglob("*"))
    program = (
        "import json, sys; from pathlib import Path; from avfake.curate.recovery.download import *\n"
        "print(json.dumps([*map(str, download(sys.argv[1], Path('uploads'), CrawlConfig(sys.argv[2])))]))"
    )
    paths = os.pathsep.join([str(tmp_path / "plugins"), str(Path(__file__).parents[3])])
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": paths, "TERM": "xterm"}
    for name in [name for name in environment if name.startswith("XDG_")]:
        del environment[name]
    command = [sys.executable, "-B", "-c", program, ID, loopback.url_template]
    ran = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    files = json.loads(ran.stdout)
    assert sorted(home.rglob("*.*.*")) == sorted(home / file for file in files)
    assert not (tmp_path / "loaded").exists()
    left = {path.relative_to(home).parts[0] for path in set(home.rglob("*")) - set(before)}
    assert left == {"uploads"}
