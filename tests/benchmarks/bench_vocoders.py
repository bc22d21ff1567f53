"""Vocoders that make all samples in one pass: avfake beside the loop of one clip that their repositories run.

The plain loop has one process, two threads, and each clip whole; avfake works as ``avfake vocode`` does, two
processes of one thread each; then eight plain clips of 2 s at once. All have the same random weights and take
turns, round after round. Prints a table; a share is of the rate at which two threads multiply matrices of
1024 x 1024 in the same round, and operations are those of the plain network, so fewer for the same sound
count as speed.

Run from the root of the checkout: python -m tests.benchmarks.bench_vocoders [--rounds 3] [--only melgan ...]
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from avfake.vocoders.base import MelVocoder
from avfake.vocoders.noise import clip_noise
from avfake.vocoders.registry import load_vocoder
from tests.benchmarks.plain_networks import PlainHiFiGan, PlainMelGan, PlainParallelWaveGan

JOBS = 2
SHORT_S, LONG_S = 3, 10
N_TOGETHER, TOGETHER_S = 8, 2
TOLERANCE = 1e-4  # of the loudest sample
Array = np.ndarray


class Subject(NamedTuple):
    """A network, and how many clips it gets: few for a slow one, and as much sound for each process."""

    card: str
    plain: Callable[[], nn.Module]
    n_long: int
    n_short: int


def hifigan_v3() -> PlainHiFiGan:
    return PlainHiFiGan((8, 8, 4), (3, 5, 7), ((1, 2), (2, 6), (3, 12)), channels=256, short=True)


SUBJECTS = {
    "melgan": Subject("melgan.multi-speaker", PlainMelGan, 2, 4),
    "hifigan-v1": Subject("hifigan.universal-v1", PlainHiFiGan, 1, 3),
    "hifigan-v3": Subject("hifigan.vctk-v3", hifigan_v3, 2, 4),
    "parallel-wavegan": Subject("parallel-wavegan.ljspeech-v1", PlainParallelWaveGan, 1, 3),
}


class Round(NamedTuple):
    """Seconds of sound made per second by each way, and the floating-point operations of matrices."""

    plain: float
    own: float
    together: float
    matmul_rate: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    chosen = parser.parse_args()
    torch.set_num_threads(JOBS)
    began_s = time.perf_counter()
    print("| vocoder | GFLOP per s of sound | plain loop, s/s | avfake, s/s | ratio (all rounds) ", end="")
    print("| 8 plain clips at once, ratio | GFLOP/s, plain | avfake | share of matrices' | avfake's |")
    print("|---" * 10 + "|")
    rates = []
    for name in chosen.only:
        rounds, flops = measure(SUBJECTS[name], chosen.rounds)
        rates += [one.matmul_rate for one in rounds]
        print_row(name, rounds, flops)
    spent_s, load = time.perf_counter() - began_s, os.getloadavg()[0]
    print(f"matrices: {gflop(rates)} GFLOP/s, from {gflop([min(rates)])} to {gflop([max(rates)])}; ", end="")
    print(f"load average {load:.1f}; {spent_s:.0f} s in all")


@torch.no_grad()
def measure(subject: Subject, n_rounds: int) -> tuple[list[Round], float]:
    """The rounds, and the operations of the plain network per second of sound."""
    vocoder = load_vocoder(subject.card, weights=False, accelerator="cpu")
    plain = plain_network(subject, vocoder)
    clips = [draw_mel(vocoder, LONG_S, seed) for seed in range(subject.n_long)]
    clips += [draw_mel(vocoder, SHORT_S, 100 + seed) for seed in range(subject.n_short)]
    check(plain, vocoder, clips[0])
    together = torch.cat([draw_mel(vocoder, TOGETHER_S, seed) for seed in range(N_TOGETHER)])
    with FlopCounterMode(display=False) as counter:
        plain(clips[0])
    flops = counter.get_total_flops() / seconds_of(vocoder, clips[:1])
    total_s, batch_s = seconds_of(vocoder, clips), N_TOGETHER * seconds_of(vocoder, [together])
    rounds = []
    with ProcessPoolExecutor(JOBS, get_context("spawn"), start_worker, (subject.card,)) as pool:
        list(pool.map(vocode, [clips[-1].numpy()] * 2 * JOBS))  # until all have loaded
        for _ in range(n_rounds):
            plain_s = seconds(lambda: [plain(clip) for clip in clips])
            own_s = seconds(lambda: list(pool.map(vocode, [clip.numpy() for clip in clips])))
            together_s = seconds(lambda: plain(together))
            rounds.append(Round(total_s / plain_s, total_s / own_s, batch_s / together_s, matmul_rate()))
    return rounds, flops


def plain_network(subject: Subject, vocoder: MelVocoder) -> nn.Module:
    """The plain network with the vocoder's weights."""
    plain = subject.plain()
    plain.load_state_dict({key: value.contiguous() for key, value in vocoder.network.state_dict().items()})
    plain.finish()
    return plain.eval()


