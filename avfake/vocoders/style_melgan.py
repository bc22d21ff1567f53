"""StyleMelGAN: noise is stretched to sound, and the Mel says at every stage how loud each channel is."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.vocoders.cards import Card
from avfake.vocoders.checkpoint import settled
from avfake.vocoders.noise import clip_noise
from avfake.vocoders.one_pass import OnePassVocoder, take_statistics

_SLOPE = 0.2  # of the leaky rectifiers


@dataclass(frozen=True, kw_only=True)
class StyleMelGanConfig:
    """Shape of the network; the defaults are those of the published checkpoint at 22,050 Hz.

    Attributes:
        noise_channels: Of the noise, one vector for many Mel frames.
        channels: Of every layer.
        kernel_size: Of every convolution; odd.
        dilation: Of the second one of each block.
        noise_upsample_scales: Stages from the noise to the rate of the Mel.
        upsample_scales: Stages, one block each, from there to samples.
        gate: What makes shares of the gates: all channels together, or each for itself.
    """

    noise_channels: int = 128
    channels: int = 64
    kernel_size: int = 9
    dilation: int = 2
    noise_upsample_scales: tuple[int, ...] = (11, 2, 2, 2)
    upsample_scales: tuple[int, ...] = (2, 2, 2, 2, 2, 2, 2, 2, 1)
    gate: Literal["softmax", "sigmoid"] = "softmax"

    def __post_init__(self) -> None:
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={self.kernel_size} must be odd")
        if self.gate not in ("softmax", "sigmoid"):
            raise ValueError(f"gate={self.gate!r} must be 'softmax' or 'sigmoid'")


class _Tade(nn.Module):
    """Temporal adaptive denormalisation: the Mel's features give each channel its scale and shift in time."""

    def __init__(self, config: StyleMelGanConfig, n_features: int, scale: int) -> None:
        super().__init__()
        channels, size = config.channels, config.kernel_size
        self.scale = scale
        self.aux_conv = nn.Sequential(nn.Conv1d(n_features, channels, size, padding="same"))
        self.gated_conv = nn.Sequential(nn.Conv1d(channels, 2 * channels, size, padding="same"))

    def forward(self, hidden: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Both ``scale`` times as long."""
        features = self.aux_conv(_repeated(features, self.scale))
        gain, shift = self.gated_conv(features).chunk(2, dim=1)
        even = _repeated(functional.instance_norm(hidden), self.scale)
        return torch.addcmul(shift, gain, even), features


class _Block(nn.Module):
    def __init__(self, config: StyleMelGanConfig, n_features: int, scale: int) -> None:
        super().__init__()
        channels, size = config.channels, config.kernel_size
        self.scale = scale
        self.gate = config.gate
        self.tade1 = _Tade(config, n_features, 1)
        self.gated_conv1 = nn.Conv1d(channels, 2 * channels, size, padding="same")
        self.tade2 = _Tade(config, channels, scale)
        self.gated_conv2 = nn.Conv1d(channels, 2 * channels, size, padding="same", dilation=config.dilation)

    def forward(self, hidden: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Both ``scale`` times as long."""
        inner, features = self.tade1(hidden, features)
        inner, features = self.tade2(self._gated(self.gated_conv1(inner)), features)
        return self._gated(self.gated_conv2(inner)) + _repeated(hidden, self.scale), features

    def _gated(self, both: Tensor) -> Tensor:
        gates, values = both.chunk(2, dim=1)
        shares = gates.softmax(dim=1) if self.gate == "softmax" else gates.sigmoid()
        return shares * values.tanh()


class StyleMelGanNetwork(nn.Module):
    """The generator of github.com/kan-bayashi/ParallelWaveGAN, under its names; it can be trained.

    Every block evens out its input over the whole clip, so each sample depends on all Mel frames.

    Reference:
        Mustafa, Pia and Fuchs, 2020, StyleMelGAN: an efficient high-fidelity adversarial vocoder with
        temporal adaptive normalization.

    Args:
        config: Its shape.
        n_mels: Bands of the Mel.

    Attributes:
        hop_length: Samples per Mel frame.
        n_least: Mel frames per vector of noise; it takes multiples of that.
        reach: Of all Mel frames.
    """

    def __init__(self, config: StyleMelGanConfig, n_mels: int) -> None:
        super().__init__()
        channels, stages = config.channels, config.noise_upsample_scales
        widths = [config.noise_channels, *[channels] * (len(stages) - 1)]
        self.noise_upsample = nn.Sequential(
            *(
                layer
                for width, scale in zip(widths, stages, strict=True)
                for layer in (_upsampling(width, channels, scale), nn.LeakyReLU(_SLOPE, inplace=True))
            )
        )
        n_features = [n_mels, *[channels] * (len(config.upsample_scales) - 1)]
        self.blocks = nn.ModuleList(
            _Block(config, n, scale) for n, scale in zip(n_features, config.upsample_scales, strict=True)
        )
        self.output_conv = nn.Sequential(
            nn.Conv1d(channels, 1, config.kernel_size, padding="same"), nn.Tanh()
        )
        self.config = config
        self.hop_length = math.prod(config.upsample_scales)
        self.n_least = math.prod(stages)
        self.reach = sys.maxsize

    def forward(self, mel: Tensor, noise: Tensor) -> Tensor:
        """Make sound of noise.

        Args:
            mel: [batch, n_mels, vectors * n_least].
            noise: Standard normal, [batch, noise_channels, vectors].

        Returns:
            [batch, 1, vectors * n_least * hop_length], in [-1, 1].
        """
        hidden, features = self.noise_upsample(noise), mel
        for block in self.blocks:
            hidden, features = block(hidden, features)
        waveform: Tensor = self.output_conv(hidden)
        return waveform


class StyleMelGan(OnePassVocoder):
    """Sound of noise that each clip draws for itself.

    What follows a clip, up to whole vectors of noise, is made of its last frame and thrown away. A clip is
    made whole, however long, for the network hears all of it at once.
    """

    network: StyleMelGanNetwork

    def _n_needed(self, n_frames: int) -> int:
        return math.ceil(n_frames / self.network.n_least) * self.network.n_least

    def _make(self, scaled: Tensor, mel: Tensor) -> Tensor:
        n_vectors = scaled.shape[2] // self.network.n_least
        noise = clip_noise(mel, (self.network.config.noise_channels, n_vectors))
        made: Tensor = self.network(scaled, noise)
        return made


def build(card: Card, state: Mapping[str, Tensor] | None) -> StyleMelGan:
    """The vocoder of a card; without a state its weights are random."""
    config = StyleMelGanConfig(**card.model)
    statistics, weights = take_statistics(card, state)
    network = settled(lambda: StyleMelGanNetwork(config, card.mel.n_mels), weights, card.name)
    return StyleMelGan(card.name, card.mel, network, statistics)


def _upsampling(n_inputs: int, n_outputs: int, scale: int) -> nn.ConvTranspose1d:
    """A layer that makes ``scale`` values of each, and lets each reach half a place to either side."""
    return nn.ConvTranspose1d(
        n_inputs,
        n_outputs,
        2 * scale,
        stride=scale,
        padding=scale // 2 + scale % 2,
        output_padding=scale % 2,
    )


def _repeated(values: Tensor, times: int) -> Tensor:
    """Each value along time as often as said."""
    return values if times == 1 else values.repeat_interleave(times, dim=2)
