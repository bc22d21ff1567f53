"""Whatever a server does ends in its state and one line, and a later call can still succeed."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avfake.curate.recovery.download import CrawlConfig, download
from avfake.curate.recovery.reasons import FetchError
from avfake.errors import ErrorKind, one_line
from tests.dash import make_streams
from tests.dummies import write_clip
from tests.loopback import Loopback

ID = "-_abcdefghi"
PAGE = b"<!DOCTYPE html><html><head><title>Before you continue</title></head><body>consent</body></html>"
FAULTS = [
    ("page", {"status": 404}, ErrorKind.DELETED),
    ("page", {"status": 410}, ErrorKind.DELETED),
    ("page", {"status": 401}, ErrorKind.PRIVATE),
    ("page", {"status": 403}, ErrorKind.BOT_WALL),
    ("page", {"status": 451}, ErrorKind.GEO_BLOCKED),
    ("page", {"status": 429}, ErrorKind.RATE_LIMITED),
    ("page", {"status": 500}, ErrorKind.TIMEOUT),
    ("page", {"redirect": f"/watch?v={ID}"}, ErrorKind.TIMEOUT),
    ("page", {"reset": True}, ErrorKind.TIMEOUT),
    ("page", {"cut_at": 0.5}, ErrorKind.TIMEOUT),
    ("page", {"body": PAGE}, ErrorKind.BOT_WALL),
    ("page", {"body": b""}, ErrorKind.CORRUPT),
    ("page", {"body": b"nothing of the kind"}, ErrorKind.CORRUPT),
    ("sound", {"status": 404}, ErrorKind.DELETED),
    ("sound", {"status": 403}, ErrorKind.BOT_WALL),
    ("sound", {"status": 429}, ErrorKind.RATE_LIMITED),
    ("sound", {"status": 503}, ErrorKind.TIMEOUT),
    ("sound", {"redirect": f"/media/{ID}/1"}, ErrorKind.TIMEOUT),
    ("sound", {"reset": True}, ErrorKind.TIMEOUT),
    ("sound", {"cut_at": 0.3, "ranges": False}, ErrorKind.TIMEOUT),
    ("sound", {"promise_bytes": 9000}, ErrorKind.TIMEOUT),
    ("sound", {"body": PAGE * 100}, ErrorKind.BOT_WALL),
    ("sound", {"body": b""}, ErrorKind.CORRUPT),
    ("sound", {"body": b"\x07" * 50_000}, ErrorKind.CORRUPT),
    ("pictures", {"status": 403}, ErrorKind.BOT_WALL),
    ("pictures", {"body": PAGE}, ErrorKind.BOT_WALL),
]


def failure_of(loopback: Loopback, folder: Path, **options: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        download(ID, folder, CrawlConfig(url_template=loopback.url_template, **options))
    text = str(caught.value)
    assert text == one_line(text)
    assert "; " in text, "it says what to do"
    assert not {"\x1b", "report this issue", "ERROR", loopback.address} & {*text.split()}
    assert not list(folder.glob(f"{ID}.*"))
    return caught.value


@pytest.mark.parametrize(("on", "how", "kind"), FAULTS, ids=[f"{on}-{[*how]}" for on, how, _ in FAULTS])
def test_each_fault_has_its_state(
    loopback: Loopback, tmp_path: Path, on: str, how: dict[str, Any], kind: ErrorKind
) -> None:
    loopback.fail(ID, on=on, **how)
    assert failure_of(loopback, tmp_path).kind is kind
    loopback.mend(ID)
    assert download(ID, tmp_path, CrawlConfig(url_template=loopback.url_template)).sound.exists()


@pytest.mark.parametrize("on", ["page", "sound"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_says_when_to_come_back(loopback: Loopback, tmp_path: Path, on: str, status: int) -> None:
    loopback.fail(ID, on=on, status=status, headers={"Retry-After": "7"})
    assert failure_of(loopback, tmp_path).retry_after_s == 7


def test_a_server_may_say_it_as_a_date(loopback: Loopback, tmp_path: Path) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    loopback.fail(ID, on="page", status=429, headers={"Retry-After": at})
    assert failure_of(loopback, tmp_path).retry_after_s == pytest.approx(300, abs=30)


def test_a_server_that_says_nothing_is_left(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fail(ID, on="page", silence_s=2.0)
    assert failure_of(loopback, tmp_path, socket_timeout_s=0.3).kind is ErrorKind.TIMEOUT


def test_a_server_that_is_not_there_is_waited_for(tmp_path: Path, no_proxies: None) -> None:
    with Loopback() as gone:
        pass
    assert failure_of(gone, tmp_path).kind is ErrorKind.TIMEOUT


def test_an_upload_of_pictures_alone_has_no_audio(
    loopback: Loopback, upload_streams: tuple[Path, ...], tmp_path: Path
) -> None:
    loopback.serve(ID, *upload_streams[2:])
    assert failure_of(loopback, tmp_path / "uploads").kind is ErrorKind.NO_AUDIO
    assert loopback.count(ID, "pictures") == 0
    loopback.serve(ID, write_clip(tmp_path / "mute.mp4", None))
    assert failure_of(loopback, tmp_path / "uploads").kind is ErrorKind.NO_AUDIO


def test_a_silent_upload_is_left_to_the_cut(loopback: Loopback, tmp_path: Path) -> None:
    silence = np.zeros(48_000, np.float32)
    loopback.serve(ID, *make_streams(tmp_path / "streams", silence, duration_s=1.0))
    assert download(ID, tmp_path, CrawlConfig(url_template=loopback.url_template)).sound.exists()


@pytest.mark.parametrize(
    "page",
    [
        PAGE.replace(b"consent", b'<video src="/a.mp4"></video><video src="/b.mp4"></video>'),
        b"<rss><channel><item><link>/a.mp4</link></item><item><link>/b.mp4</link></item></channel></rss>",
    ],
)
def test_a_page_of_several_videos_is_no_upload(loopback: Loopback, tmp_path: Path, page: bytes) -> None:
    loopback.fail(ID, on="page", body=page.replace(b"/a.mp4", loopback.address.encode() + b"/a.mp4"))
    assert failure_of(loopback, tmp_path).kind is ErrorKind.BOT_WALL
    assert len(loopback.requests) == 1


MANIFEST = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="audio/mp4">'
    '<Representation id="1">{}</Representation></AdaptationSet></Period></MPD>'
)


@pytest.mark.parametrize(
    "page",
    [
        MANIFEST.format('<SegmentTemplate timescale="x" media="$Number$" duration="1"/>'),
        MANIFEST.format('<SegmentTemplate timescale="0" media="$Number$" duration="1"/>'),
        MANIFEST.format("<SegmentList><Initialization/></SegmentList>"),
        MANIFEST.format("<BaseURL>http://[::1</BaseURL>"),
        '<html>jwplayer("x").setup({file:"http://127.0.0.1:1/\\ud800.mp4"});</html>',
    ],
)
def test_what_yt_dlp_stumbles_over_is_a_reason_too(loopback: Loopback, tmp_path: Path, page: str) -> None:
    loopback.fail(ID, on="page", body=page.encode())
    assert failure_of(loopback, tmp_path).kind is ErrorKind.TIMEOUT


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/x.mp4"])
def test_no_page_leads_elsewhere_than_to_the_web(loopback: Loopback, tmp_path: Path, address: str) -> None:
    manifest = MANIFEST.format(f"<BaseURL>{address}</BaseURL>")
    player = f'<html><video src="{address}"></video></html>'
    refresh = f'<html><meta http-equiv="refresh" content="0; url={address}"></html>'
    for page in (manifest, player, refresh):
        loopback.fail(ID, on="page", body=page.encode())
        failure_of(loopback, tmp_path)
        loopback.mend(ID)


def test_a_lost_fragment_is_no_hole_in_the_sound(
    loopback: Loopback, upload_streams: tuple[Path, ...], tmp_path: Path
) -> None:
    data = upload_streams[0].read_bytes()
    third = len(data) // 3
    for number in range(3):
        piece = data[number * third : (number + 1) * third if number < 2 else None]
        loopback.put(f"/{number}.ts", f"fragment_{number}", "sound", piece)
    lines = "".join(f"#EXTINF:2,\n/{number}.ts\n" for number in range(3))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{lines}#EXT-X-ENDLIST\n".encode()
    kind = {"Content-Type": "application/vnd.apple.mpegurl"}
    loopback.put(f"/watch?v={ID}", ID, "page", playlist, kind)
    loopback.fail("fragment_1", status=429, headers={"Retry-After": "7"})
    error = failure_of(loopback, tmp_path)
    assert (error.kind, error.retry_after_s) == (ErrorKind.RATE_LIMITED, 7)
    loopback.mend("fragment_1")
    upload = download(ID, tmp_path, CrawlConfig(url_template=loopback.url_template))
    assert upload.sound.read_bytes() == data
    assert loopback.count("fragment_0") == 1
