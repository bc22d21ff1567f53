"""The loop keeps rows apart, holds a bounded part of them, and does on CUDA what it does on the CPU."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from avfake.vocoders import sampling
from avfake.vocoders.distributions import Gaussian
from avfake.vocoders.sampling import Row, sample_rows
from avfake.vocoders.wavenet import WaveNetConfig, WaveNetNetwork

HOP = 4


class Echo:
    """A network that says what it is conditioned on, plus a tenth of what it heard."""

    hop_length = HOP
    context = 1
    chunk = 3

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def condition(self, mel: Tensor) -> Tensor:
        return mel[..., 1:-1].repeat_interleave(HOP, dim=2)

    def stepper(self, n_rows: int, n_steps: int) -> "EchoSteps":
        return EchoSteps(self, n_rows)


class EchoSteps:
    def __init__(self, network: Echo, n_rows: int) -> None:
        self.distribution = Gaussian(2, n_rows, torch.device("cpu"))
        self.network = network

    def reset(self) -> None:
        pass

    def load(self, conditioning: Tensor) -> None:
        self.network.shapes.append(tuple(conditioning.shape))
        self.conditioning = conditioning

    def advance(self, step: int, sample: Tensor) -> Tensor:
        said = self.conditioning[:, :1, step] + 0.1 * sample
        return torch.cat([said, torch.full_like(said, -6)], dim=1)


def rows_of(lengths: Sequence[int], *, seed: int = 0) -> list[Row]:
    torch.manual_seed(seed)
    return [
        Row(torch.rand(2, 9) - 0.5, place - 2, length, torch.Generator().manual_seed(100 * seed + place))
        for place, length in enumerate(lengths)
    ]


def test_every_row_is_as_long_as_it_should_be() -> None:
    made = sample_rows(Echo(), rows_of([1, 7, 3, 3]))
    assert [len(samples) for samples in made] == [HOP, 7 * HOP, 3 * HOP, 3 * HOP]


def test_rows_follow_their_own_frames_beyond_both_ends() -> None:
    row = Row(torch.tensor([[0.1, 0.2, 0.3]]), -2, 7, torch.Generator().manual_seed(0))
    made = sample_rows(Echo(), [row])[0].view(7, HOP)
    frames = torch.tensor([0.1, 0.1, 0.1, 0.2, 0.3, 0.3, 0.3])
    torch.testing.assert_close(made[:, -1], frames / 0.9, atol=0.02, rtol=0)


def test_a_row_does_not_depend_on_how_rows_are_grouped(monkeypatch: pytest.MonkeyPatch) -> None:
    together = sample_rows(Echo(), rows_of([5] * 21))
    monkeypatch.setattr(sampling, "_ROWS", {"cpu": 4})
    apart = sample_rows(Echo(), rows_of([5] * 21))
    assert all(torch.equal(*pair) for pair in zip(together, apart, strict=True))


def test_chunks_of_a_row_go_on_where_the_last_ended() -> None:
    class Count(EchoSteps):
        def advance(self, step: int, sample: Tensor) -> Tensor:
            return torch.cat([sample + 0.01, torch.full_like(sample, -20)], dim=1)

    class Counting(Echo):
        def stepper(self, n_rows: int, n_steps: int) -> EchoSteps:
            return Count(self, n_rows)

    torch.testing.assert_close(sample_rows(Counting(), rows_of([8]))[0], torch.arange(1, 33) / 100)


def test_memory_does_not_grow_with_the_clip() -> None:
    network = Echo()
    sample_rows(network, rows_of([100] * 300))
    n_rows = {shape[0] for shape in network.shapes}
    n_steps = {shape[2] for shape in network.shapes}
    assert n_rows == {104}  # three groups of a hundred, in multiples of eight
    assert n_steps == {3 * HOP}


@pytest.mark.gpu
def test_the_captured_steps_are_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device")
    config = WaveNetConfig(layout="2019", n_layers=6, n_stacks=2, residual_channels=16, mel_context=2)
    network = WaveNetNetwork(config, 80).cuda().eval().requires_grad_(False)
    mel = torch.rand(80, 12).cuda()

    def made() -> Tensor:
        return sample_rows(network, [Row(mel, 0, 12, torch.Generator().manual_seed(1))])[0]

    captured = made()
    assert torch.equal(captured, made())
    monkeypatch.setattr(sampling._Loop, "_capture", lambda loop: None)
    torch.testing.assert_close(captured, made(), rtol=0, atol=1e-4)
    assert not math.isclose(float(captured.std()), 0)
