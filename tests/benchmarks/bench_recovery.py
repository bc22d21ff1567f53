"""The sound of a made FaceForensics++: how much is recovered, and how far it is from the truth.

Uploads of every frame rate are filmed, with and without gaps in their sequences, and ``avfake fetch-audio``
gets each clip's sound from them: by frame lists, by the pictures, and by frame lists where an upload is there
as sound alone. Then every upload is another video than its name says, and nothing should be recovered.

Run: python tests/benchmarks/bench_recovery.py [--uploads 20] [--seed 0] [--generated] [--jobs 2]
Without --generated, the talking clips of $AVFAKE_SHARED (default ../shared) are what is filmed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that it runs as a file and as a module

from avfake.audio.io import load_flac
from avfake.curate.stage import read_ledger
from avfake.curate.workspace import Workspace
from avfake.manifest.splits import ffpp_sequences
from tests.ffpp_world import FILM, NTSC, Case, Take, Truth, World, build_world, generated_takes, real_takes

RATES = {"25": Fraction(25), "30": Fraction(30), "29.97": NTSC, "23.976": FILM, "uneven": None}
METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter")
WRONG_MS = 20.0  # half a picture at 25 Hz


class Way(NamedTuple):
    """How clips are aligned, and what is there of their uploads."""

    name: str
    align: str
    pictures: str | None = "pictures.mp4"


WAYS = (Way("lists", "frames"), Way("pictures", "visual"), Way("lists, no pictures", "frames", None))


class Result(NamedTuple):
    """What came of one clip; the error is the largest of its seconds and of its length, NaN without sound."""

    truth: Truth
    status: str  # ok, or why it has no sound
    message: str
    error_ms: float
    seconds_ms: Sequence[float] = ()  # error of each second in which somebody speaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--uploads", type=int, default=20, help="made higher where it is odd")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--generated", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = draw_cases(chosen.uploads + chosen.uploads % 2, chosen.seed)
        world = build_world(folder, find_takes(chosen.generated, chosen.seed), cases, seed=chosen.seed)
        n_frames = np.mean([len(truth.numbers) for truth in world.clips.values()])
        print(f"{len(cases)} uploads, {len(world.clips)} clips of {n_frames:.0f} frames on average")
        print_head()
        for way in WAYS:
            print_table(way, recover(world, folder, way, chosen.jobs))
        for way in (Way("auto", "auto"), Way("visual", "visual")):
            print_accepted(way, recover(world, folder, way, chosen.jobs, swap=True))


def draw_cases(n_uploads: int, seed: int) -> list[Case]:
    """Every frame rate with and without gaps; what else varies does so across them."""
    rng = np.random.default_rng(seed)
    ids = sorted({sequence.youtube_id for sequence in ffpp_sequences().values()})
    cases = []
    for number, place in enumerate(rng.permutation(len(ids))[:n_uploads]):
        rate = list(RATES.values())[number % len(RATES)]
        turn = number // len(RATES)
        cases.append(
            Case(
                ids[place],
                rate,
                rounded=bool(rng.integers(2)),
                gaps=turn % 2 == 1,
                methods=(METHODS[number % 5], METHODS[(number + 2) % 5]),
                quality="c40" if turn % 4 >= 2 else "c23",
                length_s=float(rng.uniform(20, 70)),
                late=int(rng.choice([0, 0, 3])),
                n_takes=int(rng.integers(1, 4)),
            )
        )
    return cases


def find_takes(generated: bool, seed: int) -> list[Take]:
    """What is filmed."""
    if generated:
        return list(generated_takes(60, seed))
    return real_takes(Path(os.environ.get("AVFAKE_SHARED", Path(__file__).parents[3] / "shared")))


def recover(world: World, folder: Path, way: Way, jobs: int, *, swap: bool = False) -> list[Result]:
    """Run the real commands in a workspace of their own, and hold what they leave against the truth."""
    name = f"{way.name}-{'wrong' if swap else 'right'}".replace(", ", "-").replace(" ", "-")
    workspace = Workspace(folder / name)
    uploads = world.lay_out(folder / f"uploads-{name}", pictures=way.pictures, swap=swap)
    run("index", "ffpp", world.root, "--workspace", workspace.root, "--jobs", jobs)
    started_s = time.perf_counter()
    run(
        *("fetch-audio", "ffpp", "--workspace", workspace.root, "--jobs", jobs),
        *("--audio-from-dir", uploads, "--align", way.align),
    )
    print(f"# {name}: {time.perf_counter() - started_s:.1f} s", file=sys.stderr)
    rows = {row["clip_id"]: row for row in read_ledger(workspace.ledger("audio"), "ffpp")}
    return [judge(truth, rows[clip_id], workspace) for clip_id, truth in world.clips.items()]


def run(*arguments: object) -> None:
    """Run avfake; rows that fail are results here."""
    command = [sys.executable, "-m", "avfake", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode not in {0, 3}:
        sys.exit(f"{' '.join(command)}: exit {result.returncode}\n{result.stderr}")


def judge(truth: Truth, row: dict[str, object], workspace: Workspace) -> Result:
    """Hold what the ledger has of a clip against the truth."""
    if row["status"] != "ok":
        return Result(truth, str(row["error_kind"]), str(row["error"]), np.nan)
    waveform, sample_rate = load_flac(workspace.root / str(row["audio_path"]))
    errors_ms = np.abs(truth.errors_ms(waveform, sample_rate))
    wanted_s = len(truth.numbers) / truth.frame_rate
    too_long_ms = 1000 * abs(len(waveform) / sample_rate - wanted_s) if truth.case.rate else 0.0
    return Result(truth, "ok", "", max(too_long_ms, *errors_ms), errors_ms.tolist())


def print_head() -> None:
    print(f"{'by':20}{'rate':>8}{'gaps':>6}  {'clip':10}{'n':>4}{'found':>7}", end="")
    print(f"{'median':>9}{'95 %':>9}{'max ms':>9}{f'> {WRONG_MS:.0f} ms':>9}  not found because")


def print_table(way: Way, results: Sequence[Result]) -> None:
    """One line for each rate, with gaps and without, of originals and of fakes; then all together."""
    for name, rate in RATES.items():
        for gaps in (False, True):
            for kind in ("original", "fake"):
                group = [result for result in results if cell(result) == (rate, gaps, kind)]
                print_line(way, name, "yes" if gaps else "no", kind, group)
    for quality in ("c23", "c40"):
        print_line(way, "all", "", quality, [one for one in results if one.truth.case.quality == quality])
    uncut = [result for result in results if result.truth.case.n_takes == 1]
    print_line(way, "all", "", "one take", uncut)
    print_line(way, "all", "", "all", results)
    seconds = [Result(one.truth, "ok", "", error) for one in results for error in one.seconds_ms]
    print_line(way, "all", "", "seconds", seconds)
    for result in results:
        if result.error_ms > WRONG_MS:
            print(f"  wrong by {result.error_ms:.0f} ms: {result.truth.clip_id}, {result.truth.case}")
        elif result.status != "ok":
            print(f"  not found: {result.truth.clip_id}: {result.message}")


def cell(result: Result) -> tuple[Fraction | None, bool, str]:
    """Where in the table a clip stands."""
    case, is_original = result.truth.case, result.truth.clip_id.startswith("youtube")
    return case.rate, case.gaps, "original" if is_original else "fake"


def print_line(way: Way, rate: str, gaps: str, kind: str, group: Sequence[Result]) -> None:
    if not group:
        return
    errors = np.array([result.error_ms for result in group if result.status == "ok"])
    print(f"{way.name:20}{rate:>8}{gaps:>6}  {kind:10}{len(group):4}{len(errors):7}", end="")
    if len(errors):
        quantiles = np.quantile(errors, [0.5, 0.95, 1], method="higher")
        print("".join(f"{value:9.2f}" for value in quantiles) + f"{np.sum(errors > WRONG_MS):9}", end="")
    print("  " + reasons(group))


def print_accepted(way: Way, results: Sequence[Result]) -> None:
    accepted = [result for result in results if result.status == "ok"]
    print(
        f"other videos under each id, --align {way.align}: {len(accepted)} of {len(results)} accepted", end=""
    )
    print(f" ({', '.join(result.truth.clip_id for result in accepted) or reasons(results)})")


def reasons(group: Iterable[Result]) -> str:
    counts = Counter(result.status for result in group if result.status != "ok")
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())


if __name__ == "__main__":
    main()
