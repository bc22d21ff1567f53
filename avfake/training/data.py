"""The clips of a run: train in drawn order, val row by row, both as the detector wants them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytorch_lightning as pl

from avfake.dataset.augment import Augmentation
from avfake.dataset.check import check_split
from avfake.dataset.clips import ClipDataset
from avfake.dataset.loader import ClipLoader, build_loader
from avfake.dataset.plans import PLANS, Plan, Rows
from avfake.dataset.sampling import EpochSampler
from avfake.errors import AvfakeError
from avfake.evaluation.inference import refuse_other_clips
from avfake.manifest.validate import read_split
from avfake.training.config import TrainConfig

_LABELS = {"video_label": "video", "audio_label": "sound", "label": "whole"}


class Tables(NamedTuple):
    """Rows that are learnt, and rows that judge what was learnt."""

    train: pa.Table
    val: pa.Table


def read_tables(split: Path, root: Path) -> Tables:
    """Read what a training needs of a split, and refuse what would fail hours later.

    Args:
        split: Folder of the split.
        root: Data root (workspace) that its paths are relative to.

    Raises:
        AvfakeError: There is no such split, a row of it cannot be trusted or lacks its crops or its sound, or
            there is no clip of some kind to learn or to judge by.
    """
    if not split.is_dir():
        raise AvfakeError(f"there is no split {split.name!r} in {split.parent}; run avfake build-split first")
    tables = {name: read_split(split / f"{name}.parquet", root, check_files=False) for name in Tables._fields}
    for name, table in tables.items():
        _refuse_uncropped(table, f"split {split.name!r}")
        check_split(table, root)
        _refuse_one_sided(table, f"{name} of split {split.name!r}")
    return Tables(**tables)


class ClipData(pl.LightningDataModule):
    """Loaders of both tables, shared among the devices of a run.

    Args:
        tables: What is loaded.
        root: Data root (workspace) that their paths are relative to.
        config: How.

    Raises:
        AvfakeError: An epoch has fewer rows than a batch, the policy cannot be followed on this split, or the
            detector wants clips that avfake does not make.
    """

    def __init__(self, tables: Tables, root: Path, config: TrainConfig) -> None:
        super().__init__()
        refuse_other_clips(config.detector)
        self._tables = tables
        self._root = root
        self._config = config
        self._plan = _WholeBatches(PLANS[config.policy](tables.train, config.seed), config.batch_size)

    def train_dataloader(self) -> ClipLoader:
        """Batches of train, in the epoch's order."""
        return self._loader(self._tables.train, self._plan, self._config.augmentation)

    def val_dataloader(self) -> ClipLoader:
        """Batches of val, every row at least once."""
        return self._loader(self._tables.val, _Dealt(self._tables.val.num_rows, self._world_size), None)

    @property
    def _world_size(self) -> int:
        return self.trainer.world_size if self.trainer else 1

    def _loader(self, table: pa.Table, plan: Plan, augmentation: Augmentation | None) -> ClipLoader:
        config, rank = self._config, self.trainer.global_rank if self.trainer else 0
        dataset = ClipDataset(
            table,
            self._root,
            window_frames=config.detector.n_frames,
            augmentation=augmentation,
            seed=config.seed,
        )
        return build_loader(
            dataset,
            batch_size=config.part_size,
            sampler=EpochSampler(plan, rank=rank, world_size=self._world_size),
            n_workers=config.workers,
            seed=config.seed,
        )


class _WholeBatches:
    """The rows of each epoch of another plan, without those that make no whole batch."""

    def __init__(self, plan: Plan, batch_size: int) -> None:
        if len(plan) < batch_size:
            raise AvfakeError(
                f"an epoch of train shows {len(plan)} clips, fewer than batch_size={batch_size}; "
                f"take --batch-size {len(plan)} or less, or build the split with more clips"
            )
        self._plan = plan
        self._n_rows = len(plan) // batch_size * batch_size

    def __len__(self) -> int:
        return self._n_rows

    def __call__(self, epoch: int) -> Rows:
        """Rows of this epoch."""
        return self._plan(epoch)[: self._n_rows]


class _Dealt:
    """Every row in the table's order, and the first ones again until each device has as many."""

    def __init__(self, n_rows: int, world_size: int) -> None:
        self._n_rows = n_rows
        self._n_dealt = -(-n_rows // world_size) * world_size

    def __len__(self) -> int:
        return self._n_dealt

    def __call__(self, epoch: int) -> Rows:
        """Rows of any epoch."""
        return np.arange(self._n_dealt) % self._n_rows


def _refuse_uncropped(table: pa.Table, split: str) -> None:
    if table["faces_path"].null_count == table.num_rows:
        raise AvfakeError(f"{split} has no face crops; run avfake faces, then avfake build-split again")


def _refuse_one_sided(table: pa.Table, part: str) -> None:
    for column, what in _LABELS.items():
        found = set(table[column].to_pylist())
        if lacking := [kind for label, kind in enumerate(("real", "fake")) if label not in found]:
            raise AvfakeError(
                f"{part} has no clip whose {what} is {' or '.join(lacking)}, and training needs both; "
                "build the split with clips of all four quadrants"
            )
