"""WaveRNN and WaveNet of the published sizes, random weights: a plain loop of one clip, and 1 to 128 clips.

All take turns in one process, round after round, and the best round of each counts, so that what else the
machine does disturbs the ratios least. Shares are of the rate at which two large matrices are multiplied.

Run from the root of the checkout: OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_autoregressive [rounds]
"""

import os
import sys
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.vocoders.wavenet import WaveNetConfig, WaveNetNetwork
from avfake.vocoders.wavernn import WaveRnnConfig, WaveRnnNetwork

N_MELS = 80
CLIPS = (1, 8, 64, 128)
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
def main(n_rounds: int) -> None:
    peak = max(matmul_rate() for _ in range(n_rounds))
    for name, network in NETWORKS.items():
        network.eval().requires_grad_(False)
        works = {("plain", 1): plain_loop(network)}
        works |= {("own", clips): own_loop(network, clips) for clips in CLIPS}
        works |= {("products", clips): bare_products(network, clips) for clips in CLIPS}
        times_s = dict.fromkeys(works, 1e9)
        for _ in range(n_rounds):
            peak = max(peak, matmul_rate())
            for key, work in works.items():
                times_s[key] = min(times_s[key], seconds_per_step(work))
        report(name, network, times_s, peak)
    print(f"large matrices: {peak / 1e9:.0f} GFLOP/s with {torch.get_num_threads()} threads")
    print(f"load average: {os.getloadavg()[0]:.1f}")


def report(name: str, network: nn.Module, times_s: dict[tuple[str, int], float], peak: float) -> None:
    plain_s = times_s["plain", 1]
    print(f"{name}: plain loop {1 / plain_s:.0f} samples/s")
    for clips in CLIPS:
        flops = 2 * max(8, clips) * sum(factor.numel() for factor in right_factors(network, clips))
        own_s, bare_s = times_s["own", clips], times_s["products", clips]
        speed, share, bound = clips / own_s, flops / own_s / peak, flops / bare_s / peak
        text = f"  {clips:3} clips: {speed:6.0f} samples/s, {speed * plain_s:5.1f} times as many; "
        print(text + f"{share:3.0%} of the matrix rate, its products alone {bound:3.0%}")


def seconds_per_step(step: Callable[[int], None]) -> float:
    step(0)
    start, n_steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < STEPS_S:
        n_steps += 1
        step(n_steps)
    return spent / n_steps


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


def features(network: nn.Module) -> int:
    return N_MELS + getattr(network.config, "aux_channels", 0)


def plain_loop(network: nn.Module) -> Callable[[int], None]:
    """One clip, one module call after the other, as the repositories generate."""
    advance = PlainWaveRnn(network) if isinstance(network, WaveRnnNetwork) else PlainWaveNet(network)
    draw = draw_class if network.config.output == "softmax" else draw_from_mixture
    conditioning = torch.rand(64, 1, features(network))
    samples = [torch.zeros(1, 1)]

    @torch.inference_mode(False)
    @torch.no_grad()
    def step(number: int) -> None:
        samples.append(draw(advance(samples.pop(), conditioning[number % 64])))

    return step


def draw_class(outputs: Tensor) -> Tensor:
    drawn = torch.distributions.Categorical(functional.softmax(outputs, dim=1)).sample()
    return 2 * drawn.float()[:, None] / (outputs.shape[1] - 1) - 1


def draw_from_mixture(outputs: Tensor) -> Tensor:
    logits, means, log_scales = outputs.chunk(3, dim=1)
    uniform = torch.empty_like(logits).uniform_(1e-5, 1 - 1e-5)
    chosen = functional.one_hot((logits - torch.log(-torch.log(uniform))).argmax(dim=1), logits.shape[1])
    mean, log_scale = (means * chosen).sum(dim=1), (log_scales * chosen).sum(dim=1)
    uniform = torch.empty_like(mean).uniform_(1e-5, 1 - 1e-5)
    drawn = mean + log_scale.exp() * (torch.log(uniform) - torch.log(1 - uniform))
    return drawn.clamp(-1, 1)[:, None]


class PlainWaveRnn:
    def __init__(self, network: WaveRnnNetwork) -> None:
        self.network = network
        self.cells = [self.cell(gru) for gru in (network.rnn1, network.rnn2)]
        self.states = [torch.zeros(1, network.config.rnn_channels) for _ in self.cells]

    @staticmethod
    def cell(gru: nn.GRU) -> nn.GRUCell:
        cell = nn.GRUCell(gru.input_size, gru.hidden_size)
        weights = [tensor.clone() for tensor in gru.all_weights[0]]
        cell.load_state_dict(
            dict(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), weights, strict=True))
        )
        return cell

    def __call__(self, sample: Tensor, conditioning: Tensor) -> Tensor:
        network = self.network
        mel, *aux = conditioning.split([N_MELS] + [network.config.aux_channels // 4] * 4, dim=1)
        hidden = network.I(torch.cat([sample, mel, aux[0]], dim=1))
        self.states[0] = self.cells[0](hidden, self.states[0])
        hidden = hidden + self.states[0]
        self.states[1] = self.cells[1](torch.cat([hidden, aux[1]], dim=1), self.states[1])
        hidden = hidden + self.states[1]
        hidden = functional.relu(network.fc1(torch.cat([hidden, aux[2]], dim=1)))
        return network.fc3(functional.relu(network.fc2(torch.cat([hidden, aux[3]], dim=1))))


class PlainWaveNet:
    def __init__(self, network: WaveNetNetwork) -> None:
        self.network = network
        self.first, *self.last = map(linear, (network.first_conv, *network.last_conv_layers[1::2]))
        self.layers = [[linear(conv) for conv in layer.children()] for layer in network.layers]
        spans = [(network.config.kernel_size - 1) * dilation + 1 for dilation in network.config.dilations]
        self.heard = [torch.zeros(1, span, network.config.residual_channels) for span in spans]

    def __call__(self, sample: Tensor, mel: Tensor) -> Tensor:
        config = self.network.config
        if config.output == "softmax":
            number = ((sample[:, 0] + 1) / 2 * (config.n_classes - 1)).round().long()
            sample = functional.one_hot(number, config.n_classes).float()
        hidden, skips = self.first(sample), torch.zeros(1, config.skip_channels)
        for place, ((conv, of_mel, out, skip), dilation) in enumerate(
            zip(self.layers, config.dilations, strict=True)
        ):
            self.heard[place] = torch.cat([self.heard[place][:, 1:], hidden[:, None]], dim=1)
            taps = self.heard[place][:, ::dilation].transpose(1, 2).flatten(1)
            signal, gate = (conv(taps) + of_mel(mel)).chunk(2, dim=1)
            gated = signal.tanh() * gate.sigmoid()
            skips = skips + skip(gated)
            hidden = (hidden + out(gated)) * 0.5**0.5
        hidden = functional.relu(skips * len(self.layers) ** -0.5)
        return self.last[1](functional.relu(self.last[0](hidden)))


def linear(conv: nn.Conv1d) -> nn.Linear:
    """A convolution over as many steps as its kernel is long, once."""
    layer = nn.Linear(conv.weight[0].numel(), len(conv.weight), bias=conv.bias is not None)
    layer.load_state_dict(
        {"weight": conv.weight.flatten(1), **({"bias": conv.bias} if conv.bias is not None else {})}
    )
    return layer


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
