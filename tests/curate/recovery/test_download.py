"""Uploads come whole through the real yt-dlp, or not at all; nothing is fetched twice."""

import _thread
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from avfake.curate.recovery import client
from avfake.curate.recovery.download import CrawlConfig, download
from avfake.curate.recovery.reasons import FetchError
from avfake.errors import ClipError, ErrorKind, StorageError
from tests.dummies import speech_like, write_clip
from tests.loopback import Loopback

ID = "-_abcdefghi"
SLOW = 60_000  # bytes per second; the sound takes most of a second


def config_for(loopback: Loopback, **options: Any) -> CrawlConfig:
    return CrawlConfig(url_template=loopback.url_template, **options)


def test_the_best_sound_and_the_lowest_pictures_come(
    loopback: Loopback, upload_streams: tuple[Path, ...], tmp_path: Path
) -> None:
    upload = download(ID, tmp_path, config_for(loopback))
    assert upload.sound == tmp_path / f"{ID}.sound.webm"
    assert upload.pictures == tmp_path / f"{ID}.pictures.mp4"
    assert upload.sound.read_bytes() == upload_streams[1].read_bytes()
    assert upload.pictures.read_bytes() == upload_streams[3].read_bytes()  # 144 lines at the full 25 Hz
    assert [request.part for request in loopback.requests] == ["page", "sound", "pictures"]
    assert not (tmp_path / ".partial" / ID).exists()


def test_nothing_is_asked_for_what_is_there(loopback: Loopback, tmp_path: Path) -> None:
    first = download(ID, tmp_path, config_for(loopback))
    n_requests = loopback.count(ID)
    assert download(ID, tmp_path, config_for(loopback)) == first
    assert loopback.count(ID) == n_requests


def test_one_file_may_hold_sound_and_pictures(loopback: Loopback, tmp_path: Path) -> None:
    muxed = write_clip(tmp_path / "muxed.mp4", speech_like(2.0, 44_100), duration_s=2.0)
    loopback.serve(ID, muxed)
    upload = download(ID, tmp_path / "uploads", config_for(loopback))
    assert upload.pictures is None
    assert upload.sound.name == f"{ID}.sound.mp4"
    assert upload.sound.read_bytes() == muxed.read_bytes()


@pytest.mark.parametrize(
    "how",
    [
        {"status": 503, "times": 3},
        {"reset": True, "times": 2},
        {"cut_at": 0.5, "reset": True, "times": 3},
        {"promise_bytes": 10, "times": 1},
    ],
)
def test_a_hiccup_is_survived(
    loopback: Loopback, upload_streams: tuple[Path, ...], tmp_path: Path, how: dict[str, Any]
) -> None:
    loopback.fail(ID, on="sound", **how)
    upload = download(ID, tmp_path, config_for(loopback))
    assert upload.sound.read_bytes() == upload_streams[1].read_bytes()


