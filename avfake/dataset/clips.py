"""Rows of a manifest as tensors: a window of face crops and sound, its labels, and where it is padded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from avfake.audio.io import SAMPLE_RATE
from avfake.dataset.augment import Augmentation, augment
from avfake.dataset.sliding import window_starts
from avfake.dataset.window import (
    SAMPLES_PER_FRAME,
    WINDOW_FRAMES,
    Footage,
    count_frames,
    fill_pictures,
    fill_sound,
    read_window,
)
from avfake.errors import AvfakeError, ClipError, ErrorKind
from avfake.manifest.schema import FACES_PER_S

_LABELS = ("video_label", "audio_label", "label")
_COLUMNS = ("sample_id", "corpus", "faces_path", "audio_path", "start_s", "n_samples", *_LABELS)


class Labels(NamedTuple):
    """What there is to learn, 1 fake and 0 real: int64, [] of a clip, [batch] of a batch."""

    video: Tensor
    audio: Tensor
    whole: Tensor


class Clip(NamedTuple):
    """One window of one row.

    Attributes:
        video: RGB, uint8 [3, frames, height, width]; black behind its end.
        audio: float32 [time], in [-1, 1]; zero behind its end.
        labels: Of the row.
        sample_id: Of the row.
        first_frame: Where in the clip's crops the window starts; int64 [].
        pad_frames: Black pictures at the end; int64 [].
        pad_samples: Zeros at the end of the sound; int64 [].
    """

    video: Tensor
    audio: Tensor
    labels: Labels
    sample_id: str
    first_frame: Tensor
    pad_frames: Tensor
    pad_samples: Tensor


class Draw(NamedTuple):
    """What a sampler asks for: a window of the data set, and the epoch whose random numbers change it."""

    window: int
    epoch: int


class ClipDataset(Dataset[Clip]):
    """Windows of the rows of one split.

    Attributes:
        table: The rows.
        windows: Row and offset in pictures of each window, [windows, 2].

    Args:
        table: Columns of SPLIT_SCHEMA, as ``read_split`` gives them.
        root: Data root (workspace) that its paths are relative to.
        window_frames: Length of a window, in pictures.
        hop_s: Cut rows that last longer into windows so far apart; None takes the first window alone.
        augmentation: What may happen to a clip; nothing by default.
        seed: Of the augmentation.

    Raises:
        AvfakeError: The sound of a row is not at SAMPLE_RATE.
    """

    def __init__(
        self,
        table: pa.Table,
        root: Path,
        *,
        window_frames: int = WINDOW_FRAMES,
        hop_s: float | None = None,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        _refuse_other_rates(table)
        self.table = table.combine_chunks()
        self.windows = _list_windows(table, window_frames, hop_s)
        self._root = root
        self._window_frames = window_frames
        self._augmentation = augmentation or Augmentation()
        self._seed = seed

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, draw: Draw | int) -> Clip:
        """Read one window.

        Args:
            draw: Its number, and the epoch where that is not 0.

        Raises:
            ClipError: A file of its row is missing or broken; the text names sample, corpus and path.
        """
        window, epoch = draw if isinstance(draw, tuple) else (draw, 0)
        row, offset = self.windows[window].tolist()
        facts = {name: self.table[name][row].as_py() for name in _COLUMNS}
        try:
            return self._read(facts, offset, epoch)
        except ClipError as error:
            where = f"sample {facts['sample_id']} of corpus {facts['corpus']}"
            raise ClipError(error.kind, f"{where}: {error}") from error

    def __getitems__(self, draws: Sequence[Draw | int]) -> list[Clip | AvfakeError]:
        """Read the windows of a batch, an error for that of a broken row.

        The error travels as a value, because torch makes many lines of what a worker raises.
        """
        return [self._attempt(draw) for draw in draws]

    def _attempt(self, draw: Draw | int) -> Clip | AvfakeError:
        try:
            return self[draw]
        except AvfakeError as error:
            return error

    def _read(self, facts: dict[str, Any], offset: int, epoch: int) -> Clip:
        if facts["faces_path"] is None:
            raise ClipError(
                ErrorKind.NOT_FOUND, "faces_path is empty; run avfake faces and build the split again"
            )
        first = round(facts["start_s"] * FACES_PER_S) + offset
        n_samples = min(
            facts["n_samples"] - offset * SAMPLES_PER_FRAME, self._window_frames * SAMPLES_PER_FRAME
        )
        footage = read_window(
            self._root,
            facts["faces_path"],
            facts["audio_path"],
            first=first,
            n_frames=count_frames(n_samples),
            n_samples=n_samples,
        )
        key = (self._seed, epoch, facts["sample_id"], first)
        footage = augment(footage, self._augmentation, key)
        return self._clip(footage, facts, first)

    def _clip(self, footage: Footage, facts: dict[str, Any], first: int) -> Clip:
        n_frames = self._window_frames
        return Clip(
            video=torch.from_numpy(fill_pictures(footage.pictures, n_frames)),
            audio=torch.from_numpy(fill_sound(footage.waveform, n_frames)),
            labels=Labels(*(torch.tensor(facts[name]) for name in _LABELS)),
            sample_id=facts["sample_id"],
            first_frame=torch.tensor(first),
            pad_frames=torch.tensor(max(0, n_frames - len(footage.pictures))),
            pad_samples=torch.tensor(max(0, n_frames * SAMPLES_PER_FRAME - len(footage.waveform))),
        )


def _refuse_other_rates(table: pa.Table) -> None:
    wrong = table.filter(pc.not_equal(table["sample_rate"], SAMPLE_RATE))
    if wrong.num_rows:
        raise AvfakeError(
            f"sample {wrong['sample_id'][0]} has sound of {wrong['sample_rate'][0]} Hz, "
            f"wanted {SAMPLE_RATE} Hz; build the split with this avfake"
        )


def _list_windows(table: pa.Table, window_frames: int, hop_s: float | None) -> NDArray[np.int64]:
    """Row and offset of each window, [windows, 2]."""
    if hop_s is None:
        return np.stack([np.arange(table.num_rows), np.zeros(table.num_rows, np.int64)], axis=1)
    starts = [
        window_starts(count_frames(n_samples), hop_s=hop_s, window_frames=window_frames)
        for n_samples in table["n_samples"].to_pylist()
    ]
    rows = np.repeat(np.arange(len(starts)), [len(found) for found in starts])
    return np.stack([rows, np.concatenate([np.zeros(0, np.int64), *starts])], axis=1)
