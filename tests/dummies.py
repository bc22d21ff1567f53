"""Media made on the spot: tones, speech-like sound, small videos with sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]


def tone(frequency_hz: float, duration_s: float, sample_rate: int = 22_050, peak: float = 0.5) -> Waveform:
    time_s = np.arange(round(duration_s * sample_rate)) / sample_rate
    return (peak * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def speech_like(duration_s: float, sample_rate: int = 22_050, seed: int = 0) -> Waveform:
    """Harmonics of a gliding pitch under a syllable envelope, silent at both ends, with a little noise."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(duration_s * sample_rate)) / sample_rate
    pitch_hz = 120 + 30 * np.sin(2 * np.pi * 0.7 * time_s + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate
    voice = sum(np.sin(k * phase + rng.uniform(0, 6)) / k**1.2 for k in range(1, 40))
    envelope = np.clip(np.sin(2 * np.pi * 3.1 * time_s + rng.uniform(0, 6)), 0, 1) ** 0.5
    envelope *= (time_s > 0.15) & (time_s < duration_s - 0.15)
    noise = 0.0008 * rng.standard_normal(len(time_s))
    return (0.15 * voice * envelope + noise).astype(np.float32)


def clicks(times_s: list[float], duration_s: float, sample_rate: int) -> Waveform:
    waveform = np.zeros(round(duration_s * sample_rate), np.float32)
    waveform[[round(time_s * sample_rate) for time_s in times_s]] = 0.9
    return np.convolve(waveform, np.hanning(64), "same").astype(np.float32)


def write_clip(
    path: Path,
    sound: NDArray[np.float32] | None,
    *,
    duration_s: float = 1.0,
    sample_rate: int = 44_100,
    fps: int = 25,
    video_codec: str = "libx264",
    audio_codec: str = "aac",
    layout: str = "mono",
    size: int = 64,
) -> Path:
    """Write a grey video that brightens, with sound of [time] or [channels, time]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video_codec, rate=fps)
        pictures.width = pictures.height = size
        pictures.pix_fmt = "yuv420p"
        if sound is not None:
            track = container.add_stream(audio_codec, rate=sample_rate, layout=layout)
        for number in range(round(duration_s * fps)):
            image = np.full((size, size, 3), 40 + number % 200, np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(pictures.encode(None))
        if sound is not None:
            planes = np.ascontiguousarray(np.atleast_2d(sound), np.float32)
            frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
            codec = track.codec_context
            cutter = av.AudioResampler(codec.format, layout, sample_rate, frame_size=codec.frame_size or 1024)
            for piece in [*cutter.resample(frame), *cutter.resample(None)]:
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return path
