"""What is said of one video: the verdict, the probabilities behind it, and how they run over its time."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from avfake.errors import ClipError, one_line
from avfake.evaluation.recording import Recording
from avfake.evaluation.scores import HEADS, THRESHOLD, Floats
from avfake.files import write_bytes
from avfake.manifest.schema import FACES_PER_S
from avfake.models.config import DetectorConfig
from avfake.models.frameworks.base import Probabilities
from avfake.models.verdict import Verdict, verdicts
from avfake.reporting.timeline import Timeline, draw_timeline


@dataclass(frozen=True)
class Window:
    """Probabilities of being fake in a window of a video; None for what was not judged.

    Attributes:
        start_s: After the first frame of the video.
        end_s: After the first frame of the video.
        p_video: Of the pictures.
        p_audio: Of the sound.
        p_whole: Of the two together.
    """

    start_s: float
    end_s: float
    p_video: float | None
    p_audio: float | None
    p_whole: float | None


@dataclass(frozen=True)
class Prediction:
    """What a detector says of one video.

    Attributes:
        video: Path of the file, as it was given.
        status: ``ok``, or ``failed`` when nothing of it could be judged.
        verdict: On the whole of it; None when it failed.
        p_video: Probability that the pictures are fake, windows joined; None when they were not judged.
        p_audio: That the sound is; None when it was not judged.
        p_whole: That either is, the sound alone where the face is lost; None when not both were judged.
        duration_s: Of what was judged.
        windows: In the order of time.
        notes: What was not judged, and why.
        error_kind: Why it failed.
        error: Why it failed, in words.
    """

    video: str
    status: str
    verdict: Verdict | None = None
    p_video: float | None = None
    p_audio: float | None = None
    p_whole: float | None = None
    duration_s: float = 0.0
    windows: tuple[Window, ...] = ()
    notes: tuple[str, ...] = ()
    error_kind: str | None = None
    error: str | None = None

    @property
    def words(self) -> str:
        """The verdict; one on a part of a video says so."""
        if self.verdict is None:
            return "not judged"
        all_of_it = all(window.p_whole is not None for window in self.windows)
        return self.verdict if all_of_it else f"{self.verdict}, as far as judged"

    @property
    def numbers(self) -> str:
        """What the verdict stands on."""
        found = [(head, getattr(self, f"p_{head}")) for head in HEADS]
        known = [f"{head} {p:.2f}" for head, p in found if p is not None]
        n_windows = f"{len(self.windows)} window{'s' * (len(self.windows) > 1)}"
        return ", ".join([*known, f"{n_windows} in {self.duration_s:.1f} s"])

    def __str__(self) -> str:
        if self.verdict is None:
            return f"{self.video}: not judged: {self.error}"
        return "\n  ".join([f"{self.video}: {self.words} ({self.numbers})", *self.notes])


def failed_prediction(video: Path, error: ClipError) -> Prediction:
    """A video of which nothing could be judged."""
    return Prediction(_readable(video), "failed", error_kind=error.kind.value, error=one_line(error))


def make_prediction(
    video: Path,
    recording: Recording,
    starts: NDArray[np.int64],
    config: DetectorConfig,
    p: Floats,
    joined: Floats,
) -> Prediction:
    """Say of a video what its windows' probabilities say.

    Args:
        video: Path of the file.
        recording: What of it was judged.
        starts: First picture of each window, [windows].
        config: Of the detector.
        p: Video, audio, whole; NaN for what was not judged, [windows, 3].
        joined: The same of all windows together, [3].
    """
    duration_s = recording.duration_s
    starts_s = starts / FACES_PER_S
    ends_s = np.minimum(starts_s + config.window_s, duration_s)
    windows = [
        Window(start_s, end_s, *map(_known, values))
        for start_s, end_s, values in zip(starts_s.tolist(), ends_s.tolist(), p.tolist(), strict=True)
    ]
    p_video, p_audio, p_whole = map(_known, joined.tolist())
    return Prediction(
        _readable(video),
        "ok",
        _verdict(joined),
        p_video,
        p_audio,
        p_whole,
        duration_s=duration_s,
        windows=tuple(windows),
        notes=recording.notes,
    )


def save_prediction(path: Path, prediction: Prediction, facts: Mapping[str, Any]) -> None:
    """Write a prediction as JSON; the same one gives the same bytes.

    Args:
        path: Of the file.
        prediction: What is written.
        facts: JSON-able: which detector, and how it was asked.

    Raises:
        StorageError: The disk is full or read-only.
    """
    write_bytes(path, (json.dumps({**asdict(prediction), **facts}, indent=1) + "\n").encode())


def draw_prediction(path: Path, prediction: Prediction, recording: Recording) -> None:
    """Draw a prediction over time as PNG.

    Args:
        path: Of the file.
        prediction: One that did not fail.
        recording: What was judged.

    Raises:
        StorageError: The disk is full or read-only.
    """
    columns = {
        field.name: np.array([getattr(window, field.name) for window in prediction.windows], np.float64)
        for field in fields(Window)
    }
    timeline = Timeline(
        name=Path(prediction.video).name,
        verdict=prediction.words,
        fake=prediction.verdict is not Verdict.REAL,
        summary=prediction.numbers,
        starts_s=columns["start_s"],
        ends_s=columns["end_s"],
        p={head: p for head in HEADS if np.isfinite(p := columns[f"p_{head}"]).any()},
        crops=recording.crops,
        waveform=recording.waveform,
        duration_s=prediction.duration_s,
        threshold=THRESHOLD,
        notes=prediction.notes,
    )
    draw_timeline(path, timeline)


def _verdict(joined: Floats) -> Verdict:
    """Of all heads; or of the one that there is."""
    video, audio, whole = np.where(np.isnan(joined), 0, joined)
    whole = max(video, audio) if np.isnan(joined[2]) else whole
    (verdict,) = verdicts(Probabilities(*torch.tensor([[video], [audio], [whole]])), THRESHOLD)
    return verdict


def _readable(path: Path) -> str:
    """A path that can be printed, whatever its bytes."""
    return os.fsencode(path).decode(errors="replace")


def _known(p: float) -> float | None:
    return None if math.isnan(p) else p
