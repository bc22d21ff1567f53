"""The loop of the autoregressive families: rows of sound, side by side, sample after sample."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from avfake.vocoders.distributions import Distribution

_ROWS = {"cpu": 128, "cuda": 256}  # side by side at most; more gain little and cost memory
# Rows come in multiples of this: a product of another number of rows may round otherwise, and a row would
# depend on its neighbours. A CPU's do below eight rows, a GPU's anywhere, so a GPU always gets as many.
_ROW_STEP = {"cpu": 8, "cuda": 256}


class Stepper(Protocol):
    """A network with the memory of a fixed number of rows; it goes from sample to sample.

    Attributes:
        distribution: Of the next sample, given the network's outputs.
    """

    distribution: Distribution

    def reset(self) -> None:
        """Forget everything that was heard."""
        ...

    def load(self, conditioning: Tensor) -> None:
        """Take the conditioning of the next steps, [rows, features, steps]."""
        ...

    def advance(self, step: int, sample: Tensor) -> Tensor:
        """Hear the last sample of every row, [rows, 1], at one step of what was loaded.

        Returns:
            [rows, outputs], valid until the next step: how the next sample is distributed.
        """
        ...


class Network(Protocol):
    """What the loop needs to know of a network.

    Attributes:
        hop_length: Samples per Mel frame.
        context: Mel frames that ``condition`` takes beyond either end.
        chunk: Mel frames whose conditioning is held at a time; every ring buffer turns whole times in them.
    """

    hop_length: int
    context: int
    chunk: int

    def condition(self, mel: Tensor) -> Tensor:
        """Conditioning of each step, [1, features, frames * hop_length].

        Args:
            mel: [1, n_mels, frames + 2 * context].
        """
        ...

    def stepper(self, n_rows: int, n_steps: int) -> Stepper:
        """Prepare weights, and memory for ``n_rows`` of which ``n_steps`` are loaded at a time."""
        ...


@dataclass(frozen=True)
class Row:
    """A run of Mel frames of one clip.

    Attributes:
        mel: Of the whole clip, [n_mels, mel_frames]; beyond its ends the outermost frames are repeated.
        first: Frame that the run begins with.
        n_frames: Its length.
        generator: Draws the random numbers of this row and of no other.
    """

    mel: Tensor
    first: int
    n_frames: int
    generator: torch.Generator

    def window(self, start: int, n_frames: int, context: int) -> Tensor:
        """Frames from the row's ``start`` on, with ``context`` on either side, [1, n_mels, mel_frames]."""
        begin = self.first + start
        places = torch.arange(begin - context, begin + n_frames + context, device=self.mel.device)
        return self.mel[None, :, places.clamp(0, self.mel.shape[1] - 1)]


@torch.inference_mode()
def sample_rows(network: Network, rows: Sequence[Row]) -> list[Tensor]:
    """Draw the samples of every row, each [n_frames * hop_length].

    In training the network said at each step how the sample after it is distributed, so the sample drawn at
    the first step belongs to the second.
    """
    device = rows[0].mel.device
    n_most, step = _ROWS[device.type], _ROW_STEP[device.type]
    n_at_once = math.ceil(len(rows) / math.ceil(len(rows) / n_most))
    loop = _Loop(network, math.ceil(n_at_once / step) * step, device)
    made: list[Tensor] = []
    for first in range(0, len(rows), n_at_once):
        group = rows[first : first + n_at_once]
        samples = loop(group)
        made += [samples[place, : row.n_frames * network.hop_length] for place, row in enumerate(group)]
    return made


class _Loop:
    """Makes one chunk after the other; on CUDA its steps are captured once and replayed as one graph."""

    def __init__(self, network: Network, n_rows: int, device: torch.device) -> None:
        self.network = network
        self.n_rows = n_rows
        self.n_steps = network.chunk * network.hop_length
        self.stepper = network.stepper(n_rows, self.n_steps)
        kind = self.stepper.distribution
        self.noise = torch.zeros(self.n_steps, n_rows, kind.n_noise, dtype=kind.noise_dtype, device=device)
        self.samples = torch.zeros(self.n_steps + 1, n_rows, 1, device=device)
        self.graph = self._capture() if device.type == "cuda" else None

    def __call__(self, rows: Sequence[Row]) -> Tensor:
        """Samples of all rows, [rows, time], in whole chunks and at least as long as the longest row."""
        self._forget()
        longest = max(row.n_frames for row in rows)
        return torch.cat([self._chunk(rows, start) for start in range(0, longest, self.network.chunk)], dim=1)

    def _forget(self) -> None:
        self.stepper.reset()
        self.samples.zero_()

    def _chunk(self, rows: Sequence[Row], start: int) -> Tensor:
        """Samples of one chunk, [rows, steps], from frame ``start`` of every row on."""
        chunk, context = self.network.chunk, self.network.context
        # one row at a time: convolutions of another batch size may round otherwise
        conditioning = [self.network.condition(row.window(start, chunk, context)) for row in rows]
        noise = [self.stepper.distribution.noise(self.n_steps, row.generator) for row in rows]
        idle = (0, 0, 0, 0, 0, self.n_rows - len(rows))
        self.stepper.load(functional.pad(torch.cat(conditioning), idle))
        self.noise.copy_(functional.pad(torch.stack(noise), idle).transpose(0, 1))
        self.samples[0] = self.samples[-1]
        if self.graph is None:
            self._run()
        else:
            self.graph.replay()
        return self.samples[1:, :, 0].T.clone()

    def _run(self) -> None:
        draw, advance = self.stepper.distribution.draw, self.stepper.advance
        noise, samples = self.noise.unbind(), self.samples.unbind()
        for step in range(self.n_steps):
            draw(advance(step, samples[step]), noise[step], samples[step + 1])

    def _capture(self) -> torch.cuda.CUDAGraph:
        """Run the steps once on a stream of their own, to make handles and workspaces, then record them."""
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._run()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._run()
        return graph
