"""MelGAN: transposed convolutions from Mel frames to samples, with dilated residual blocks between them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Literal

from torch import Tensor, nn

from avfake.vocoders.cards import Card
from avfake.vocoders.channels_last import Conv, TransposedConv, to_channels_last
from avfake.vocoders.checkpoint import renamed, settled
from avfake.vocoders.one_pass import OnePassVocoder, take_statistics

_KERNEL_SIZE = 7  # of the first and the last convolution
_SLOPE = 0.2  # of the leaky rectifiers
_KAN_BAYASHI_KEYS = (  # and what descript, whose network it is, calls them
    (r"^melgan\.", "model."),
    (r"\.stack\.", ".block."),
    (r"\.skip_layer\.", ".shortcut."),
)


@dataclass(frozen=True, kw_only=True)
class MelGanConfig:
    """Shape of the network; the defaults are those of the paper.

    Attributes:
        layout: Whose key names the checkpoint has.
        channels: After the first convolution; each stage halves them.
        upsample_scales: Stages of the upsampling.
        n_stacks: Residual blocks per stage; the dilation of each is three times the last one's.
        n_outputs: Signals made at once: one waveform, or the bands of a filter bank.
    """

    layout: Literal["descript", "kan-bayashi"] = "descript"
    channels: int = 512
    upsample_scales: tuple[int, ...] = (8, 8, 2, 2)
    n_stacks: int = 3
    n_outputs: int = 1

    def __post_init__(self) -> None:
        if self.layout not in ("descript", "kan-bayashi"):
            raise ValueError(f"layout={self.layout!r} must be 'descript' or 'kan-bayashi'")
        halvings = 2 ** len(self.upsample_scales)
        if self.channels % halvings:
            raise ValueError(
                f"channels={self.channels} must be a multiple of {halvings}, to be halved so often"
            )
        if not self.upsample_scales or min(self.upsample_scales) < 2:
            raise ValueError(f"upsample_scales={self.upsample_scales} must be numbers of at least 2")

    @property
    def dilations(self) -> list[int]:
        """Of the residual blocks of a stage."""
        return [3**place for place in range(self.n_stacks)]


def _mirrored(n_places: int) -> nn.Module:
    """A layer that mirrors so many values, [batch, channels, 1, time], at both ends."""
    return nn.ReflectionPad2d((n_places, n_places, 0, 0))


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            _mirrored(dilation),
            nn.LeakyReLU(_SLOPE, inplace=True),
            Conv(channels, channels, 3, dilation=dilation, padded=False),
            nn.LeakyReLU(_SLOPE, inplace=True),
            Conv(channels, channels, 1),
        )
        self.shortcut = Conv(channels, channels, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        added: Tensor = self.block(hidden)
        return added.add_(self.shortcut(hidden))


class MelGanNetwork(nn.Module):
    """The generator of github.com/descriptinc/melgan-neurips, under its names; it can be trained.

    Reference:
        Kumar et al., 2019, MelGAN: generative adversarial networks for conditional waveform synthesis.

    Args:
        config: Its shape.
        n_mels: Bands of the Mel.

    Attributes:
        hop_length: Samples of each output per Mel frame.
        n_least: Mel frames it needs, since it mirrors what it has at the edges.
        reach: How many Mel frames to either side of its own a sample depends on.
    """

    def __init__(self, config: MelGanConfig, n_mels: int) -> None:
        super().__init__()
        channels, edge = config.channels, (_KERNEL_SIZE - 1) // 2
        layers = [_mirrored(edge), Conv(n_mels, channels, _KERNEL_SIZE, padded=False)]
        for scale in config.upsample_scales:
            up = TransposedConv(channels, channels // 2, 2 * scale, scale)
            layers += [nn.LeakyReLU(_SLOPE, inplace=True), up]
            channels //= 2
            layers += [_ResidualBlock(channels, dilation) for dilation in config.dilations]
        layers += [
            nn.LeakyReLU(_SLOPE, inplace=True),
            _mirrored(edge),
            Conv(channels, config.n_outputs, _KERNEL_SIZE, padded=False),
            nn.Tanh(),
        ]
        self.model = nn.Sequential(*layers)
        self.hop_length = math.prod(config.upsample_scales)
        mirrored = math.ceil((max(config.dilations) + 1) / config.upsample_scales[0])
        self.n_least = max(edge + 1, mirrored)
        rates = list(accumulate(config.upsample_scales, mul, initial=1))  # values per frame
        blocks = sum(config.dilations) * sum(1 / rate for rate in rates[1:])
        self.reach = math.ceil(edge + sum(1 / rate for rate in rates[:-1]) + blocks + edge / rates[-1])

    def forward(self, mel: Tensor) -> Tensor:
        """[batch, n_mels, mel_frames] -> [batch, n_outputs, mel_frames * hop_length], in [-1, 1]."""
        waveform: Tensor = self.model(to_channels_last(mel))
        return waveform[:, :, 0]


def network_keys(state: Mapping[str, Tensor], config: MelGanConfig) -> dict[str, Tensor]:
    """A state of any layout under the network's keys."""
    return dict(state) if config.layout == "descript" else renamed(state, _KAN_BAYASHI_KEYS)


def build(card: Card, state: Mapping[str, Tensor] | None) -> OnePassVocoder:
    """The vocoder of a card; without a state its weights are random."""
    config = MelGanConfig(**card.model)
    statistics, weights = take_statistics(card, state)
    if weights is not None:
        weights = network_keys(weights, config)
    network = settled(lambda: MelGanNetwork(config, card.mel.n_mels), weights, card.name)
    return OnePassVocoder(card.name, card.mel, network, statistics)