def check(plain: nn.Module, vocoder: MelVocoder, mel: Tensor) -> None:
    """See that both make the same sound."""
    made = vocoder(mel)[0]
    noisy = isinstance(plain, PlainParallelWaveGan)
    noise = [clip_noise(mel, (1, mel.shape[2] * vocoder.mel.hop_length))] if noisy else []
    wanted = plain(mel, *noise)[0, 0, : len(made)]
    error = float((made - wanted).abs().max() / wanted.abs().max())
    if not error <= TOLERANCE:
        raise SystemExit(f"{vocoder.name}: differs from the plain network by {error:.1e} of the loudest")


def draw_mel(vocoder: MelVocoder, length_s: int, seed: int) -> Tensor:
    """Noise in the place of a Mel, [1, n_mels, mel_frames]."""
    n_frames = length_s * vocoder.mel.sample_rate // vocoder.mel.hop_length
    return torch.randn(1, vocoder.mel.n_mels, n_frames, generator=torch.Generator().manual_seed(seed))


def seconds_of(vocoder: MelVocoder, clips: Sequence[Tensor]) -> float:
    hop_s = vocoder.mel.hop_length / vocoder.mel.sample_rate
    return sum(clip.shape[2] for clip in clips) * hop_s


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def matmul_rate() -> float:
    """Floating-point operations per second of 1024 x 1024 matrices, the best of twenty products."""
    left, right, result = torch.randn(3, 1024, 1024).unbind()
    return 2 * 1024**3 / min(seconds(lambda: torch.mm(left, right, out=result)) for _ in range(20))


def start_worker(card: str) -> None:
    global worker_vocoder  # each process has its own
    torch.set_num_threads(1)
    worker_vocoder = load_vocoder(card, weights=False, accelerator="cpu")


def vocode(mel: Array) -> Array:
    return worker_vocoder(torch.from_numpy(mel)).numpy()


def print_row(name: str, rounds: Sequence[Round], flops: float) -> None:
    plain, own = [one.plain for one in rounds], [one.own for one in rounds]
    ratios = sorted(one.own / one.plain for one in rounds)
    together = statistics.median(one.together / one.plain for one in rounds)
    spread = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    shares = [
        statistics.median(flops * speed / one.matmul_rate for speed, one in zip(speeds, rounds, strict=True))
        for speeds in (plain, own)
    ]
    print(
        f"| {name} | {flops / 1e9:.1f} | {statistics.median(plain):.2f} | {statistics.median(own):.2f} ",
        end="",
    )
    print(f"| {statistics.median(ratios):.2f} ({spread}) | {together:.2f} ", end="")
    print(
        f"| {gflop([flops * speed for speed in plain])} | {gflop([flops * speed for speed in own])} ", end=""
    )
    print(f"| {shares[0]:.0%} | {shares[1]:.0%} |", flush=True)


def gflop(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates) / 1e9:.0f}"


if __name__ == "__main__":
    main()
