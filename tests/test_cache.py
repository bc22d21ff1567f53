"""Downloads lie where the user said, come once, and tell when they change."""

import hashlib
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from avfake import cache
from avfake.cache import cache_folder, fetch_once, recorded_sha256
from avfake.errors import AvfakeError, StorageError
from tests.weights_server import Weights, serve

DATA = b"weights" * 9999
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server() -> Iterator[Weights]:
    with serve(DATA) as weights:
        yield weights


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "folder" / "w.pt"


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVFAKE_CACHE", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("AVFAKE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "avfake"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "avfake"


def test_a_file_is_downloaded_once(server: Weights, path: Path) -> None:
    for _ in range(2):
        fetch_once(server.url + "/plain", path, advice="", sha256=SHA256)
        assert path.read_bytes() == DATA
    assert len(server.asked) == 1


def test_callers_at_the_same_time_share_one_download(server: Weights, path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fetch_once(server.url + "/plain", path, advice=""), range(8)))
    assert path.read_bytes() == DATA
    assert len(server.asked) == 1


def test_the_hash_of_what_came_is_recorded_for_sha256sum(server: Weights, path: Path) -> None:
    fetch_once(server.url + "/plain", path, advice="")
    assert recorded_sha256(path) == SHA256
    record = path.with_name("w.pt.sha256")
    subprocess.run(["sha256sum", "--check", "--status", record.name], cwd=path.parent, check=True)


def test_a_file_put_there_by_hand_is_taken(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    fetch_once("https://127.0.0.1:1/w.pt", path, advice="", sha256="0" * 64)
    assert recorded_sha256(path) is None


@pytest.mark.parametrize("place", ["/none", "/login", "/plain"])
def test_a_download_that_fails_ends_with_the_advice(place: str, server: Weights, path: Path) -> None:
    with pytest.raises(AvfakeError) as caught:
        fetch_once(server.url + place, path, advice="do it by hand", sha256="0" * 64)
    text = str(caught.value)
    assert text.startswith(server.url + place)
    assert text.endswith("; do it by hand")
    assert "\n" not in text
    assert not path.exists()


def test_a_full_disk_stays_a_storage_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("cannot write: no space left")

    monkeypatch.setattr(cache, "fetch", full)
    with pytest.raises(StorageError, match="no space left; do it by hand"):
        fetch_once("https://127.0.0.1:1/w.pt", path, advice="do it by hand")


def test_a_cache_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*file/w\.pt: (File exists|Not a directory)"):
        fetch_once("https://127.0.0.1:1/w.pt", tmp_path / "file" / "w.pt", advice="")
