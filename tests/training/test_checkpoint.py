"""Checkpoints are whole or absent, and reading one runs no code of it."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from avfake.errors import AvfakeError, StorageError
from avfake.training.checkpoint import WholeCheckpoints, load_checkpoint

STATE: dict[str, Any] = {
    "state_dict": {"x": torch.arange(5.0)},
    "global_step": 3,
    "callbacks": {"a": [1, 2.5]},
}


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("mmap", [False, True])
def test_what_is_written_is_read(tmp_path: Path, mmap: bool) -> None:
    WholeCheckpoints().save_checkpoint(STATE, tmp_path / "a" / "last.ckpt")
    found = load_checkpoint(tmp_path / "a" / "last.ckpt", mmap=mmap)
    assert torch.equal(found["state_dict"]["x"], torch.arange(5.0))
    assert (found["global_step"], found["callbacks"]) == (3, {"a": [1, 2.5]})


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pickle_that_poses_as_a_checkpoint_is_not_run(tmp_path: Path, zipped: bool) -> None:
    path, harm = tmp_path / "last.ckpt", tmp_path / "harm"
    if zipped:
        torch.save({**STATE, "callbacks": Bomb(harm)}, path)
    else:
        path.write_bytes(pickle.dumps({**STATE, "callbacks": Bomb(harm)}, protocol=2))
    with pytest.raises(AvfakeError, match=r"last.ckpt cannot be read: .*remove it to train from the start"):
        WholeCheckpoints().load_checkpoint(path, weights_only=False)
    assert not harm.exists()


@pytest.mark.parametrize("content", [b"", b"half", None])
def test_a_damaged_checkpoint_is_one_clear_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint(STATE, path)
    path.write_bytes(path.read_bytes()[:-400] if content is None else content)
    with pytest.raises(AvfakeError, match=r"last.ckpt cannot be read"):
        load_checkpoint(path)


def test_other_contents_are_refused(tmp_path: Path) -> None:
    torch.save({"x": 1}, tmp_path / "last.ckpt")
    with pytest.raises(AvfakeError, match="cannot be read: 'global_step'"):
        load_checkpoint(tmp_path / "last.ckpt")


@pytest.mark.parametrize("n_numbers", [1, 1_000_000])
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path, n_numbers: int) -> None:
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint(STATE, path)
    (tmp_path / ".last.ckpt.tmp").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"cannot write .*last.ckpt: .*free some space"):
        WholeCheckpoints().save_checkpoint({**STATE, "x": torch.zeros(n_numbers)}, path)
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
    assert load_checkpoint(path)["global_step"] == 3