def test_a_cut_connection_goes_on_where_it_was(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fail(ID, on="sound", cut_at=0.8, times=1)
    upload = download(ID, tmp_path, config_for(loopback))
    assert loopback.count(ID, "sound") == 2
    # The block being read when it was cut is lost; yt-dlp's blocks grow to what comes in a second.
    assert loopback.bytes_sent(ID, "sound") < 1.3 * upload.sound.stat().st_size


def test_a_restart_of_the_server_is_survived(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RETRY_S", 0.2)
    loopback.fail(ID, on="sound", bytes_per_s=SLOW, times=1)
    restart = threading.Thread(target=lambda: [wait_for_sound(loopback), loopback.restart(pause_s=0.3)])
    restart.start()
    upload = download(ID, tmp_path, config_for(loopback))
    restart.join()
    assert loopback.count(ID, "page") == 1
    assert loopback.count(ID, "sound") > 1
    assert loopback.bytes_sent(ID, "sound") < 1.3 * upload.sound.stat().st_size


def test_a_killed_download_goes_on_where_it_was(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fail(ID, on="sound", bytes_per_s=SLOW, times=1)
    program = (
        "import sys; from pathlib import Path; from avfake.curate.recovery.download import *\n"
        "download(sys.argv[1], Path(sys.argv[2]), CrawlConfig(url_template=sys.argv[3]))"
    )
    command = [sys.executable, "-c", program, ID, str(tmp_path), loopback.url_template]
    with subprocess.Popen(command) as process:
        wait_for_sound(loopback)
        process.kill()
    assert not list(tmp_path.glob("*.sound.*"))
    upload = download(ID, tmp_path, config_for(loopback))
    assert 206 in {request.status for request in loopback.requests if request.part == "sound"}
    assert loopback.bytes_sent(ID, "sound") < 1.3 * upload.sound.stat().st_size


def test_what_was_complete_before_a_kill_is_not_fetched_again(
    loopback: Loopback, upload_streams: tuple[Path, ...], tmp_path: Path
) -> None:
    loopback.fail(ID, on="pictures", status=403, times=1)
    with pytest.raises(FetchError):
        download(ID, tmp_path, config_for(loopback))
    (tmp_path / f"{ID}.pictures.mp4").write_bytes(upload_streams[3].read_bytes())
    upload = download(ID, tmp_path, config_for(loopback))
    assert upload.pictures == tmp_path / f"{ID}.pictures.mp4"
    assert loopback.count(ID, "sound") == 1
    assert loopback.count(ID, "pictures") == 1


def test_a_partial_folder_left_beside_complete_files_goes(loopback: Loopback, tmp_path: Path) -> None:
    upload = download(ID, tmp_path, config_for(loopback))
    (tmp_path / ".partial" / ID).mkdir(parents=True)
    assert download(ID, tmp_path, config_for(loopback)) == upload
    assert not (tmp_path / ".partial" / ID).exists()


def test_what_is_too_slow_ends_in_time_and_goes_on_later(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fail(ID, on="sound", bytes_per_s=SLOW, times=1)
    with pytest.raises(FetchError, match=r"not fetched within 0\.4 s") as caught:
        download(ID, tmp_path, config_for(loopback, time_limit_s=0.4))
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert [path.suffix for path in (tmp_path / ".partial" / ID).iterdir()] == [".part"]
    upload = download(ID, tmp_path, config_for(loopback))
    assert loopback.bytes_sent(ID, "sound") < 1.5 * upload.sound.stat().st_size  # sockets hold some


@pytest.mark.parametrize("status", [200, 403])
def test_a_page_that_drips_ends_in_time(loopback: Loopback, tmp_path: Path, status: int) -> None:
    page = b"<!DOCTYPE html><html>" + b"<p>on and on</p>" * 10_000
    loopback.fail(ID, on="page", status=status, body=page, bytes_per_s=20_000)
    with pytest.raises(FetchError, match=r"not fetched within 0\.3 s"):
        download(ID, tmp_path, config_for(loopback, time_limit_s=0.3))
    assert loopback.bytes_sent(ID, "page") < len(page) / 2


def test_ctrl_c_passes_through(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fail(ID, on="sound", bytes_per_s=SLOW // 4)  # so that it is under way even on a busy machine
    threading.Thread(target=lambda: [wait_for_sound(loopback), _thread.interrupt_main()]).start()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            download(ID, tmp_path, config_for(loopback))
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_full_disk_stops_everything(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fail(ID, on="sound", cut_at=0.5, ranges=False)
    with pytest.raises(FetchError):
        download(ID, tmp_path, config_for(loopback))
    loopback.mend(ID)
    (part,) = (tmp_path / ".partial" / ID).iterdir()
    part.unlink()
    part.symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"No space left.*another --workspace"):
        download(ID, tmp_path, config_for(loopback))


def test_a_folder_that_cannot_be_made_is_told(loopback: Loopback) -> None:
    with pytest.raises(StorageError, match="cannot write /dev/full/uploads"):
        download(ID, Path("/dev/full/uploads"), config_for(loopback))


@pytest.mark.parametrize("youtube_id", ["-Uabcdefghi", "--exec=true", "-o_________", "___________"])
def test_an_id_is_never_an_option(
    loopback: Loopback, upload_streams: tuple[Path, ...], tmp_path: Path, youtube_id: str
) -> None:
    if "=" in youtube_id:
        with pytest.raises(ClipError, match="is no YouTube id"):
            download(youtube_id, tmp_path, config_for(loopback))
        return
    loopback.serve(youtube_id, *upload_streams)
    assert download(youtube_id, tmp_path, config_for(loopback)).sound.name == f"{youtube_id}.sound.webm"


@pytest.mark.parametrize("youtube_id", ["", "../../../xy", "short", "abcdefghijk\n", "abc/efghijk", "ä" * 11])
def test_what_is_no_id_is_refused_before_anything_happens(
    loopback: Loopback, tmp_path: Path, youtube_id: str
) -> None:
    with pytest.raises(ClipError) as caught:
        download(youtube_id, tmp_path / "uploads", config_for(loopback))
    assert caught.value.kind is ErrorKind.BAD_METADATA
    assert not loopback.requests
    assert not (tmp_path / "uploads").exists()


@pytest.mark.parametrize("name", ["../../x", "x.exe", "-o", "$HOME", "x.sound.webm", "%(title)s", "a\\b"])
def test_a_server_names_no_file(
    loopback: Loopback, upload_streams: tuple[Path, ...], tmp_path: Path, name: str
) -> None:
    headers = {"Content-Type": "video/mp4", "Content-Disposition": f'attachment; filename="{name}"'}
    loopback.put(f"/watch?v={ID}", ID, "sound", upload_streams[0], headers)
    headers = {"Content-Type": "text/html"}
    loopback.put("/watch?v=page_______", "page_______", "page", page_with(name), headers)
    for youtube_id in (ID, "page_______"):
        download(youtube_id, tmp_path / "uploads", config_for(loopback))
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {f"{ID}.sound.m4a", "page_______.sound.m4a"}


def test_a_stream_of_a_hostile_kind_is_named_by_what_it_is(
    loopback: Loopback, upload_streams: tuple[Path, ...], tmp_path: Path
) -> None:
    page = loopback.find(f"/watch?v={ID}")
    assert page is not None
    assert isinstance(page.body, bytes)
    hostile = page.body.replace(b"audio/webm", b"audio/../../x.exe").replace(b"video/mp4", b"video/-o")
    loopback.put(f"/watch?v={ID}", ID, "page", hostile, page.headers)
    upload = download(ID, tmp_path, config_for(loopback))
    assert upload.sound.suffix == ".webm"
    assert upload.pictures is not None
    assert upload.pictures.suffix == ".mp4"


def page_with(title: str) -> bytes:
    """A web page with a player of the upload's sound on it."""
    player = f'<audio src="/watch?v={ID}"></audio>'
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{player}</body></html>".encode()


def wait_for_sound(loopback: Loopback) -> None:
    """Until some of the upload's sound has gone out."""
    for _ in range(1000):
        if loopback.bytes_sent(ID, "sound") > 10_000:
            return
        time.sleep(0.02)
    raise TimeoutError("no sound was asked for")
