"""Frames and sound into one mp4 file, both starting at zero."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from avfake.files import whole_file

_VIDEO_OPTIONS = {"crf": "18", "preset": "veryfast"}


def write_mp4(path: Path, frames: np.ndarray, waveform: np.ndarray, *, fps: int, sample_rate: int) -> None:
    """Encode H.264 and AAC; the same input gives the same bytes.

    Args:
        path: Of the file; it appears whole or not at all.
        frames: uint8 [frames, height, width, 3], height and width even.
        waveform: float32 [time] in [-1, 1].
        fps: Frames per second.
        sample_rate: Of the waveform, in Hz.
    """
    with (
        whole_file(path) as temporary,
        av.open(str(temporary), "w", format="mp4", options={"fflags": "+bitexact"}) as file,
    ):
        video = file.add_stream("libx264", rate=fps, options=_VIDEO_OPTIONS)
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.thread_count = 1  # more threads cut the picture differently on each machine
        audio = file.add_stream("aac", rate=sample_rate, layout="mono", bit_rate=96_000)
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        sound = av.AudioFrame.from_ndarray(waveform[None].astype(np.float32), format="fltp", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = sample_rate, 0, Fraction(1, sample_rate)
        file.mux(audio.encode(sound))
        file.mux(audio.encode(None))
