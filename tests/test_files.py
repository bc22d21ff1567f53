from pathlib import Path

import pytest

from avfake.errors import AvfakeError, ClipError, ErrorKind, StorageError
from avfake.files import hold, inside, sha256_of, whole_file, write_bytes


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.bin"
    with pytest.raises(RuntimeError, match="power cut"), whole_file(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError("power cut")
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_what_a_killed_process_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".x.bin.tmp").write_bytes(b"left behind, and longer than what follows")
    write_bytes(tmp_path / "x.bin", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["x.bin"]
    assert (tmp_path / "x.bin").read_bytes() == b"whole"


def test_a_full_disk_is_one_clear_line() -> None:
    with pytest.raises(StorageError, match="cannot write /dev/full/x: .*another --workspace"):
        write_bytes(Path("/dev/full/x"), b"data")


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a\0b",
        "C:\\x",
        "\\\\host\\share",
        "..\\x",
        "a\\..\\..\\x",
    ],
)
def test_no_name_leaves_its_root(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClipError) as caught:
        inside(tmp_path, name)
    assert caught.value.kind is ErrorKind.UNSAFE_PATH


def test_one_process_at_a_time_holds_a_lock(tmp_path: Path) -> None:
    lock = tmp_path / "new" / ".lock"
    with (
        hold(lock, busy="wait for it"),
        pytest.raises(AvfakeError, match="^wait for it$"),
        hold(lock, busy="wait for it"),
    ):
        pytest.fail("held twice")
    with hold(lock, busy="wait for it"):
        pass


def test_a_lock_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"), hold(tmp_path / "file" / ".lock", busy=""):
        pass


def test_no_link_leaves_its_root(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    with pytest.raises(ClipError, match="link that leaves"):
        inside(tmp_path / "root", "link/secret.mp4")


@pytest.mark.parametrize("name", ["a.mp4", "b/c d/ü.mp4", "--b1Ua-kWJE.mp4", "a..b.mp4", "Title: part 1.mp4"])
def test_ordinary_names_pass(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) == tmp_path / name


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256_of(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
