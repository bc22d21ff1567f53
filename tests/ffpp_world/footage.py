"""Moving pictures with their sound: people who talk to a camera, or painted heads that seem to."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from avfake.audio.decode import decode_sound
from avfake.audio.io import fit_length, resample
from avfake.media import open_media
from tests.dummies import Waveform, speech_like

FRAME_RATE = 25  # of every take
SOUND_RATE = 48_000
SIZE = (480, 270)  # width, height of every take
_PER_FRAME = SOUND_RATE // FRAME_RATE
Planes = NDArray[np.uint8]  # [1.5 * height, width], luma over both halved chromas, as FFmpeg lays them out


@dataclass(frozen=True, eq=False)
class Take:
    """One continuous shot: picture k is shown at second k / 25, when sample k * 1920 is heard."""

    name: str
    n_frames: int
    sound: Waveform  # [n_frames * 1920]
    pictures: Callable[[], list[Planes]]  # [n_frames]

    @property
    def length_s(self) -> float:
        return self.n_frames / FRAME_RATE


def real_takes(shared: Path) -> list[Take]:
    """People who talk to a camera, each clip once although some lie there twice under other names."""
    with (shared / "data" / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "talking"]
    takes: list[Take] = []
    for row in rows:
        if float(row["fps"]) == FRAME_RATE:
            take = _read_take(shared / "data" / row["path"])
            if not any(_same_sound(take, other) for other in takes):
                takes.append(take)
    return takes


def generated_takes(n_takes: int, seed: int) -> Iterator[Take]:
    """Heads that nod and speak before drifting walls, each with a voice of its own; 2.4 to 4.8 seconds."""
    for number in range(n_takes):
        rng = np.random.default_rng((seed, number))
        n_frames = int(rng.integers(60, 120))
        sound = _voice(n_frames, rng)
        yield Take(f"generated-{seed}-{number}", n_frames, sound, _Painting(n_frames, sound, (seed, number)))


def shown_at(takes: Sequence[Take], times_s: NDArray[np.float64]) -> Iterator[av.VideoFrame]:
    """Picture of the joined takes at each of the ascending times; between two of a take, a blend of both."""
    ends_s = np.cumsum([take.length_s for take in takes])
    places = np.minimum(np.searchsorted(ends_s, times_s + 1e-9, side="right"), len(takes) - 1)
    for place, take in enumerate(takes):
        within = times_s[places == place] - (ends_s[place] - take.length_s)
        pictures = take.pictures() if len(within) else []
        for position in within * FRAME_RATE:
            before = min(max(int(position + 1e-6), 0), len(pictures) - 1)
            after = min(before + 1, len(pictures) - 1)
            share = round(256 * min(max(position - before, 0.0), 1.0))
            planes = _blend(pictures[before], pictures[after], share)
            yield av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _read_take(path: Path) -> Take:
    decoded = decode_sound(path)
    sound = resample(decoded.waveform, decoded.sample_rate, SOUND_RATE)
    n_frames = len(sound) // _PER_FRAME
    return Take(path.stem, n_frames, sound[: n_frames * _PER_FRAME], _Reading(path, n_frames))


@dataclass(frozen=True)
class _Reading:
    """Decodes a file's pictures, scaled into the common frame with black beside them."""

    path: Path
    n_frames: int

    def __call__(self) -> list[Planes]:
        width, height = SIZE
        with open_media(self.path) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            graph = av.filter.Graph()
            graph.link_nodes(
                graph.add_buffer(template=stream),
                graph.add("scale", f"{width}:{height}:force_original_aspect_ratio=decrease"),
                graph.add("pad", f"{width}:{height}:-1:-1"),
                graph.add("format", "yuv420p"),
                graph.add("buffersink"),
            ).configure()
            pictures: list[Planes] = []
            for frame in container.decode(stream):
                graph.push(frame)
                pictures.append(graph.pull().to_ndarray())
                if len(pictures) == self.n_frames:
                    break
        return pictures + pictures[-1:] * (self.n_frames - len(pictures))


@dataclass(frozen=True)
class _Painting:
    """Paints a take small, and lets FFmpeg enlarge it."""

    n_frames: int
    sound: Waveform
    seed: tuple[int, int]

    def __call__(self) -> list[Planes]:
        rng = np.random.default_rng((*self.seed, 1))
        time_s = np.arange(self.n_frames)[:, None, None] / FRAME_RATE
        swings = np.sin(2 * np.pi * (rng.uniform(0.1, 1.3, (5, 3)) * time_s + rng.random((5, 3))))
        loudness = np.sqrt(np.mean(self.sound.reshape(self.n_frames, -1) ** 2, axis=1))
        y, x = np.mgrid[:45, :80]
        waves = rng.uniform(-0.3, 0.3, (4, 2))
        scaler, pictures = VideoReformatter(), []
        for (nod, turn, pan, tilt, light), opening in zip(
            swings.sum(2), 3 * loudness / loudness.max(), strict=True
        ):
            grey = 110 + 20 * sum(np.sin(a * (x + 3 * pan) + b * (y + 3 * tilt)) for a, b in waves)
            left, down = x - 40 - 1.5 * turn, y - 22 - nod
            grey[(left / 10) ** 2 + (down / 14) ** 2 < 1] = 170
            grey[((np.abs(left) - 4) / 1.5) ** 2 + ((down + 4) / 1.5) ** 2 < 1] = 40
            grey[(left / 4) ** 2 + ((down - 6) / (0.7 + opening)) ** 2 < 1] = 60
            lit = np.clip(grey + 3 * light, 16, 235).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(lit, format="gray")
            pictures.append(scaler.reformat(frame, *SIZE, "yuv420p").to_ndarray())
        return pictures


def _voice(n_frames: int, rng: np.random.Generator) -> Waveform:
    """Speech of a pitch of its own, and noise, without which any two harmonic sounds are alike."""
    n_samples = n_frames * _PER_FRAME
    rate = int(rng.integers(12_000, 24_000))  # what was spoken at 16 kHz is played at
    voice = speech_like(n_samples / SOUND_RATE * rate / 16_000, 16_000, int(rng.integers(2**31)))
    noise = rng.normal(0, 0.03, n_samples // 6).astype(np.float32)
    voice, noise = resample(voice, rate, SOUND_RATE), resample(noise, 8_000, SOUND_RATE)
    return fit_length(voice, n_samples) + fit_length(noise, n_samples)


def _same_sound(take: Take, other: Take) -> bool:
    """Whether two takes are one clip in two encodings: their loudness goes alike within 10 ms."""
    n_frames = min(take.n_frames, other.n_frames)
    if abs(take.n_frames - other.n_frames) > 2:
        return False
    first, second = (
        np.log(1e-4 + np.abs(fit_length(one.sound, n_frames * _PER_FRAME)).reshape(-1, 960).mean(1))
        for one in (take, other)
    )
    return float(np.corrcoef(first, second)[0, 1]) > 0.9


def _blend(before: Planes, after: Planes, share: int) -> Planes:
    """``share`` 256ths of the later picture, the rest of the earlier one."""
    if not share:
        return before
    mixed = before.astype(np.uint16) * (256 - share) + after.astype(np.uint16) * share
    return (mixed >> 8).astype(np.uint8)
