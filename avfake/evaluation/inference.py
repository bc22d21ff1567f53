"""A trained detector at work: what it runs on, which clips it takes, and the probabilities it gives."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avfake.dataset.loader import scale_pictures
from avfake.dataset.sliding import Aggregation, aggregate, window_starts
from avfake.dataset.window import CROP_SIZE, SAMPLES_PER_FRAME
from avfake.errors import AvfakeError, ClipError, ErrorKind, one_line
from avfake.evaluation.scores import Floats, WholeBy
from avfake.manifest.schema import FACES_PER_S
from avfake.models.config import DetectorConfig
from avfake.models.frameworks.base import Detector


class Windows(NamedTuple):
    """Windows side by side, of which one kind may be missing.

    Attributes:
        video: uint8 [windows, 3, frames, height, width]; None where there are no pictures to judge.
        audio: float32 [windows, time]; None where there is no sound to judge.
    """

    video: Tensor | None
    audio: Tensor | None


def refuse_other_clips(config: DetectorConfig) -> None:
    """Refuse a detector that was made for other clips than avfake makes.

    Raises:
        AvfakeError: It wants another rate or size, or windows that end inside a picture.
    """
    for name, found in (("frame_rate", FACES_PER_S), ("sample_rate", FACES_PER_S * SAMPLES_PER_FRAME)):
        if getattr(config, name) != found:
            raise AvfakeError(
                f"the detector wants clips with {name}={getattr(config, name)}, here they have {found}; "
                "take a detector that was trained on clips of avfake"
            )
    if config.picture_size != CROP_SIZE:
        raise AvfakeError(
            f"the detector wants pictures with picture_size={config.picture_size}, face crops have "
            f"{CROP_SIZE}; take a detector of these, which can look at fewer pixels by its picture_shrink"
        )
    if config.n_samples != config.n_frames * SAMPLES_PER_FRAME:
        raise AvfakeError(
            f"the detector wants windows of {config.window_s} s, which must be a multiple of "
            f"{1 / FACES_PER_S} s; take another detector"
        )


def refuse_hop(hop_s: float, config: DetectorConfig) -> None:
    """Refuse windows that would lie at no picture, or leave some out.

    Raises:
        AvfakeError: They would.
    """
    try:
        window_starts(config.n_frames, hop_s=hop_s, window_frames=config.n_frames)
    except (ValueError, OverflowError) as error:
        raise AvfakeError(f"--hop: {error}") from error


def whole_by(detector: Detector) -> WholeBy:
    """Where the probability of the whole comes from."""
    return "maximum" if detector.framework == "independent" else "head"


@contextmanager
def mendable() -> Iterator[None]:
    """Say in one line what a batch too large or a dead worker does.

    Raises:
        AvfakeError: That is what happened.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise AvfakeError("a batch is too large for the GPU's memory; take a smaller --batch-size") from error
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise AvfakeError(f"a worker that reads died; take fewer --workers: {one_line(error)}") from error


def judge(detector: Detector, batches: Iterable[Windows], device: torch.device) -> Floats:
    """Run a detector over windows.

    Args:
        detector: In evaluation mode.
        batches: Windows; all of one file or split have the same kinds.
        device: That it runs on.

    Returns:
        Probabilities of being fake, [windows, 3]: video, audio, whole; NaN where a kind is missing.

    Raises:
        AvfakeError: A batch is too large for the GPU, or a worker that reads clips died.
        ClipError: The detector gives NaN, or cannot judge pictures without sound.
    """
    detector = detector.to(device)
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
    with torch.inference_mode(), exact, mendable():
        found = [_judge(detector, *(x if x is None else x.to(device) for x in batch)) for batch in batches]
    probabilities = torch.cat([p for p, _ in found]).double().cpu().numpy()
    if not np.isfinite(probabilities[:, found[0][1]]).all():
        raise ClipError(ErrorKind.NOT_FINITE, "the detector gives NaN; train it again")
    return np.asarray(probabilities)


def join_windows(
    probabilities: Floats, clip: NDArray[np.int64], aggregation: Aggregation, by: WholeBy
) -> Floats:
    """Probabilities of clips from those of their windows.

    Where the whole is the maximum of the heads it is taken last, so that it passes the threshold exactly when
    a clip's own video or audio does.

    Args:
        probabilities: [windows, 3].
        clip: Number of each window's clip, [windows].
        aggregation: How windows are joined.
        by: Where the probability of the whole comes from.

    Returns:
        [clips, 3].
    """
    joined = aggregate(probabilities, clip, aggregation)
    if by == "maximum":
        joined[:, 2] = joined[:, :2].max(axis=1)
    return joined


def join_known(probabilities: Floats, aggregation: Aggregation, by: WholeBy) -> Floats:
    """Probabilities of one video from those of its windows, of which some may be of the sound alone.

    Where a window has no probability of the whole and others have, that of its sound stands for it: what is
    heard where no face is seen counts, too.

    Args:
        probabilities: Video, audio, whole; NaN for what was not judged, [windows, 3].
        aggregation: How windows are joined.
        by: Where the probability of the whole comes from.

    Returns:
        [3]; NaN for what was judged in no window.
    """
    p, unknown = probabilities.copy(), np.isnan(probabilities)
    if not unknown[:, 2].all():
        p[:, 2] = np.where(unknown[:, 2], p[:, 1], p[:, 2])
    joined = np.full(3, np.nan)
    for column in range(3):
        known = p[~np.isnan(p[:, column]), column]
        if len(known):
            joined[column] = aggregate(known, np.zeros(len(known), np.int64), aggregation)[0]
    if by == "maximum":
        joined[2] = joined[:2].max()
    return joined


def _judge(detector: Detector, video: Tensor | None, audio: Tensor | None) -> tuple[Tensor, list[int]]:
    """Probabilities of a batch, [windows, 3], and which columns hold some.

    One kind alone goes through its own stream.
    """
    if video is not None and audio is not None:
        return torch.stack(detector(scale_pictures(video), audio).probabilities(), dim=1), [0, 1, 2]
    if audio is not None:
        stream, clips, column = detector.audio, audio, 1
    elif video is not None:
        _refuse_silent(detector.config)
        stream, clips, column = detector.video, scale_pictures(video), 0
    else:
        raise ValueError("a window must hold pictures or sound")
    features = stream.stem(clips)
    for stage in stream.stages:
        features = stage(features)
    found = clips.new_full((len(clips), 3), torch.nan)
    found[:, column] = stream.head(features).float().softmax(dim=1)[:, 1]
    return found, [column]


def _refuse_silent(config: DetectorConfig) -> None:
    if config.framework == "two-plus-one" and config.attended_video == "both":
        raise ClipError(
            ErrorKind.NO_AUDIO,
            "it has no sound, without which this detector (attended_video=both) judges no pictures",
        )
