"""Training steps of ``tiny`` through the whole of ``avfake train``, beside bare steps on a batch in memory.

The bare step is forward and backward pass and Adam; the whole one reads its clips in the same process, goes
through Lightning, logs, and looks for NaN. Each size runs in a process of its own, so that its memory is its
own; bare steps are taken before and after. CPU seconds with one thread, which a busy machine stretches less,
plain seconds with two.

Run from the root of the checkout: python -m tests.benchmarks.bench_training [--batch 8 16 32] [--threads 1 2]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch.nn.functional import cross_entropy

from avfake.dataset.loader import Batch, scale_pictures
from avfake.manifest.schema import SPLIT_SCHEMA, Quadrant
from avfake.manifest.table import write_rows
from avfake.models.build import build_model
from avfake.training import keeper
from avfake.training.config import TrainConfig, detector_config
from avfake.training.data import ClipData, read_tables
from avfake.training.fit import train
from tests.dataset.making import make_media, make_row

STEPS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--one", action="store_true", help="measure here the one size that is given")
    chosen = parser.parse_args()
    if chosen.one:
        measure(chosen.batch[0], chosen.threads[0])
        return
    print(
        "| threads | clips | bare step, s | step in train, s | ratio | of it reading clips, s | peak, GiB |"
    )
    print("|---" * 7 + "|", flush=True)
    for threads in chosen.threads:
        for batch in chosen.batch:
            size = ["--one", "--batch", str(batch), "--threads", str(threads)]
            subprocess.run([sys.executable, "-m", "tests.benchmarks.bench_training", *size], check=True)


def measure(batch_size: int, threads: int) -> None:
    torch.set_num_threads(threads)
    now = time.process_time if threads == 1 else time.perf_counter
    keeper.perf_counter = now  # type: ignore[assignment]
    config = TrainConfig(
        split="made", detector=detector_config("tiny", []), epochs=1, batch_size=batch_size, accelerator="cpu"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_split(root, STEPS * batch_size)
        loader = iter(ClipData(read_tables(root / "splits" / "made", root), root, config).train_dataloader())
        batch = next(loader)
        reading = median(seconds(lambda: next(loader), now) for _ in range(STEPS - 1))
        step = bare_step(config, batch)
        bare = [seconds(step, now) for _ in range(STEPS)]
        report = train(root, config, run="bench")
        bare += [seconds(step, now) for _ in range(STEPS)]
    whole = report.seconds_per_step or float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"| {threads} | {batch_size} | {median(bare):.2f} | {whole:.2f} | {whole / median(bare):.2f} ", end=""
    )
    print(f"| {reading:.3f} | {peak:.1f} |", flush=True)


def bare_step(config: TrainConfig, batch: Batch) -> Callable[[], None]:
    model = build_model(config.detector)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    video = scale_pictures(batch.video)

    def step() -> None:
        logits = model(video, batch.audio)
        loss = sum(cross_entropy(x, y) for x, y in zip(logits, batch.labels, strict=True)) / 3
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def make_split(root: Path, n_rows: int) -> None:
    """A split of so many rows that share the files of eight clips of 3 s."""
    media = [make_media(root, f"clip{n}", seconds=3.0, frequency_hz=200.0 + 50 * n) for n in range(8)]
    for part, count in (("train", n_rows), ("val", 8)):
        quadrants = list(Quadrant) * -(-count // 4)
        rows = [
            make_row(f"{part}{n:05d}", quadrants[n], split=part, **media[n % len(media)])
            for n in range(count)
        ]
        rows.sort(key=lambda row: row["sample_id"])
        filled = [{name: row.get(name) for name in SPLIT_SCHEMA.names} for row in rows]
        write_rows(root / "splits" / "made" / f"{part}.parquet", filled, SPLIT_SCHEMA, {})


def seconds(work: Callable[[], object], now: Callable[[], float]) -> float:
    began = now()
    work()
    return now() - began


if __name__ == "__main__":
    main()
