"""Contact sheets of the face crops, one PNG beside each file of crops."""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from avfake.curate.crops import read_clip
from avfake.curate.executors import EXECUTORS
from avfake.curate.stage import find_parts
from avfake.curate.workspace import Workspace
from avfake.errors import ClipError
from avfake.faces.preview import save_preview
from avfake.files import inside
from avfake.progress import track
from avfake.video.lossless import SUFFIX

logger = logging.getLogger("avfake")


class _Sheet(NamedTuple):
    """What a contact sheet is drawn of.

    Attributes:
        part: Of the ledger of faces, relative to the workspace.
        clip_id: Of the row in it.
        corpus_root: Folder of the corpus.
        video_path: Of the clip's video in it.
        path: Of the PNG, relative to the workspace.
    """

    part: str
    clip_id: str
    corpus_root: Path
    video_path: str
    path: str


def draw_previews(
    workspace: Workspace,
    scope: str,
    corpus_root: Path,
    videos: Mapping[str, str],
    *,
    jobs: int,
    executor: str,
) -> int:
    """Draw the contact sheets of a corpus that are not there yet.

    Args:
        workspace: Where crops and sheets lie.
        scope: Of the ledger of faces.
        corpus_root: Folder of the corpus.
        videos: Path in it of each clip's video.
        jobs: Worker processes.
        executor: A key of ``EXECUTORS``.

    Returns:
        The number of sheets drawn.
    """
    sheets = []
    for part in find_parts(workspace.ledger("faces"), scope):
        for row in pq.ParquetFile(part).read(["clip_id", "faces_path"]).to_pylist():
            if row["faces_path"]:
                path = str(Path(row["faces_path"]).with_suffix(".png"))
                name = str(part.relative_to(workspace.root))
                sheets.append(_Sheet(name, row["clip_id"], corpus_root, videos[row["clip_id"]], path))
    missing = [sheet for sheet in sheets if _is_stale(workspace.root, sheet)]
    n_drawn = 0
    with track(f"{scope} contact sheets", total=len(missing)) as advance:
        for drawn in EXECUTORS[executor](partial(_draw, workspace.root), missing, jobs=jobs):
            n_drawn += drawn
            advance(1)
    return n_drawn


def _is_stale(root: Path, sheet: _Sheet) -> bool:
    """Whether a sheet is missing or older than its crops."""
    path = root / sheet.path
    return not path.exists() or path.stat().st_mtime_ns < path.with_suffix(SUFFIX).stat().st_mtime_ns


def _draw(root: Path, sheet: _Sheet) -> int:
    """Draw one sheet; of a video that is gone there is none."""
    clip, frame_rate = read_clip(root, root / sheet.part, sheet.clip_id)
    try:
        video = inside(sheet.corpus_root, sheet.video_path)
        save_preview(inside(root, sheet.path), video, clip, frame_rate=frame_rate)
    except ClipError as error:
        logger.warning("no contact sheet of %s: %s", sheet.clip_id, error)
        return 0
    return 1
