"""The frame lists of FaceForensics++: which frames of its upload each sequence was cut from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.manifest.splits import Sequence, ffpp_sequences

# What the data set's script, its archive unpacked, and older copies of the data set call the folder.
_FOLDERS = ("downloaded_videos_info", "downloaded_videosinfo", "downloaded_videos")
_LARGEST_BYTES = 1 << 20  # some 100 000 frames; the longest sequence has less than 2000
_LAST_FRAME = 10_000_000  # 46 hours at 60 Hz


def find_frame_lists(corpus_root: Path) -> Path | None:
    """Folder of the frame lists below the root of a FaceForensics++, None when it has none."""
    sequences = ffpp_sequences().values()
    for folder in (corpus_root / name for name in _FOLDERS):
        if any(frame_list_path(folder, sequence).is_file() for sequence in sequences):
            return folder
    return None


def frame_list_path(folder: Path, sequence: Sequence) -> Path:
    """Where the list of a sequence lies, if it does."""
    return _path(folder, sequence.youtube_id, sequence.youtube_sequence)


def read_frame_list(folder: Path, youtube_id: str, youtube_sequence: int) -> NDArray[np.int64] | None:
    """Read the list of one sequence.

    Args:
        folder: Of all lists.
        youtube_id: Upload the sequence was cut from, one of those of FaceForensics++.
        youtube_sequence: Which of the sequences cut from it.

    Returns:
        Frames of the upload, [frames], 0-based and ascending, with gaps where the authors left some out;
        None when there is no list.

    Raises:
        ClipError: The file is no such list.
    """
    path = _path(folder, youtube_id, youtube_sequence)
    try:
        if not path.exists():
            return None
        if not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
            raise _no_list(path, f"no file, or one of more than {_LARGEST_BYTES} bytes")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise _no_list(path, f"unreadable ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise _no_list(path, "no JSON") from error
    if fault := _fault(content):
        raise _no_list(path, fault)
    return np.array(content, np.int64)


def _path(folder: Path, youtube_id: str, youtube_sequence: int) -> Path:
    return folder / youtube_id / "extracted_sequences" / f"{youtube_sequence}.json"


def _fault(content: Any) -> str | None:
    """What is wrong with a list; None when nothing is."""
    if not isinstance(content, list) or not content:
        return "an empty list" if content == [] else f"a JSON {type(content).__name__}"
    before = -1
    for place, frame in enumerate(content):
        if type(frame) is not int:  # True is an int to isinstance
            return f"a JSON list with a {type(frame).__name__} at place {place}"
        if not before < frame <= _LAST_FRAME:
            return f"a JSON list with {str(frame)[:20]} behind {before if place else 'nothing'}"
        before = frame
    return None


def _no_list(path: Path, came: str) -> ClipError:
    return ClipError(
        ErrorKind.BAD_METADATA,
        f"frame list {path} is {came}; an ascending JSON list of frame numbers from 0 to {_LAST_FRAME} "
        "is wanted: get it anew, or use --align visual",
    )
