"""BigVGAN: HiFi-GAN with periodic activations, which are kept from aliasing."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from avfake.vocoders.antialias import ACTIVATION_REACH, AntiAliasedSnake
from avfake.vocoders.cards import Card
from avfake.vocoders.channels_last import Conv, TransposedConv, to_channels_last
from avfake.vocoders.checkpoint import settled
from avfake.vocoders.hifigan import EDGE_KERNEL_SIZE, frames_reached, mean_of
from avfake.vocoders.one_pass import OnePassVocoder

_BLOCKS = tuple((kernel_size, (1, 3, 5)) for kernel_size in (3, 7, 11))  # with dilations, of every stage


@dataclass(frozen=True, kw_only=True)
class BigVganConfig:
    """Shape of the network; the defaults are those of the large one.

    Attributes:
        channels: After the first convolution; each stage halves them.
        upsample_scales: Samples that each stage makes of one.
        upsample_kernel_sizes: Of the transposed convolutions.
        tanh_at_final: Whether the waveform is squashed by a hyperbolic tangent rather than limited.
        bias_at_final: Whether the last convolution has a bias.
    """

    channels: int = 1536
    upsample_scales: tuple[int, ...] = (4, 4, 2, 2, 2, 2)
    upsample_kernel_sizes: tuple[int, ...] = (8, 8, 4, 4, 4, 4)
    tanh_at_final: bool = True
    bias_at_final: bool = True


class _ResBlock(nn.Module):
    def __init__(self, channels: int, kernel_size: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(Conv(channels, channels, kernel_size, dilation=d) for d in dilations)
        self.convs2 = nn.ModuleList(Conv(channels, channels, kernel_size) for _ in dilations)
        self.activations = nn.ModuleList(AntiAliasedSnake(channels) for _ in range(2 * len(dilations)))

    @staticmethod
    def reach(kernel_size: int, dilations: Sequence[int]) -> int:
        """Samples to either side that an output depends on."""
        return sum(kernel_size // 2 * (dilation + 1) + 2 * ACTIVATION_REACH for dilation in dilations)

    def forward(self, hidden: Tensor) -> Tensor:
        before, between = self.activations[::2], self.activations[1::2]
        for act1, dilated, act2, plain in zip(before, self.convs1, between, self.convs2, strict=True):
            hidden = plain(act2(dilated(act1(hidden)))).add_(hidden)
        return hidden


class BigVganNetwork(nn.Module):
    """The generator of github.com/NVIDIA/BigVGAN, under its names, without its filters, which are all alike.

    Reference:
        Lee et al., 2022, BigVGAN: a universal neural vocoder with large-scale training.

    Args:
        config: Its shape.
        n_mels: Bands of the Mel.

    Attributes:
        hop_length: Samples made of each Mel frame.
        n_least: Mel frames it needs.
        reach: How many Mel frames to either side of its own a sample depends on.
    """

    n_least = 1

    def __init__(self, config: BigVganConfig, n_mels: int) -> None:
        super().__init__()
        self.config = config
        scales, kernel_sizes = config.upsample_scales, config.upsample_kernel_sizes
        widths = [config.channels >> stage for stage in range(len(scales) + 1)]
        self.hop_length = math.prod(scales)
        block_reach = max(_ResBlock.reach(*block) for block in _BLOCKS)
        last_reach = ACTIVATION_REACH + EDGE_KERNEL_SIZE // 2
        self.reach = frames_reached(scales, kernel_sizes, block_reach, last_reach)
        self.conv_pre = Conv(n_mels, widths[0], EDGE_KERNEL_SIZE)
        self.ups = nn.ModuleList(map(TransposedConv, widths, widths[1:], kernel_sizes, scales))
        self.resblocks = nn.ModuleList(_ResBlock(width, *block) for width in widths[1:] for block in _BLOCKS)
        self.activation_post = AntiAliasedSnake(widths[-1])
        self.conv_post = Conv(widths[-1], 1, EDGE_KERNEL_SIZE, bias=config.bias_at_final)

    def forward(self, mel: Tensor) -> Tensor:
        """[batch, n_mels, mel_frames] -> [batch, 1, mel_frames * hop_length], in [-1, 1]."""
        hidden = self.conv_pre(to_channels_last(mel))
        for stage, up in enumerate(self.ups):
            hidden = mean_of(self.resblocks[stage * len(_BLOCKS) :][: len(_BLOCKS)], up(hidden))
        waveform: Tensor = self.conv_post(self.activation_post(hidden))[:, :, 0]
        return waveform.tanh_() if self.config.tanh_at_final else waveform.clamp_(-1, 1)


def build(card: Card, state: Mapping[str, Tensor] | None) -> OnePassVocoder:
    """The vocoder of a card; without a state its weights are random."""
    config = BigVganConfig(**card.model)
    weights = None if state is None else network_keys(state)
    network = settled(lambda: BigVganNetwork(config, card.mel.n_mels), weights, card.name)
    return OnePassVocoder(card.name, card.mel, network)


def network_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state under the network's key names, without what it does not need."""
    return {
        re.sub(r"^ups\.(\d+)\.0\.", r"ups.\1.", key): tensor
        for key, tensor in state.items()
        if not key.endswith((".upsample.filter", ".downsample.lowpass.filter"))
    }
