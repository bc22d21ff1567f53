"""Whole batches of train, every row of val, and a split that cannot be trained on is refused at once."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from avfake.errors import AvfakeError
from avfake.manifest.table import write_rows
from avfake.training.config import detector_config
from avfake.training.data import ClipData, read_tables
from tests.training.making import SMALL, quick, write_part

Rows = list[dict[str, Any]]


def test_an_epoch_is_whole_batches_and_val_is_every_row(root: Path) -> None:
    tables = read_tables(root / "splits" / "made", root)
    data = ClipData(tables, root, quick(batch_size=6, accumulate=2))
    assert [len(batch.sample_ids) for batch in data.train_dataloader()] == [3, 3]
    judged = [sample_id for batch in data.val_dataloader() for sample_id in batch.sample_ids]
    assert judged == tables.val["sample_id"].to_pylist()


@pytest.mark.parametrize(("n_rows", "n_devices"), [(4, 1), (5, 2), (3, 4), (7, 3)])
def test_val_is_dealt_so_that_each_row_can_be_found_again(n_rows: int, n_devices: int) -> None:
    from avfake.dataset.sampling import EpochSampler
    from avfake.training.data import _Dealt

    shares = [
        [draw.window for draw in EpochSampler(_Dealt(n_rows, n_devices), rank=rank, world_size=n_devices)]
        for rank in range(n_devices)
    ]
    assert len({len(share) for share in shares}) == 1
    in_turn = [row for turn in zip(*shares, strict=True) for row in turn]
    assert in_turn[:n_rows] == list(range(n_rows))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"batch_size": 9}, "shows 8 clips, fewer than batch_size=9; take --batch-size 8 or less"),
        ({"policy": "swap"}, "nothing to swap"),
        (
            {"detector": detector_config("tiny", ["frame_rate=25"])},
            "clips with frame_rate=25, here they have 10",
        ),
        (
            {"detector": detector_config("tiny", ["sample_rate=16000"])},
            "sample_rate=16000, here they have 22050",
        ),
        (
            {"detector": detector_config("tiny", ["picture_size=56"])},
            "picture_size=56, face crops have 112; .* by its picture_shrink",
        ),
        (
            {"detector": detector_config("tiny", ["window_s=1.25"])},
            "windows of 1.25 s, which must be a multiple of 0.1 s",
        ),
    ],
)
def test_what_the_clips_do_not_give_is_refused(root: Path, changes: dict[str, Any], text: str) -> None:
    tables = read_tables(root / "splits" / "made", root)
    with pytest.raises(AvfakeError, match=text):
        ClipData(tables, root, quick(**changes))


def no_crops(rows: Rows) -> Rows:
    return [{**row, "faces_path": None} for row in rows]


def one_without_crops(rows: Rows) -> Rows:
    return [{**rows[0], "faces_path": None}, *rows[1:]]


def missing_crop(rows: Rows) -> Rows:
    return [{**rows[0], "faces_path": "faces/made/gone.avi"}, *rows[1:]]


def real_sound_alone(rows: Rows) -> Rows:
    return [row for row in rows if not row["audio_label"]]


def fakes_alone(rows: Rows) -> Rows:
    return [row for row in rows if row["label"]]


@pytest.mark.parametrize("part", ["train", "val"])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (no_crops, "has no face crops; run avfake faces, then avfake build-split"),
        (one_without_crops, "1 of .* rows cannot be used: .* faces_path is empty"),
        (missing_crop, "faces/made/gone.avi does not exist"),
        (real_sound_alone, "{part} of split 'spoilt' has no clip whose sound is fake"),
        (fakes_alone, "{part} of split 'spoilt' has no clip whose whole is real"),
    ],
)
def test_a_split_that_cannot_be_trained_on_is_one_clear_line(
    root: Path, tmp_path: Path, part: str, change: Callable[[Rows], Rows], text: str
) -> None:
    split = tmp_path / "spoilt"
    shutil.copytree(root / "splits" / "made", split)
    write_part(split, part, change(pq.read_table(split / f"{part}.parquet").to_pylist()))
    with pytest.raises(AvfakeError, match=text.format(part=part)):
        read_tables(split, root)


def test_a_split_of_another_schema_is_one_clear_line(root: Path, tmp_path: Path) -> None:
    split = tmp_path / "old"
    shutil.copytree(root / "splits" / "made", split)
    table = pq.read_table(split / "train.parquet").drop_columns(["vocoder"])
    write_rows(split / "train.parquet", table.to_pylist(), table.schema, {})
    with pytest.raises(AvfakeError, match=r"train.parquet lacks the columns vocoder: build the split again"):
        read_tables(split, root)


def test_a_split_of_another_version_is_one_clear_line(root: Path, tmp_path: Path) -> None:
    split = tmp_path / "newer"
    shutil.copytree(root / "splits" / "made", split)
    table = pq.read_table(split / "val.parquet")
    write_rows(split / "val.parquet", table.to_pylist(), table.schema, {"schema_version": 99})
    with pytest.raises(AvfakeError, match=r"val.parquet has schema version 99, ") as caught:
        read_tables(split, root)
    assert "\n" not in str(caught.value)


def test_a_split_that_is_not_there_is_one_clear_line(root: Path) -> None:
    with pytest.raises(AvfakeError, match=r"no split 'nosuch' .* run avfake build-split first"):
        read_tables(root / "splits" / "nosuch", root)
    assert SMALL.n_frames == 10
