"""Batches of clips: seeded workers, one line for a broken row, and resuming inside an epoch."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, default_collate

from avfake.dataset.clips import Clip, ClipDataset, Labels
from avfake.dataset.plans import EveryRow
from avfake.dataset.sampling import EpochSampler
from avfake.errors import AvfakeError


class Batch(NamedTuple):
    """Clips side by side.

    Attributes:
        video: uint8 [batch, 3, frames, height, width].
        audio: float32 [batch, time].
        labels: Each int64 [batch].
        sample_ids: Of the rows.
        first_frame: Where in its clip each window starts, in pictures; int64 [batch].
        pad_frames: Black pictures at the end of each; int64 [batch].
        pad_samples: Zeros at the end of each sound; int64 [batch].
    """

    video: Tensor
    audio: Tensor
    labels: Labels
    sample_ids: list[str]
    first_frame: Tensor
    pad_frames: Tensor
    pad_samples: Tensor


class ClipLoader(DataLoader[Clip]):
    """A loader of batches that knows how far it came; made by :func:`build_loader`.

    Its state may be saved after any batch, and a loader that loads it goes on with the next one. Lightning
    does so by itself.

    Attributes:
        sampler: Whose ``set_epoch`` chooses the epoch of the next pass.
    """

    sampler: EpochSampler
    batch_size: int

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """The batches of one pass; nothing is read before the first is asked for.

        Raises:
            AvfakeError: A row of the batch is broken.
        """
        start = self.sampler.start
        for number, batch in enumerate(super().__iter__(), start=1):
            if isinstance(batch, AvfakeError):
                raise batch
            self.sampler.n_drawn = start + number * self.batch_size
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Where to go on, behind the last batch given."""
        return self.sampler.state_dict()

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on where a loader of the same plan stopped."""
        self.sampler.load_state_dict(state)


def build_loader(
    dataset: ClipDataset,
    *,
    batch_size: int,
    sampler: EpochSampler | None = None,
    n_workers: int = 0,
    seed: int = 0,
    drop_last: bool = False,
) -> ClipLoader:
    """A loader over the windows of a split.

    Args:
        dataset: What is loaded.
        batch_size: Windows of a batch.
        sampler: Their order; every window once, as they stand, by default.
        n_workers: Processes that read; 0 reads in this one.
        seed: Of the workers' own generators; nothing of avfake draws from them.
        drop_last: Leave out a last batch that is not full.
    """
    return ClipLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler or EpochSampler(EveryRow(len(dataset))),
        num_workers=n_workers,
        collate_fn=collate,
        pin_memory=torch.cuda.is_available(),
        drop_last=drop_last,
        worker_init_fn=_seed_worker,
        generator=torch.Generator().manual_seed(seed),
        persistent_workers=n_workers > 0,
    )


def collate(clips: Sequence[Clip | AvfakeError]) -> Batch | AvfakeError:
    """Put clips side by side, or give the error of the first broken one."""
    whole = []
    for clip in clips:
        if isinstance(clip, AvfakeError):
            return clip
        whole.append(clip)
    batch = Batch(*default_collate(whole))  # which in a worker writes straight into shared memory
    return batch._replace(sample_ids=list(batch.sample_ids))


def scale_pictures(video: Tensor) -> Tensor:
    """Pictures of a batch as the networks take them, float32 in [0, 1]; on the device that holds them."""
    return video.float().div_(255)


def _seed_worker(number: int) -> None:
    """Give each worker random numbers of its own for whatever draws from the global generators."""
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)
