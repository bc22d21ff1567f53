"""Media files for a detector to judge, and a detector that judges them, both made in a second or two."""

import copy
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from numpy.typing import NDArray

from avfake.models.build import build_model
from avfake.models.frameworks.base import Detector
from tests.faces.painted import paint_faces
from tests.training.making import SMALL

FPS = 10
SOUND_RATE = 44_100


def small_detector(framework: str = "two-plus-one", *, seed: int = 0, **overrides: Any) -> Detector:
    """A detector of random weights for windows of a second, whose probabilities are not all one half."""
    return copy.deepcopy(_made(framework, seed, **overrides))


@cache
def _made(framework: str, seed: int, **overrides: Any) -> Detector:
    torch.manual_seed(seed)
    detector = build_model(SMALL, framework=framework, **overrides).train()
    with torch.no_grad():
        for _ in range(3):  # so that batch-norms know how large features are
            detector(torch.rand(4, *detector.clip_shapes[0]), 0.1 * torch.randn(4, *detector.clip_shapes[1]))
    return detector.eval()


def film_face(path: Path, n_frames: int, sound: NDArray[np.float32] | None) -> Path:
    """Write a video of a painted face, ten pictures a second, with sound of SOUND_RATE or without."""
    pictures = paint_faces(np.linspace(0, 12, n_frames)).pictures
    return film(path, pictures, sound)


def film(path: Path, pictures: NDArray[np.uint8], sound: NDArray[np.float32] | None) -> Path:
    """Write pictures, uint8 [frames, height, width, 3], and sound, [time] of SOUND_RATE."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as file:
        video = file.add_stream("libx264", rate=FPS, options={"crf": "18"})
        video.height, video.width = pictures.shape[1:3]
        video.pix_fmt = "yuv420p"
        audio = file.add_stream("aac", rate=SOUND_RATE, layout="mono") if sound is not None else None
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if audio is not None and sound is not None:
            frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
            file.mux(audio.encode(frame))
            file.mux(audio.encode(None))
    return path
