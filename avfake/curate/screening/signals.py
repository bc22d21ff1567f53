"""What screening keeps of each clip: its mouth and its sound as small tables of whole numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from avfake.audio.activity import BANDS_PER_S, N_BANDS, speech_bands
from avfake.audio.io import load_flac
from avfake.curate.task import Outcome, Task
from avfake.faces.mouth import N_SHAPES, mouth_shapes
from avfake.faces.sync import Signal
from avfake.files import inside
from avfake.video.lossless import read_pictures
from avfake.video.sample import PICTURES_PER_S

CONFIG = {
    "pictures_per_s": PICTURES_PER_S,
    "moments_per_s": BANDS_PER_S,
    "shapes": N_SHAPES,
    "bands": N_BANDS,
}
SIGNAL_FIELDS = [
    pa.field("n_pictures", pa.int32()),
    pa.field("n_moments", pa.int32()),
    pa.field("mouth", pa.list_(pa.int16())),  # [N_SHAPES] for each picture, in hundredths
    pa.field("sound", pa.list_(pa.int16())),  # [N_BANDS] for each moment, in hundredths of a dB
]
_SCALE = 100.0
_AT_ONCE = 600  # pictures in memory


class Clip(NamedTuple):
    """What is kept of one clip.

    Attributes:
        corpus: Its corpus.
        clip_id: Its name there.
        mouth: Shapes, [pictures, N_SHAPES].
        sound: Bands in dB, [moments, N_BANDS].
    """

    corpus: str
    clip_id: str
    mouth: Signal
    sound: Signal


@dataclass(frozen=True)
class Watch:
    """Work of a stage: one clip's crops and sound in, its signals out.

    Attributes:
        root: Folder of the workspace.
    """

    root: Path

    def __call__(self, task: Task) -> Outcome:
        """Look and listen.

        Args:
            task: Its facts hold ``faces_path`` and ``audio_path``.

        Raises:
            ClipError: A file is missing or broken.
        """
        mouth = np.concatenate(list(self._shapes(inside(self.root, task.facts["faces_path"]))))
        sound = speech_bands(*load_flac(inside(self.root, task.facts["audio_path"])))
        return {
            "n_pictures": len(mouth),
            "n_moments": len(sound),
            "mouth": _whole(mouth),
            "sound": _whole(sound),
        }

    def _shapes(self, path: Path) -> Iterator[NDArray[np.float32]]:
        first, n_read = 0, _AT_ONCE
        while n_read == _AT_ONCE:
            crops = read_pictures(path, start=first, n_frames=_AT_ONCE)
            yield mouth_shapes(crops)
            first, n_read = first + _AT_ONCE, len(crops)


def read_signals(part: Path) -> Iterator[Clip]:
    """Clips of one part of the ledger that did not fail, in order."""
    table = pq.ParquetFile(part).read(["corpus", "clip_id", "status", "mouth", "sound"])
    for corpus, clip_id, status, mouth, sound in zip(*table.columns, strict=True):
        if status.as_py() == "ok":
            shapes, bands = _shaped(mouth, N_SHAPES), _shaped(sound, N_BANDS)
            yield Clip(corpus.as_py(), clip_id.as_py(), shapes, bands)


def _whole(signal: NDArray[np.float32]) -> NDArray[np.int16]:
    numbers: NDArray[np.int16] = np.rint(signal * _SCALE).astype(np.int16).ravel()
    return numbers


def _shaped(values: pa.ListScalar, n_columns: int) -> Signal:
    numbers: NDArray[np.int16] = values.values.to_numpy()
    return numbers.reshape(-1, n_columns) / _SCALE
