"""``avfake predict``: is this video real, and if not, what of it is fake, and when?"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from avfake import __version__
from avfake.accelerator import Accelerator, find_device
from avfake.dataset.sliding import Aggregation, window_starts
from avfake.errors import AvfakeError, ClipError, ErrorKind
from avfake.evaluation.inference import (
    Windows,
    join_known,
    judge,
    mendable,
    refuse_hop,
    refuse_other_clips,
    whole_by,
)
from avfake.evaluation.prediction import (
    Prediction,
    draw_prediction,
    failed_prediction,
    make_prediction,
    save_prediction,
)
from avfake.evaluation.recording import Recording, read_video
from avfake.faces.detect import FaceDetector
from avfake.faces.detect import load_detector as load_face_detector
from avfake.files import sha256_of
from avfake.models.build import load_detector
from avfake.models.frameworks.base import Detector
from avfake.models.pretrained import WEIGHTS
from avfake.progress import track

logger = logging.getLogger("avfake")
HOP_S = 1.0


@dataclass(frozen=True)
class PredictionReport:
    """What is said of all videos.

    Attributes:
        predictions: One per video, in the order in which they were given.
        folder: Where a JSON file and a picture of each lie; None where nothing was written.
    """

    predictions: tuple[Prediction, ...]
    folder: str | None

    @property
    def n_failed(self) -> int:
        """Videos of which nothing could be judged."""
        return sum(prediction.status == "failed" for prediction in self.predictions)

    def __str__(self) -> str:
        lines = [str(prediction) for prediction in self.predictions]
        return "\n".join([*lines, *([] if self.folder is None else [self.folder])])


def predict(
    videos: Sequence[Path | str],
    model: Path | str,
    *,
    out: Path | str | None = None,
    hop_s: float = HOP_S,
    aggregation: Aggregation = "mean",
    face_detector: str = "retinaface",
    batch_size: int = 8,
    workers: int = 0,
    accelerator: Accelerator = "auto",
) -> list[Prediction]:
    """Judge videos of any kind and length, window by window.

    Face and sound are taken out as for a data set, so that the detector meets what it was trained on. What
    has no sound is judged by its pictures alone, what shows no face by its sound alone, and so is a window in
    which the face is lost. A file that cannot be judged is a failed prediction, and no other file's concern.

    Args:
        videos: Paths of media files.
        model: Folder of a trained detector, such as ``runs/<run>/model``.
        out: Folder for a JSON file and a picture of each video; None writes nothing.
        hop_s: From window to window, in seconds.
        aggregation: How the probabilities of windows are joined.
        face_detector: By which the faces of the training clips were found, too.
        batch_size: Windows at a time.
        workers: Processes that find faces and sound, one video each at a time.
        accelerator: What the detector runs on.

    Raises:
        AvfakeError: The folder holds no detector, or one for other clips; or what is asked is impossible.
        StorageError: The disk is full or read-only.
    """
    if isinstance(videos, str | Path):
        raise AvfakeError(f"videos is one path, {videos}; wanted a list of paths")
    files, folder = [Path(video) for video in videos], Path(model)
    detector, device = load_detector(folder), find_device(accelerator)
    refuse_other_clips(detector.config)
    refuse_hop(hop_s, detector.config)
    _loaded(face_detector)
    facts = {
        "detector": str(folder),
        "detector_sha256": sha256_of(folder / WEIGHTS),
        "hop_s": hop_s,
        "aggregation": aggregation,
        "face_detector": face_detector,
        "avfake_version": __version__,
    }
    judge_video = _Judge(detector, device, hop_s, aggregation, batch_size)
    reader = DataLoader(
        _Videos(files, face_detector), batch_size=None, num_workers=workers, collate_fn=_as_it_is
    )
    predictions = []
    with track("predict", total=len(files)) as advance, mendable():
        for video, name, recording in zip(files, _names(files), reader, strict=True):
            prediction = judge_video(video, recording)
            if out is not None:
                _write(Path(out) / name, prediction, recording, facts)
            predictions.append(prediction)
            advance(1)
    return predictions


@dataclass(frozen=True, eq=False)
class _Judge:
    """A detector, and how it goes through a video."""

    detector: Detector
    device: torch.device
    hop_s: float
    aggregation: Aggregation
    batch_size: int

    def __call__(self, video: Path, recording: Recording | ClipError) -> Prediction:
        """What is said of a video, or why nothing can be."""
        try:
            if isinstance(recording, ClipError):
                raise recording
            return self._judge(video, recording)
        except ClipError as error:
            return failed_prediction(video, error)

    def _judge(self, video: Path, recording: Recording) -> Prediction:
        config = self.detector.config
        starts = window_starts(recording.n_frames, hop_s=self.hop_s, window_frames=config.n_frames)
        shown = recording.show_face(starts, config.n_frames)
        p = np.full((len(starts), 3), np.nan)
        for faces in (True, False):
            chosen = np.flatnonzero(shown == faces)
            if len(chosen) and (faces or recording.waveform is not None):
                p[chosen] = judge(self.detector, self._batches(recording, starts[chosen], faces), self.device)
        if np.isnan(p).all():
            raise ClipError(
                ErrorKind.FACE_LOST,
                f"no window of {config.window_s} s shows its face throughout; {' '.join(recording.notes)}",
            )
        joined = join_known(p, self.aggregation, whole_by(self.detector))
        return make_prediction(video, recording, starts, config, p, joined)

    def _batches(self, recording: Recording, starts: NDArray[np.int64], faces: bool) -> Iterator[Windows]:
        for first in range(0, len(starts), self.batch_size):
            part = starts[first : first + self.batch_size]
            yield recording.windows(part, self.detector.config, faces=faces)


class _Videos(Dataset[Recording | ClipError]):
    """What is to be judged of each video, or the error of one of which nothing can be."""

    def __init__(self, videos: Sequence[Path], face_detector: str) -> None:
        self._videos = videos
        self._face_detector = face_detector

    def __len__(self) -> int:
        return len(self._videos)

    def __getitem__(self, number: int) -> Recording | ClipError:
        try:
            return read_video(self._videos[number], _loaded(self._face_detector))
        except ClipError as error:
            return error
        except Exception as error:  # unforeseen: a failed file like any other, never the end of all
            logger.warning("%s failed unexpectedly", self._videos[number], exc_info=error)
            return ClipError(ErrorKind.INTERNAL, f"{type(error).__name__}: {error}")


def _as_it_is(recording: Any) -> Any:
    return recording


@lru_cache(maxsize=1)
def _loaded(face_detector: str) -> FaceDetector:
    """One process keeps its detector of faces."""
    return load_face_detector(face_detector)


def _write(
    path: Path, prediction: Prediction, recording: Recording | ClipError, facts: Mapping[str, Any]
) -> None:
    """The files of one video; no picture of an earlier run stays beside a failure."""
    picture, numbers = (path.with_name(path.name + suffix) for suffix in (".png", ".json"))
    if isinstance(recording, ClipError) or prediction.verdict is None:
        picture.unlink(missing_ok=True)
    else:
        draw_prediction(picture, prediction, recording)
    save_prediction(numbers, prediction, facts)


def _names(videos: Sequence[Path]) -> Iterator[str]:
    """What the files of each video are called: as it is, with a number where others are called so too."""
    taken: set[str] = set()
    for video in videos:
        names = (video.name if number == 1 else f"{video.name}-{number}" for number in count(1))
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        yield name
