"""A folder of results is there whole or not at all, and known again by what it was made from."""

import json
from pathlib import Path

import pytest

from avfake.errors import StorageError
from avfake.evaluation.result_folder import PAGE, PICTURE, RESULT, SCORES, TABLES, new_folder, read_result


def fill(folder: Path, facts: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (SCORES, PAGE, TABLES, PICTURE):
        (folder / name).write_text("here")
    (folder / RESULT).write_text(json.dumps({**facts, "accuracy": 1.0}))


def test_a_result_is_known_by_its_facts(tmp_path: Path) -> None:
    fill(tmp_path, {"run": "a", "hop_s": None})
    assert read_result(tmp_path, {"run": "a", "hop_s": None}) == {"run": "a", "hop_s": None, "accuracy": 1.0}
    assert read_result(tmp_path, {"run": "b", "hop_s": None}) is None
    assert read_result(tmp_path, {"run": "a", "hop_s": 1.0}) is None


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.unlink(), lambda path: path.write_text("{"), lambda path: path.write_text("[]")],
)
def test_a_damaged_result_is_none(tmp_path: Path, damage: object) -> None:
    fill(tmp_path, {})
    assert read_result(tmp_path, {}) is not None
    damage(tmp_path / RESULT)  # type: ignore[operator]
    assert read_result(tmp_path, {}) is None


def test_a_new_folder_takes_the_place_of_the_former_one(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "made"
    for text in ("first", "second"):
        with new_folder(path) as filling:
            filling.mkdir()
            (filling / text).write_text(text)
        assert [file.name for file in path.iterdir()] == [text]
    assert sorted(file.name for file in path.parent.iterdir()) == [".made.lock", "made"]


def test_what_a_killed_process_left_is_no_part_of_the_next(tmp_path: Path) -> None:
    (tmp_path / ".made.new").mkdir()
    (tmp_path / ".made.new" / "half").write_text("half")
    with new_folder(tmp_path / "made") as filling:
        filling.mkdir()
    assert list((tmp_path / "made").iterdir()) == []


def test_a_failure_leaves_the_former_folder(tmp_path: Path) -> None:
    with new_folder(tmp_path / "made") as filling:
        filling.mkdir()
    with (
        pytest.raises(StorageError, match="No space left.*free some space"),
        new_folder(tmp_path / "made") as filling,
    ):
        filling.mkdir()
        (filling / "half").write_text("half")
        raise OSError(28, "No space left on device")
    assert list((tmp_path / "made").iterdir()) == []
    assert not (tmp_path / ".made.new").exists()


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"), new_folder(tmp_path / "runs" / "made"):
        pass
