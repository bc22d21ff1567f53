"""Dilated convolutions with gates, over whole clips: the inside of WaveNet's feed-forward kin."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

TILE = 2048  # samples made at once: what a layer computes of them stays in a core's cache


class GatedLayer(NamedTuple):
    """One layer, its weights laid out for matrix products.

    ``lay_out`` makes them so that both gates are sigmoids: the hyperbolic tangent takes four times as long,
    and tanh(x) = 2 sigmoid(2 x) - 1.

    Attributes:
        taps: Of the dilated convolution, [kernel_size, 2 * gates, residual].
        out: What the gated values add to the sums, and in its last column the bias, [outputs, gates + 1]; the
            outputs are the last ones of residual and skip.
        dilation: In samples.
    """

    taps: Tensor
    out: Tensor
    dilation: int


class Conditioning(Protocol):
    """What drives the layers besides the residual."""

    def write(self, layer: int, start: int, gates: Tensor) -> None:
        """Set gates, [2 * gates, samples], to conditioning and bias from sample ``start`` on.

        The rows of the first half are to be doubled, as ``double_tanh`` does.
        """
        ...


def double_tanh(rows: Tensor) -> Tensor:
    """Weights or biases, [2 * gates, ...], with the half that belongs to the hyperbolic tangent doubled."""
    half = len(rows) // 2
    return torch.cat([2 * rows[:half], rows[half:]])


def lay_out(conv: Tensor, out: Tensor, out_bias: Tensor, dilation: int) -> GatedLayer:
    """Lay out a layer.

    Args:
        conv: Weight of the dilated convolution, [2 * gates, residual, kernel_size]; tanh before sigmoid.
        out: Weight of residual and skip, or of skip alone, [outputs, gates, 1].
        out_bias: [outputs].
        dilation: In samples.
    """
    taps = double_tanh(conv).permute(2, 0, 1).contiguous()
    return GatedLayer(taps, torch.cat([2 * out[..., 0], out_bias[:, None]], dim=1), dilation)


class GatedStack:
    """Layers that run over a clip, one after the other, each tile by tile.

    Args:
        layers: Of the same shapes, but that the last may have fewer outputs.
        hop_length: Conditioning is written for whole multiples of so many samples.
        tile: Samples made at once, about.
    """

    def __init__(self, layers: Sequence[GatedLayer], *, hop_length: int = 1, tile: int = TILE) -> None:
        self.layers = layers
        self.n_residual = layers[0].taps.shape[2]
        self.n_sums = len(layers[0].out)
        self.margin = max(layer.dilation * (len(layer.taps) // 2) for layer in layers)
        # no shorter than the margin, so that a tile's neighbours wait for nobody else
        self.tile = math.ceil(max(tile, self.margin) / hop_length) * hop_length

    def run(self, residual: Tensor, conditioning: Conditioning) -> Tensor:
        """Run the layers over one clip.

        Args:
            residual: What the first of them is given, [residual, samples]; beyond the ends lie zeros.
            conditioning: Of each layer.

        Returns:
            The sum of all skips, [skip, samples].
        """
        n_samples = residual.shape[1]
        sums = residual.new_zeros(self.n_sums, self.margin + n_samples + self.margin)
        sums[: self.n_residual, self.margin : self.margin + n_samples] = residual
        work = _Work(self.layers[0], self.tile, residual)
        for number, layer in enumerate(self.layers):
            waiting = None
            for start in range(0, n_samples, self.tile):
                length = min(self.tile, n_samples - start)
                gates = work.gates(length)
                conditioning.write(number, start, gates)
                self._convolve(layer, sums, start, gates)
                gated = work.gated(gates)
                if waiting:  # its right neighbour has seen the old residual by now
                    self._add(layer, sums, *waiting)
                waiting = start, gated
            if waiting:
                self._add(layer, sums, *waiting)
        return sums[self.n_residual :, self.margin : self.margin + n_samples]

    def _convolve(self, layer: GatedLayer, sums: Tensor, start: int, gates: Tensor) -> None:
        n_taps, length = len(layer.taps), gates.shape[1]
        for number, tap in enumerate(layer.taps):
            first = self.margin + start + (number - n_taps // 2) * layer.dilation
            torch.addmm(gates, tap, sums[: self.n_residual, first : first + length], out=gates)

    def _add(self, layer: GatedLayer, sums: Tensor, start: int, gated: Tensor) -> None:
        first = self.margin + start
        goal = sums[-len(layer.out) :, first : first + gated.shape[1]]
        torch.addmm(goal, layer.out, gated, out=goal)


class _Work:
    """Memory for one tile's gates, and for the gated values of that tile and the one before."""

    def __init__(self, layer: GatedLayer, tile: int, like: Tensor) -> None:
        n_rows = layer.taps.shape[1]
        self.memory = like.new_empty(n_rows * tile)
        self.n_rows = n_rows
        self.values = [like.new_ones(n_rows // 2 + 1, tile) for _ in range(2)]  # the last row is the bias's

    def gates(self, length: int) -> Tensor:
        """Room for [2 * gates, length]."""
        return self.memory[: self.n_rows * length].view(self.n_rows, length)

    def gated(self, gates: Tensor) -> Tensor:
        """Half of tanh times sigmoid, and a row of ones, [gates + 1, length]."""
        self.values.reverse()
        gated = self.values[0][:, : gates.shape[1]]
        first, second = gates.sigmoid_().chunk(2)
        torch.mul(first.sub_(0.5), second, out=gated[:-1])
        return gated
