"""Frame lists are read exactly, found in every layout, and refused in plain words when they are none."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avfake.curate.recovery.frame_lists import find_frame_lists, frame_list_path, read_frame_list
from avfake.errors import ClipError, ErrorKind
from avfake.manifest.splits import ffpp_sequences

SECOND = next(one for one in ffpp_sequences().values() if one.youtube_sequence == 1)


def write(folder: Path, content: str | bytes) -> Path:
    path = frame_list_path(folder, SECOND)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path) -> np.ndarray | None:
    return read_frame_list(folder, SECOND.youtube_id, SECOND.youtube_sequence)


@given(frames=st.sets(st.integers(0, 10_000_000), min_size=1, max_size=400))
def test_a_list_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, frames: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    write(folder, json.dumps(sorted(frames)))
    listed = read(folder)
    assert listed is not None
    assert listed.dtype == np.int64
    assert listed.tolist() == sorted(frames)


def test_a_list_lies_where_faceforensics_puts_it(tmp_path: Path) -> None:
    path = write(tmp_path, "[432, 433]")
    assert path == tmp_path / SECOND.youtube_id / "extracted_sequences" / "1.json"


def test_no_list_is_no_error(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    (tmp_path / SECOND.youtube_id).write_text("a file where a folder belongs")
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "came"),
    [
        ("", "no JSON"),
        (b"\xff\xfe\x00[1]", "no JSON"),
        ("<html>sign in</html>", "no JSON"),
        ("[" * 200_000, "no JSON"),
        ("[" + "9" * 5000 + "]", "no JSON"),
        ("[]", "an empty list"),
        ("{}", "dict"),
        ("7", "int"),
        ("null", "NoneType"),
        ("[1.0, 2.0]", "float at place 0"),
        ("[1, NaN]", "float at place 1"),
        ("[false, true]", "bool at place 0"),
        ('["1", "2"]', "str at place 0"),
        ("[[1, 2]]", "list at place 0"),
        ("[-1, 0]", "-1 behind nothing"),
        ("[3, 2]", "2 behind 3"),
        ("[3, 3]", "3 behind 3"),
        ("[3, 99999999999999999999]", "99999999999999999999 behind 3"),
        (json.dumps(list(range(200_000))), "more than"),
    ],
)
def test_what_is_no_list_says_what_it_is(tmp_path: Path, content: str | bytes, came: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(ClipError, match=came) as caught:
        read(tmp_path)
    assert caught.value.kind is ErrorKind.BAD_METADATA
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_in_place_of_a_list_is_refused(tmp_path: Path) -> None:
    frame_list_path(tmp_path, SECOND).mkdir(parents=True)
    with pytest.raises(ClipError, match="no file"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["downloaded_videos_info", "downloaded_videosinfo", "downloaded_videos"])
def test_lists_are_found_in_every_layout(tmp_path: Path, name: str) -> None:
    assert find_frame_lists(tmp_path) is None
    for other in ("downloaded_videos_info", "downloaded_videos"):
        (tmp_path / other / SECOND.youtube_id).mkdir(parents=True)  # holds no list
    assert find_frame_lists(tmp_path) is None
    write(tmp_path / name, "[1]")
    assert find_frame_lists(tmp_path) == tmp_path / name
