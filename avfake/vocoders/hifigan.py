"""HiFi-GAN: transposed convolutions, each followed by residual blocks that see several spans of time."""

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from avfake.vocoders.cards import Card
from avfake.vocoders.channels_last import Conv, TransposedConv, to_channels_last
from avfake.vocoders.checkpoint import renamed, settled
from avfake.vocoders.one_pass import OnePassVocoder, take_statistics

EDGE_KERNEL_SIZE = 7  # of the first and the last convolution
_SLOPE = 0.1
_LAST_SLOPE = 0.01  # torch's default, which the authors' code left in the last activation
_KAN_BAYASHI_KEYS = (  # and what jik876, the author, calls them
    (r"^input_conv\.", "conv_pre."),
    (r"^upsamples\.(\d+)\.1\.", r"ups.\1."),
    (r"^blocks\.(\d+)\.(convs\d\.\d+)\.1\.", r"resblocks.\1.\2."),
    (r"^output_conv\.1\.", "conv_post."),
)


@dataclass(frozen=True, kw_only=True)
class HiFiGanConfig:
    """Shape of the network; the defaults are those of V1.

    Attributes:
        layout: Whose key names the checkpoint has.
        channels: After the first convolution; each stage halves them.
        upsample_scales: Samples that each stage makes of one.
        upsample_kernel_sizes: Of the transposed convolutions.
        resblock: ``"1"`` puts a second convolution, undilated, after each dilated one.
        resblock_kernel_sizes: Of the blocks of every stage.
        resblock_dilations: Of the convolutions of each of these.
    """

    layout: Literal["jik876", "kan-bayashi"] = "jik876"
    channels: int = 512
    upsample_scales: tuple[int, ...] = (8, 8, 2, 2)
    upsample_kernel_sizes: tuple[int, ...] = (16, 16, 4, 4)
    resblock: Literal["1", "2"] = "1"
    resblock_kernel_sizes: tuple[int, ...] = (3, 7, 11)
    resblock_dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))

    def __post_init__(self) -> None:
        if self.layout not in ("jik876", "kan-bayashi"):
            raise ValueError(f"layout={self.layout!r} must be 'jik876' or 'kan-bayashi'")
        if self.resblock not in ("1", "2"):
            raise ValueError(f"resblock={self.resblock!r} must be '1' or '2'")
        if self.channels % (halvings := 2 ** len(self.upsample_scales)):
            raise ValueError(
                f"channels={self.channels} must be a multiple of {halvings}, to be halved so often"
            )

    @property
    def block_reach(self) -> int:
        """How many samples to either side the blocks look at."""
        undilated = self.resblock == "1"
        sizes = zip(self.resblock_kernel_sizes, self.resblock_dilations, strict=True)
        return max(size // 2 * sum(dilation + undilated for dilation in steps) for size, steps in sizes)


class _ResBlock(nn.Module):
    def __init__(self, channels: int, kernel_size: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(Conv(channels, channels, kernel_size, dilation=d) for d in dilations)
        self.convs2 = nn.ModuleList(Conv(channels, channels, kernel_size) for _ in dilations)

    def forward(self, hidden: Tensor) -> Tensor:
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            inner = dilated(functional.leaky_relu(hidden, _SLOPE))
            hidden = plain(functional.leaky_relu_(inner, _SLOPE)).add_(hidden)
        return hidden


class _ShortResBlock(nn.Module):
    def __init__(self, channels: int, kernel_size: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(Conv(channels, channels, kernel_size, dilation=d) for d in dilations)

    def forward(self, hidden: Tensor) -> Tensor:
        for dilated in self.convs:
            hidden = dilated(functional.leaky_relu(hidden, _SLOPE)).add_(hidden)
        return hidden


class HiFiGanNetwork(nn.Module):
    """The generator of github.com/jik876/hifi-gan, under its names.

    Reference:
        Kong, Kim and Bae, 2020, HiFi-GAN: generative adversarial networks for efficient and high fidelity
        speech synthesis; V1, V2 and V3 of its appendix A.

    Args:
        config: Its shape.
        n_mels: Bands of the Mel.

    Attributes:
        hop_length: Samples made of each Mel frame.
        n_least: Mel frames it needs.
        reach: How many Mel frames to either side of its own a sample depends on.
    """

    n_least = 1

    def __init__(self, config: HiFiGanConfig, n_mels: int) -> None:
        super().__init__()
        scales, kernel_sizes = config.upsample_scales, config.upsample_kernel_sizes
        widths = [config.channels >> stage for stage in range(len(scales) + 1)]
        sizes = list(zip(config.resblock_kernel_sizes, config.resblock_dilations, strict=True))
        block = _ResBlock if config.resblock == "1" else _ShortResBlock
        self.n_blocks = len(sizes)
        self.hop_length = math.prod(scales)
        self.reach = frames_reached(scales, kernel_sizes, config.block_reach, EDGE_KERNEL_SIZE // 2)
        self.conv_pre = Conv(n_mels, widths[0], EDGE_KERNEL_SIZE)
        self.ups = nn.ModuleList(map(TransposedConv, widths, widths[1:], kernel_sizes, scales))
        self.resblocks = nn.ModuleList(block(width, *size) for width in widths[1:] for size in sizes)
        self.conv_post = Conv(widths[-1], 1, EDGE_KERNEL_SIZE)

    def forward(self, mel: Tensor) -> Tensor:
        """[batch, n_mels, mel_frames] -> [batch, 1, mel_frames * hop_length]."""
        hidden = self.conv_pre(to_channels_last(mel))
        for stage, up in enumerate(self.ups):
            hidden = up(functional.leaky_relu_(hidden, _SLOPE))
            hidden = mean_of(self.resblocks[stage * self.n_blocks :][: self.n_blocks], hidden)
        waveform: Tensor = self.conv_post(functional.leaky_relu_(hidden, _LAST_SLOPE))
        return waveform.tanh_()[:, :, 0]


def build(card: Card, state: Mapping[str, Tensor] | None) -> OnePassVocoder:
    """The vocoder of a card; without a state its weights are random."""
    config = HiFiGanConfig(**card.model)
    statistics, weights = take_statistics(card, state)
    if weights is not None:
        weights = network_keys(weights, config)
    network = settled(lambda: HiFiGanNetwork(config, card.mel.n_mels), weights, card.name)
    return OnePassVocoder(card.name, card.mel, network, statistics)


def network_keys(state: Mapping[str, Tensor], config: HiFiGanConfig) -> dict[str, Tensor]:
    """The state under the network's key names."""
    return renamed(state, _KAN_BAYASHI_KEYS) if config.layout == "kan-bayashi" else dict(state)


def mean_of(blocks: Iterable[nn.Module], hidden: Tensor) -> Tensor:
    """What the blocks of a stage make of the same input, on average."""
    made = [block(hidden) for block in blocks]
    total: Tensor = functools.reduce(Tensor.add_, made)
    return total.div_(len(made))


def frames_reached(
    scales: Sequence[int], kernel_sizes: Sequence[int], block_reach: int, last_reach: int
) -> int:
    """How many Mel frames to either side of its own a sample of such a network depends on.

    Args:
        scales: Samples that each stage makes of one.
        kernel_sizes: Of its transposed convolution.
        block_reach: Samples to either side that its blocks look at.
        last_reach: And what comes after the last of them.
    """
    rates: list[int] = list(accumulate(scales, mul))  # samples per frame after each stage
    up = sum(kernel_size / 2 / rate for kernel_size, rate in zip(kernel_sizes, rates, strict=True))
    blocks = sum(block_reach / rate for rate in rates)
    return math.ceil(EDGE_KERNEL_SIZE // 2 + up + blocks + last_reach / rates[-1])
