"""WaveRNN and WaveNet of the published sizes, random weights: a plain loop of one clip, and 1 to 128 clips.

First on one thread each; then on both cores: the plain loop with one thread or with two, whichever is faster,
against two processes of one thread with half of the clips each, as ``avfake vocode`` works. All take turns,
round after round, and the best round of each counts, so that what else the machine does disturbs the ratios
least. Shares are of the rate at which one thread multiplies two large matrices.

Run from the root of the checkout:
python -m tests.benchmarks.bench_autoregressive [--rounds 10] [--only "WaveRNN, mixture" ...]
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context

import torch
from torch import Tensor, nn

from avfake.vocoders.wavenet import WaveNetConfig, WaveNetNetwork
from avfake.vocoders.wavernn import WaveRnnConfig, WaveRnnNetwork
from tests.benchmarks.plain_loops import N_MELS, features, plain_loop

CLIPS = (1, 8, 64, 128)
JOBS = 2
CLIPS_OF_ALL = (64, 128)
STEPS_S = 0.2  # that each measurement lasts at least
NARROW = {"layout": "2019", "residual_channels": 128, "gate_channels": 256, "skip_channels": 128}
NETWORKS = {
    "WaveRNN, mixture": WaveRnnNetwork(WaveRnnConfig(), N_MELS),
    "WaveRNN, 9 bits": WaveRnnNetwork(WaveRnnConfig(output="softmax"), N_MELS),
    "WaveNet 2018, mixture": WaveNetNetwork(WaveNetConfig(), N_MELS),
    "WaveNet 2019, mixture": WaveNetNetwork(WaveNetConfig(**NARROW, mel_context=2), N_MELS),
    "WaveNet 2019, 8 bits": WaveNetNetwork(
        WaveNetConfig(**NARROW, mel_context=2, output="softmax", n_layers=30, n_stacks=3), N_MELS
    ),
}


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    peak = max(matmul_rate() for _ in range(chosen.rounds))
    with ProcessPoolExecutor(JOBS, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        for name in chosen.only:
            network = NETWORKS[name].eval().requires_grad_(False)
            plain = plain_loop(network)
            works = {("plain", 1): plain}
            works |= {("own", clips): own_loop(network, clips) for clips in CLIPS}
            works |= {("products", clips): bare_products(network, clips) for clips in CLIPS}
            times_s = dict.fromkeys([*works, ("plain", JOBS), *(("all", n) for n in CLIPS_OF_ALL)], 1e9)
            for _ in range(chosen.rounds):
                peak = max(peak, matmul_rate())
                found_s = {key: seconds_per_step(work) for key, work in works.items()}
                torch.set_num_threads(JOBS)
                found_s["plain", JOBS] = seconds_per_step(plain)
                torch.set_num_threads(1)
                for clips in CLIPS_OF_ALL:
                    found_s["all", clips] = seconds_of_all(pool, name, clips, found_s["own", clips])
                times_s = {key: min(time_s, found_s[key]) for key, time_s in times_s.items()}
            report(name, network, times_s, peak)
    print(f"large matrices: {peak / 1e9:.0f} GFLOP/s on one thread; load average: {os.getloadavg()[0]:.1f}")


def report(name: str, network: nn.Module, times_s: dict[tuple[str, int], float], peak: float) -> None:
    plain_s = times_s["plain", 1]
    print(
        f"{name}: plain loop {1 / plain_s:.0f} samples/s, {1 / times_s['plain', JOBS]:.0f} on {JOBS} threads"
    )
    for clips in CLIPS:
        flops = 2 * max(8, clips) * sum(factor.numel() for factor in right_factors(network, clips))
        own_s, bare_s = times_s["own", clips], times_s["products", clips]
        speed, share, bound = clips / own_s, flops / own_s / peak, flops / bare_s / peak
        text = f"  {clips:3} clips: {speed:6.0f} samples/s, {speed * plain_s:5.1f} times as many; "
        print(text + f"{share:3.0%} of the matrix rate, its products alone {bound:3.0%}")
    best_s = min(plain_s, times_s["plain", JOBS])
    for clips in CLIPS_OF_ALL:
        speed = clips / times_s["all", clips]
        text = f"  {clips:3} clips in {JOBS} processes: {speed:6.0f} samples/s, "
        print(text + f"{speed * best_s:5.1f} times the better plain loop", flush=True)


def seconds_per_step(step: Callable[[int], None]) -> float:
    step(0)
    start, n_steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < STEPS_S:
        n_steps += 1
        step(n_steps)
    return spent / n_steps


def seconds_of_all(pool: ProcessPoolExecutor, name: str, n_clips: int, step_s: float) -> float:
    """Seconds per step when every process has its share of the clips; ``step_s`` is that of one with all."""
    n_steps = round(2 * STEPS_S / step_s) + 1
    shares = [(name, n_clips // JOBS, n_steps)] * JOBS
    list(pool.map(make_steps, *zip(*shares, strict=True)))  # both are ready
    start = time.perf_counter()
    list(pool.map(make_steps, *zip(*shares, strict=True)))
    return (time.perf_counter() - start) / n_steps


@torch.inference_mode()
def make_steps(name: str, n_clips: int, n_steps: int) -> None:
    step = worker_loop(name, n_clips)
    for number in range(n_steps):
        step(number)


@lru_cache(maxsize=len(CLIPS_OF_ALL))
def worker_loop(name: str, n_clips: int) -> Callable[[int], None]:
    return own_loop(NETWORKS[name].eval().requires_grad_(False), n_clips)


def matmul_rate() -> float:
    """Floating-point operations per second of 1024 x 1024 matrices, the best of ten products."""
    left, right, result = torch.randn(3, 1024, 1024).unbind()
    best_s = 1e9
    for _ in range(10):
        start = time.perf_counter()
        torch.mm(left, right, out=result)
        best_s = min(best_s, time.perf_counter() - start)
    return 2 * 1024**3 / best_s


def own_loop(network: nn.Module, n_clips: int) -> Callable[[int], None]:
    """A step of ours; a single clip runs in eight rows, of which seven are idle."""
    n_rows = max(8, n_clips)
    n_steps = network.chunk * network.hop_length
    stepper = network.stepper(n_rows, n_steps)
    stepper.load(torch.rand(n_rows, features(network), n_steps))
    kind = stepper.distribution
    noise = kind.noise(n_rows * 64, torch.Generator().manual_seed(0)).view(64, n_rows, -1)
    sample = torch.zeros(n_rows, 1)

    def step(number: int) -> None:
        kind.draw(stepper.advance(number % n_steps, sample), noise[number % 64], sample)

    return step


def bare_products(network: nn.Module, n_clips: int) -> Callable[[int], None]:
    """The matrix products of one step and nothing else."""
    n_rows = max(8, n_clips)
    factors = right_factors(network, n_rows)
    products = [(torch.rand(n_rows, len(f)), f, torch.empty(n_rows, f.shape[1])) for f in factors]

    def step(number: int) -> None:
        for left, right, result in products:
            torch.mm(left, right, out=result)

    return step


def right_factors(network: nn.Module, n_clips: int) -> list[Tensor]:
    stepper = network.stepper(max(8, n_clips), network.chunk * network.hop_length)
    recurrent = isinstance(network, WaveRnnNetwork)
    parts = [stepper.cell1, stepper.cell2] if recurrent else stepper.layers
    return list(_factors([stepper, *parts]))


def _factors(parts: list[object]) -> Iterator[Tensor]:
    for part in parts:
        for name, value in vars(part).items():
            if name.startswith("of_") and name not in ("of_aux", "of_sample"):
                yield from value if isinstance(value, list) else [value]


if __name__ == "__main__":
    main()
