"""Whatever a checkpoint is published in is opened, and what is none is refused in one line."""

import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch

from avfake.errors import AvfakeError
from avfake.vocoders.containers import open_checkpoint, read_member
from tests.vocoders.test_unpickle import Evil, wrapped

STATE = {"conv.weight": torch.arange(12.0).view(3, 4), "conv.bias": torch.ones(3)}
PAGE = b"\n<!DOCTYPE html><html><head><title>Sign in</title></head></html>"


def legacy_bytes() -> bytes:
    file = io.BytesIO()
    torch.save(STATE, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def zip_bytes() -> bytes:
    file = io.BytesIO()
    torch.save(STATE, file)
    return file.getvalue()


FORMS = {"legacy": legacy_bytes(), "zip": zip_bytes(), "safetensors": safetensors.torch.save(STATE)}


def archived(path: Path, members: dict[str, bytes]) -> Path:
    """A tar or zip archive, as the name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, data in members.items():
                zipped.writestr(name, data)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tarred:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tarred.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture(params=["a.tar.gz", "a.tar", "a.zip"])
def archive_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


def assert_state(content: dict[str, torch.Tensor]) -> None:
    assert set(content) == set(STATE)
    assert all(torch.equal(content[key], STATE[key]) for key in STATE)


@pytest.mark.parametrize("form", FORMS)
def test_bare_files_are_opened_whatever_their_name(form: str, tmp_path: Path) -> None:
    path = tmp_path / "g_02500000"
    path.write_bytes(FORMS[form])
    assert_state(open_checkpoint(path))
    assert_state(open_checkpoint(path, "latest_*.pyt"))  # a card's member is for archives


@pytest.mark.parametrize("form", FORMS)
def test_members_of_archives_are_opened(form: str, archive_path: Path) -> None:
    archived(
        archive_path,
        {"m/config.yml": b"a: 1", "m/checkpoint-400000steps.pkl": FORMS[form], "m/stats.h5": b"s"},
    )
    assert_state(open_checkpoint(archive_path, "checkpoint-*steps.pkl"))
    assert read_member(archive_path, "stats.h5") == b"s"
    assert read_member(archive_path, "other.h5") is None


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_is_no_archive_has_no_members(form: str, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(FORMS[form])
    assert read_member(tmp_path / "w", "stats.h5") is None


def test_archives_without_the_weights_or_with_several_are_refused(archive_path: Path) -> None:
    archived(archive_path, {"a/readme": b"no", "a/1.pkl": FORMS["zip"], "a/2.pkl": FORMS["zip"]})
    with pytest.raises(AvfakeError, match=r"holds no checkpoint-\*\.pkl"):
        open_checkpoint(archive_path, "checkpoint-*.pkl")
    with pytest.raises(AvfakeError, match=r"holds 2 files like \*\.pkl; one was expected"):
        open_checkpoint(archive_path, "*.pkl")
    with pytest.raises(AvfakeError, match="holds no weights that its card names"):
        open_checkpoint(archive_path)


@pytest.mark.parametrize(
    "data", [b"", PAGE, b"text", pickle.dumps({"a": 1}), bytes(1000), b"\x1f\x8b damaged"]
)
def test_what_is_no_checkpoint_is_refused_in_one_line(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(data)
    with pytest.raises(AvfakeError, match=r"w\.pt (is a web page|is damaged, incomplete|holds no)") as caught:
        open_checkpoint(tmp_path / "w.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_every_cut_of_a_file_is_refused(form: str, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    for length in range(0, len(FORMS[form]), 37):
        path.write_bytes(FORMS[form][:length])
        with pytest.raises(AvfakeError, match="damaged, incomplete or no checkpoint"):
            open_checkpoint(path)


def test_every_cut_of_an_archive_is_refused(archive_path: Path) -> None:
    archived(archive_path, {"w.pkl": FORMS["zip"]})
    whole = archive_path.read_bytes()
    for length in range(
        0, min(len(whole), 512 + len(FORMS["zip"])), 101
    ):  # after its members a tar is padded
        archive_path.write_bytes(whole[:length])
        with pytest.raises(AvfakeError, match=r"damaged|holds no"):
            open_checkpoint(archive_path, "w.pkl")


def test_a_web_page_in_an_archive_is_refused(archive_path: Path) -> None:
    archived(archive_path, {"w.pkl": PAGE})
    with pytest.raises(AvfakeError, match="is a web page; download the file itself"):
        open_checkpoint(archive_path, "w.pkl")


@pytest.mark.parametrize("legacy", [True, False])
def test_code_in_an_archive_is_not_run(legacy: bool, archive_path: Path, tmp_path: Path) -> None:
    evil = wrapped(pickle.dumps({"generator": Evil(tmp_path / "made")}, 2), legacy).getvalue()
    archived(archive_path, {"w.pkl": evil})
    open_checkpoint(archive_path, "w.pkl")
    assert not (tmp_path / "made").exists()


def test_a_missing_file_and_a_folder_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="cannot be read: No such file"):
        open_checkpoint(tmp_path / "none.pt")
    with pytest.raises(AvfakeError, match="cannot be read: Is a directory"):
        open_checkpoint(tmp_path)
