"""Downloads arrive whole and checked, whatever the server does, or fail in one line."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from avfake import fetch as fetch_module
from avfake.errors import AvfakeError, StorageError
from avfake.fetch import fetch
from tests.weights_server import Weights, serve

DATA = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server() -> Iterator[Weights]:
    with serve(DATA) as weights:
        yield weights


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "_PAUSE_S", 0.0)
    monkeypatch.setattr(fetch_module, "_CHUNK", 10_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "w.pt"


def assert_whole(path: Path) -> None:
    assert path.read_bytes() == DATA
    assert [file.name for file in path.parent.iterdir()] == ["w.pt"]


@pytest.mark.parametrize("place", ["/plain", "/unsized", "/hub", "/drive", "/busy"])
def test_a_file_arrives(place: str, server: Weights, path: Path) -> None:
    fetch(server.url + place, path, sha256=SHA256)
    assert_whole(path)


def test_a_cut_download_goes_on_where_it_stopped(server: Weights, path: Path) -> None:
    server.cuts = 3
    fetch(server.url + "/cut", path)
    assert_whole(path)
    assert [asked for _, asked in server.asked] == [
        None,
        "bytes=150000-",
        "bytes=225000-",
        "bytes=262500-",
    ]


def test_a_later_call_goes_on_where_an_earlier_one_stopped(server: Weights, path: Path) -> None:
    path.with_name("w.pt.part").write_bytes(DATA[:1000])
    fetch(server.url + "/drive", path)
    assert_whole(path)
    assert server.asked[-1][1] == "bytes=1000-"


def test_without_ranges_it_starts_again(server: Weights, path: Path) -> None:
    server.cuts, server.ranges = 2, False
    fetch(server.url + "/cut", path, sha256=SHA256)
    assert_whole(path)


def test_a_part_that_is_whole_already_is_taken(server: Weights, path: Path) -> None:
    path.with_name("w.pt.part").write_bytes(DATA)
    fetch(server.url + "/plain", path)
    assert_whole(path)


def test_a_part_longer_than_the_file_is_dropped(server: Weights, path: Path) -> None:
    path.with_name("w.pt.part").write_bytes(DATA + b"more")
    fetch(server.url + "/plain", path)
    assert_whole(path)


def test_a_server_that_always_breaks_off_is_given_up(server: Weights, path: Path) -> None:
    server.cuts, server.ranges = 1000, False
    with pytest.raises(AvfakeError, match=r"/cut breaks off: after 150000 of 300000 bytes"):
        fetch(server.url + "/cut", path)
    assert not path.exists()
    assert len(server.asked) == fetch_module._N_TRIES
    assert path.with_name("w.pt.part").stat().st_size == 150_000


def test_a_reset_connection_is_given_up(server: Weights, path: Path) -> None:
    with pytest.raises(AvfakeError, match=r"/reset (breaks off|cannot be reached)"):
        fetch(server.url + "/reset", path)
    assert not path.exists()


def test_another_file_than_expected_is_dropped(server: Weights, path: Path) -> None:
    with pytest.raises(AvfakeError, match=f"gives a file of SHA-256 {SHA256} instead of {'0' * 64}"):
        fetch(server.url + "/plain", path, sha256="0" * 64)
    assert not list(path.parent.iterdir())


def test_first_digits_of_the_hash_are_enough_to_tell(server: Weights, path: Path) -> None:
    fetch(server.url + "/plain", path, sha256=SHA256[:8])
    assert_whole(path)
    path.unlink()
    with pytest.raises(AvfakeError, match=f"gives a file of SHA-256 {SHA256} instead of 00000000\\.\\.\\.$"):
        fetch(server.url + "/plain", path, sha256="0" * 8)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("/none", r"/none answers 404 Not Found"),
        ("/loop", r"/loop answers 302 .*infinite loop"),
        ("/login", r"/login gives a web page instead of a file: Sign in to continue"),
        ("/disguised", r"/disguised gives a web page instead of a file: Sign in to continue"),
        ("/away?to=file:///etc/hostname", r"answers 302 .*'file:///etc/hostname' is not allowed"),
        ("/away?to=ftp://127.0.0.1/w.pt", r"leads to ftp://127\.0\.0\.1/w\.pt, which is not followed"),
        ("/away?to=http://127.0.0.1:1/w.pt", r"cannot be reached: .*refused"),
    ],
)
def test_what_is_no_file_is_said_in_one_line(place: str, message: str, server: Weights, path: Path) -> None:
    with pytest.raises(AvfakeError, match=message) as caught:
        fetch(server.url + place, path)
    assert "\n" not in str(caught.value)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/w.pt", "data:text/plain,a", "w.pt"])
def test_only_the_web_is_asked(url: str, path: Path) -> None:
    with pytest.raises(ValueError, match="must begin with https:// or http://"):
        fetch(url, path)
    assert not list(path.parent.iterdir())


def test_https_never_leads_to_http() -> None:
    with pytest.raises(AvfakeError, match="https://a leads to http://b, which is not followed"):
        fetch_module._check_step("https://a", "http://b")


def test_endless_files_are_cut_short(server: Weights, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "_SIZE_LIMIT", 100_000)
    with pytest.raises(AvfakeError, match="gives more than 100000 bytes; no weights are so large"):
        fetch(server.url + "/unsized", path)


def test_progress_is_told(server: Weights, path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path.with_name("w.pt.part").write_bytes(DATA[:100_000])
    fetch(server.url + "/plain", path, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (110_000, len(DATA))
    assert told[-1] == (len(DATA), len(DATA))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_folder_that_cannot_be_written_is_said(server: Weights, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write .*No such file or directory"):
        fetch(server.url + "/plain", tmp_path / "none" / "w.pt")
