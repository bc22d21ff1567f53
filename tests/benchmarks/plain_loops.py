"""WaveRNN and WaveNet sample by sample, one module call after the other, as their repositories generate."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.vocoders.wavenet import WaveNetNetwork
from avfake.vocoders.wavernn import WaveRnnNetwork

N_MELS = 80


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


def features(network: nn.Module) -> int:
    return N_MELS + getattr(network.config, "aux_channels", 0)
