"""Training steps of a detector: forward and backward pass beside its convolutions run bare.

Each convolution of the model runs alone, forward and backward, on numbers of the same shape: once as the
model runs it (a convolution over time as one of two axes), once as torch's own of three axes. The model, its
convolutions, and torch's take turns, round after round. Prints a table; times are CPU seconds with one
thread, which a busy machine stretches less, and plain seconds with several. Ratios are of each round.

Run from the root of the checkout:
    python -m tests.benchmarks.bench_detector [--preset tiny] [--batch 8 16] [--threads 1] [--rounds 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from avfake.models import PRESETS, Detector, build_model
from avfake.models.streams.video import TimeConv


class Bare(NamedTuple):
    """A convolution, an input of the size it gets in the model, and a gradient of its output's size."""

    conv: nn.Module
    features: Tensor
    gradient: Tensor

    def run(self) -> None:
        weights = list(self.conv.parameters())
        inputs = [self.features, *weights] if self.features.requires_grad else weights
        torch.autograd.grad(self.conv(self.features), inputs, self.gradient)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="tiny")
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--channels-last", action="store_true", help="weights and features channels last")
    parser.add_argument("--recompute", action="store_true", help="keep little, compute it again")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    model = build_model(chosen.preset)
    if chosen.channels_last:
        model.to(memory_format=torch.channels_last_3d)
    model.recompute = chosen.recompute
    print(f"{chosen.preset}: {sum(x.numel() for x in model.parameters())} parameters; {gmac(model):.3f} GMAC")
    print(
        "| clips | step, s | of these forward | its convolutions bare | torch's | step / its own (rounds) ",
        end="",
    )
    print("| step / torch's (rounds) | kept, MB a clip |")
    print("|---" * 8 + "|")
    for n_clips in chosen.batch:
        measure(model, n_clips, chosen.rounds)


def measure(model: Detector, n_clips: int, n_rounds: int) -> None:
    clips = [torch.rand(n_clips, *shape) for shape in model.clip_shapes]
    labels = torch.arange(n_clips) % 2
    own = bare_convolutions(model, clips)
    torchs = [Bare(torch_conv(bare.conv), bare.features, bare.gradient) for bare in own]
    forwards: list[float] = []

    def step() -> None:
        began = now()
        loss = sum(nn.functional.cross_entropy(logits, labels) for logits in model(*clips))
        forwards.append(now() - began)
        model.zero_grad()
        loss.backward()

    kept = kept_bytes(step) / n_clips / 1e6
    ways: list[Callable[[], object]] = [
        step,
        lambda: [bare.run() for bare in own],
        lambda: [bare.run() for bare in torchs],
    ]
    for way in ways[1:]:
        way()
    forwards.clear()
    rounds = [[seconds(way) for way in ways] for _ in range(n_rounds)]
    times = [statistics.median(column) for column in zip(*rounds, strict=True)]
    print(f"| {n_clips} | {times[0]:.2f} | {statistics.median(forwards):.2f} ", end="")
    print(f"| {times[1]:.2f} | {times[2]:.2f} ", end="")
    print(f"| {ratios([one[0] / one[1] for one in rounds])} ", end="")
    print(f"| {ratios([one[0] / one[2] for one in rounds])} | {kept:.0f} |", flush=True)


def bare_convolutions(model: Detector, clips: Sequence[Tensor]) -> list[Bare]:
    """Every convolution of the model, with what it takes and gives in a training step."""
    found: list[Bare] = []

    def note(conv: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        features = torch.randn_like(inputs[0]).requires_grad_(inputs[0].requires_grad)
        found.append(Bare(conv, features, torch.randn_like(output)))

    convs = [conv for conv in model.modules() if isinstance(conv, nn.Conv1d | nn.Conv3d)]
    hooks = [conv.register_forward_hook(note) for conv in convs]
    model(*clips)
    for hook in hooks:
        hook.remove()
    return found


def torch_conv(conv: nn.Module) -> nn.Module:
    """The same convolution as torch runs it."""
    if not isinstance(conv, TimeConv):
        return conv
    plain = nn.Conv3d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, bias=False
    )
    plain.weight = conv.weight
    return plain


def kept_bytes(step: Callable[[], None]) -> int:
    """Bytes that one step keeps for its gradients, weights included once."""
    sizes: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        sizes[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        step()
    return sum(sizes.values())


def gmac(model: Detector) -> float:
    """Billions of multiplications with addition that one clip takes in one forward pass."""
    clip = [torch.zeros(1, *shape) for shape in model.clip_shapes]
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*clip)
    model.train()
    return counter.get_total_flops() / 2e9


def now() -> float:
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def seconds(work: Callable[[], object]) -> float:
    began = now()
    work()
    return now() - began


def ratios(found: Sequence[float]) -> str:
    return f"{statistics.median(found):.2f} ({', '.join(f'{x:.2f}' for x in sorted(found))})"


if __name__ == "__main__":
    main()
