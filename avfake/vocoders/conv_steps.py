"""WaveNet step by step: what each layer heard lies in a ring, where nothing is ever moved."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from avfake.vocoders.distributions import DISTRIBUTIONS, Distribution

if TYPE_CHECKING:
    from avfake.vocoders.wavenet import GatedLayer, WaveNetNetwork

_HALF_POWER = math.sqrt(0.5)  # of each sum of a layer's input and output


class ConvSteps:
    """The layers of a ``WaveNetNetwork``, with the memory of some rows.

    Args:
        network: Whose weights to take.
        n_rows: Rows side by side.
        n_steps: Steps that are loaded at a time; whole turns of every ring.
    """

    def __init__(self, network: "WaveNetNetwork", n_rows: int, n_steps: int) -> None:
        config, device = network.config, network.first_conv.weight.device
        self.distribution: Distribution = DISTRIBUTIONS[config.output](config.n_outputs, n_rows, device)
        self._take_weights(network)
        self.mel = torch.zeros(n_steps, n_rows, len(self.of_mel), device=device)
        self.sums = torch.zeros(n_rows, self.of_mel.shape[1], device=device)
        self.gated = torch.zeros(n_rows, len(self.of_gated), device=device)
        parts = zip(
            network.layers,
            config.dilations,
            self.sums.chunk(config.n_layers, dim=1),
            self.gated.chunk(config.n_layers, dim=1),
            strict=True,
        )
        self.layers = [_Layer(*part) for part in parts]
        self.skip, self.hidden = torch.zeros(2, n_rows, config.skip_channels, device=device)
        self.outputs = torch.zeros(n_rows, config.n_outputs, device=device)
        self.n_classes = config.n_classes if config.output == "softmax" else 0
        self.place = torch.zeros(n_rows, device=device)
        self.heard_class = torch.zeros(n_rows, dtype=torch.int64, device=device)

    def _take_weights(self, network: "WaveNetNetwork") -> None:
        config, layers = network.config, network.layers
        self.of_sample, self.first_bias = _right(network.first_conv.weight), _taken(network.first_conv.bias)
        self.of_mel = torch.cat([_right(_doubled(layer.conv1x1c.weight)) for layer in layers], dim=1)
        speaker = network.embed_speakers.weight[config.speaker] if config.speaker_channels else None
        self.bias = torch.cat([_doubled(_gate_bias(layer, speaker)) for layer in layers])
        if config.layout == "2018":  # its sum of skips was halved in power at every addition
            shares = [_HALF_POWER ** (len(layers) - max(place, 1)) for place in range(len(layers))]
        else:
            shares = [len(layers) ** -0.5] * len(layers)
        skips = list(zip((layer.conv1x1_skip for layer in layers), shares, strict=True))
        self.of_gated = torch.cat([_right(skip.weight) * -share for skip, share in skips])
        self.skip_bias = torch.stack([_taken(skip.bias) * share for skip, share in skips]).sum(0)
        _, first, _, last = cast("list[nn.Conv1d]", list(network.last_conv_layers))
        self.of_skip, self.hidden_bias = _right(first.weight), _taken(first.bias)
        self.of_hidden, self.output_bias = _right(last.weight), _taken(last.bias)

    def reset(self) -> None:
        """Forget everything that was heard."""
        for layer in self.layers:
            layer.memory.zero_()

    def load(self, conditioning: Tensor) -> None:
        """Take the Mel of the next steps, [rows, n_mels, steps]."""
        self.mel.copy_(conditioning.permute(2, 0, 1))

    def advance(self, step: int, sample: Tensor) -> Tensor:
        """Hear one sample of each row, [rows, 1]; outputs for the next, [rows, outputs]."""
        torch.addmm(self.bias, self.mel[step], self.of_mel, out=self.sums)
        self._hear(sample, self.layers[0].heard_at(step))
        for layer, above in pairwise(self.layers):
            layer.advance(step)
            layer.hand_on(step, above.heard_at(step))
        self.layers[-1].advance(step)
        torch.addmm(self.skip_bias, self.gated, self.of_gated, out=self.skip).relu_()
        torch.addmm(self.hidden_bias, self.skip, self.of_skip, out=self.hidden).relu_()
        return torch.addmm(self.output_bias, self.hidden, self.of_hidden, out=self.outputs)

    def _hear(self, sample: Tensor, heard: Tensor) -> None:
        """The first convolution: a number is multiplied, a class picks its column."""
        if self.n_classes:
            torch.add(sample[:, 0], 1, out=self.place).mul_((self.n_classes - 1) / 2).round_()
            torch.index_select(self.of_sample, 0, self.heard_class.copy_(self.place), out=heard)
            heard.add_(self.first_bias)
        else:
            torch.addcmul(self.first_bias, sample, self.of_sample, out=heard)


class _Layer:
    """One dilated convolution, its gate and what it adds to its input.

    It needs its inputs of ``kernel_size`` steps, ``dilation`` apart: the ring has a place for each step of
    that span, and the layer below writes right into it.

    The gate tanh(a) * sigmoid(b) is (2 * sigmoid(2 * a) - 1) * sigmoid(b), which takes a third of the time of
    tanh on a CPU. The factor of a lies in the weights, and so does the sign of ``gated``, which is turned.

    Args:
        layer: Whose weights to take.
        dilation: In samples.
        sums: Where conditioning and bias stand before each step, [rows, gate_channels].
        gated: Receives the result, [rows, gate_channels // 2].
    """

    def __init__(self, layer: "GatedLayer", dilation: int, sums: Tensor, gated: Tensor) -> None:
        self.dilation, self.sums, self.gated = dilation, sums, gated
        self.signal, self.gate = sums.chunk(2, dim=1)
        weight = _doubled(layer.conv.weight)
        self.of_taps = [_right(tap) for tap in weight.unbind(2)]  # from the earliest to the present
        self.of_gated = _right(layer.conv1x1_out.weight) * -_HALF_POWER
        self.bias = _taken(layer.conv1x1_out.bias) * _HALF_POWER
        self.memory = weight.new_zeros(dilation * weight.shape[2], len(sums), weight.shape[1])
        self.ring = self.memory.unbind()

    def heard_at(self, step: int) -> Tensor:
        """Where the input of a step belongs, [rows, residual_channels]."""
        return self.ring[step % len(self.ring)]

    def advance(self, step: int) -> None:
        """From the inputs up to this step to ``gated``."""
        for place, of_tap in enumerate(self.of_taps, 1):
            self.sums.addmm_(self.heard_at(step + place * self.dilation), of_tap)
        self.sums.sigmoid_()
        torch.addcmul(self.gate, self.signal, self.gate, value=-2, out=self.gated)

    def hand_on(self, step: int, above: Tensor) -> None:
        """Write input plus output into the layer above, [rows, residual_channels]."""
        torch.addmm(self.heard_at(step), self.gated, self.of_gated, beta=_HALF_POWER, out=above)
        above.add_(self.bias)


def _gate_bias(layer: "GatedLayer", speaker: Tensor | None) -> Tensor:
    """All that is added before the gate and does not change, [gate_channels]."""
    bias = _taken(layer.conv.bias)
    if layer.conv1x1c.bias is not None:
        bias = bias + layer.conv1x1c.bias
    if speaker is not None:
        bias = bias + layer.conv1x1g(speaker[:, None])[:, 0]
    return bias.detach()


def _doubled(weight: Tensor) -> Tensor:
    """The weight with its first half, along the first axis, doubled."""
    signal, gate = weight.detach().chunk(2)
    return torch.cat([2 * signal, gate])


def _right(weight: Tensor) -> Tensor:
    """A weight, [out, in] or [out, in, 1], as the right factor of a product with rows."""
    return weight.detach().flatten(1).T.contiguous()


def _taken(bias: Tensor | None) -> Tensor:
    """The bias of a layer that has one."""
    return cast("Tensor", bias).detach()
