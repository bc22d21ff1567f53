"""Loading 3 s windows: the data set and its loader beside bare decoding and copying of the same files.

Wall time tells what a training step waits for; CPU time, of this process and its workers, tells what a clip
costs when the machine is busy with other things too.

Run from the root of the checkout: python -m tests.benchmarks.bench_loader [number of clips]
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import soundfile
from scipy.ndimage import zoom

from avfake.audio.io import SAMPLE_RATE, save_flac
from avfake.dataset.augment import Augmentation
from avfake.dataset.clips import ClipDataset
from avfake.dataset.loader import build_loader
from avfake.video.lossless import read_pictures, write_pictures
from tests.dataset.making import make_row, make_table
from tests.dummies import speech_like

N_FILES = 64
CLIP_S = 6.0  # so that a window is half of what the files hold
N_ROUNDS = 5
BATCH = 16
N_WORKERS = 2


def main(n_clips: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(N_WORKERS) as pool:
        root = Path(folder)
        ways = loading_ways(root, n_clips, pool)
        for way in ways.values():
            way()  # workers start, files come into the cache
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(N_ROUNDS):  # they take turns, so that whatever else the machine does slows all
            for name, way in ways.items():
                seconds[name].append(timed(way))
        print(
            f"{n_clips} windows, best of {N_ROUNDS} rounds; crops packed to {packed(root):.2f} of their size"
        )
        for name, times in seconds.items():
            wall_s, cpu_s = np.min(times, axis=0)
            print(f"{name:42} {n_clips / wall_s:6.0f} clips/s  {1000 * cpu_s / n_clips:6.2f} ms CPU per clip")


def loading_ways(root: Path, n_clips: int, pool: ProcessPoolExecutor) -> dict[str, Callable[[], None]]:
    """What is measured, by name; each loads all clips once."""
    table = make_files(root, n_clips)
    files = list(zip(table["faces_path"].to_pylist(), table["audio_path"].to_pylist(), strict=True))
    dataset = ClipDataset(table, root)
    changed = ClipDataset(table, root, augmentation=Augmentation(flip=0.5, colour=0.2, jpeg=0.1, codec=0.1))
    workers = {
        "loader, 2 workers": dataset,
        "loader, 2 workers, augmented": changed,
    }
    loaders = {
        name: build_loader(chosen, batch_size=BATCH, n_workers=N_WORKERS) for name, chosen in workers.items()
    }
    return {
        "bare pictures": partial(each, lambda file: read_pictures(root / file[0], n_frames=30), files),
        "bare sound": partial(each, lambda file: read_flac(root / file[1]), files),
        "bare decode and copy": partial(decode_and_copy, root, files),
        "data set in this process": partial(each, dataset.__getitem__, range(n_clips)),
        "loader in this process": partial(exhaust, build_loader(dataset, batch_size=BATCH)),
        "bare decode and copy in 2 processes": partial(in_two, pool, root, files),
        **{name: partial(exhaust, loader) for name, loader in loaders.items()},
    }


def make_files(root: Path, n_rows: int) -> pa.Table:
    """Clips as noisy as real crops; rows share them."""
    (root / "faces").mkdir()
    rows = []
    for number in range(N_FILES):
        rng = np.random.default_rng(number)
        write_pictures(root / f"faces/{number}.avi", filmed(rng, round(10 * CLIP_S)), fps=10)
        save_flac(root / f"audio/{number}.flac", speech_like(CLIP_S, seed=number), SAMPLE_RATE)
    for row in range(n_rows):
        facts = {"faces_path": f"faces/{row % N_FILES}.avi", "audio_path": f"audio/{row % N_FILES}.flac"}
        rows.append(make_row(f"c{row}", "real-real", n_samples=3 * SAMPLE_RATE, **facts))
    return make_table(rows)


def filmed(rng: np.random.Generator, n_frames: int) -> np.ndarray:
    """A smooth texture that drifts, under the noise of a sensor; uint8 [frames, 112, 112, 3]."""
    texture = zoom(rng.uniform(30, 220, (14, 14, 3)), (16, 16, 1), order=3)
    places = np.cumsum(rng.integers(-1, 2, (n_frames, 2)), axis=0) % 100
    pictures = np.stack([texture[y : y + 112, x : x + 112] for y, x in places])
    return np.clip(pictures + rng.normal(scale=0.5, size=pictures.shape), 0, 255).astype(np.uint8)


def packed(root: Path) -> float:
    return (root / "faces/0.avi").stat().st_size / (10 * CLIP_S * 112 * 112 * 3)


def decode_and_copy(root: Path, files: list[tuple[str, str]]) -> None:
    """What cannot be done without: decode both, and copy them into the place of a batch."""
    video = np.empty((BATCH, 30, 112, 112, 3), np.uint8)
    audio = np.empty((BATCH, 3 * SAMPLE_RATE), np.float32)
    for place, (faces, sound) in enumerate(files):
        video[place % BATCH] = read_pictures(root / faces, n_frames=30)
        audio[place % BATCH] = read_flac(root / sound)


def in_two(pool: ProcessPoolExecutor, root: Path, files: list[tuple[str, str]]) -> None:
    exhaust(pool.map(partial(decode_and_copy, root), [files[::2], files[1::2]]))


def read_flac(path: Path) -> np.ndarray:
    return soundfile.read(path, frames=3 * SAMPLE_RATE, dtype="float32")[0]


def each(work: Callable[[Any], Any], items: Iterable[Any]) -> None:
    for item in items:
        work(item)


def exhaust(clips: Iterable[Any]) -> None:
    for _ in clips:
        pass


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall_s, cpu_s = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - wall_s, cpu_seconds() - cpu_s


def cpu_seconds() -> float:
    """Of this process and of its children that live, as Linux counts it in hundredths of a second."""
    children = [
        int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()
    ]
    stats = [Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split() for pid in children]
    return time.process_time() + sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf(
        "SC_CLK_TCK"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 128)
