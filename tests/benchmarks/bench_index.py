"""``index dfdc`` on a tree of empty files, without probing: seconds and peak memory.

Run from the root of the checkout: python -m tests.benchmarks.bench_index [clips]
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from avfake.curate.index import index
from avfake.curate.workspace import Workspace

N_PARTS = 50


def main(n_clips: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_tree(Path(folder) / "dfdc", n_clips)
        start = time.perf_counter()
        report = index(Workspace(Path(folder) / "data"), "dfdc", Path(folder) / "dfdc", probe=False)
        seconds = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"index: {report.n_rows} rows in {seconds:.1f} s, peak {peak_mib:.0f} MiB")


def make_tree(root: Path, n_clips: int) -> None:
    """One real clip in six, and five fakes of it, in parts as DFDC has them."""
    for part in range(N_PARTS):
        folder = root / f"dfdc_train_part_{part}"
        folder.mkdir(parents=True)
        entries = {}
        for number in range(part * n_clips // N_PARTS, (part + 1) * n_clips // N_PARTS):
            real = number // 6 * 6
            original = f"c{real:09d}.mp4"
            name = f"c{number:09d}.mp4"
            fake = {"label": "FAKE", "split": "train", "original": original}
            entries[name] = {"label": "REAL", "split": "train"} if number == real else fake
            (folder / name).write_bytes(b"x")
        (folder / "metadata.json").write_text(json.dumps(entries))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 128_000)
