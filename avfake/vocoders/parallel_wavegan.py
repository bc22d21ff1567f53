"""Parallel WaveGAN: noise that gated convolutions, driven by the Mel, turn into sound."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.vocoders.cards import Card
from avfake.vocoders.checkpoint import settled
from avfake.vocoders.gated_stack import GatedStack, double_tanh, lay_out
from avfake.vocoders.noise import clip_noise
from avfake.vocoders.one_pass import OnePassVocoder, take_statistics
from avfake.vocoders.stretch import reach, stretching
from avfake.vocoders.stretched_frames import StretchedFrames


@dataclass(frozen=True, kw_only=True)
class ParallelWaveGanConfig:
    """Shape of the network; the defaults are those of the published checkpoints at 22,050 Hz.

    Attributes:
        n_layers: Dilated convolutions.
        n_stacks: Times that the dilation grows from one.
        residual_channels: Between the layers.
        gate_channels: Inside them, both halves together.
        skip_channels: Of what each hands to the end.
        kernel_size: Of the dilated convolutions.
        mel_context: Mel frames to either side that the first convolution sees.
        upsample_scales: Stages of the upsampling.
    """

    n_layers: int = 30
    n_stacks: int = 3
    residual_channels: int = 64
    gate_channels: int = 128
    skip_channels: int = 64
    kernel_size: int = 3
    mel_context: int = 2
    upsample_scales: tuple[int, ...] = (4, 4, 4, 4)

    def __post_init__(self) -> None:
        if self.n_layers % self.n_stacks:
            raise ValueError(f"n_layers={self.n_layers} must be a multiple of n_stacks={self.n_stacks}")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={self.kernel_size} must be odd")

    @property
    def dilations(self) -> list[int]:
        """Of each layer, in samples."""
        return [2**place for place in range(self.n_layers // self.n_stacks)] * self.n_stacks


class _Layer(nn.Module):
    """Parameters of one layer, under the repository's names."""

    def __init__(self, config: ParallelWaveGanConfig, n_mels: int) -> None:
        super().__init__()
        half = config.gate_channels // 2
        self.conv = nn.Conv1d(config.residual_channels, config.gate_channels, config.kernel_size)
        self.conv1x1_aux = nn.Conv1d(n_mels, config.gate_channels, 1, bias=False)
        self.conv1x1_out = nn.Conv1d(half, config.residual_channels, 1)
        self.conv1x1_skip = nn.Conv1d(half, config.skip_channels, 1)


class _Upsampling(nn.Module):
    """Parameters of a convolution over neighbouring frames and of the stretching that follows."""

    def __init__(self, config: ParallelWaveGanConfig, n_mels: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv1d(n_mels, n_mels, 2 * config.mel_context + 1, bias=False)
        self.upsample = nn.ModuleDict({"up_layers": stretching(config.upsample_scales)})


class ParallelWaveGanNetwork(nn.Module):
    """The generator under the names of github.com/kan-bayashi/ParallelWaveGAN, for one clip at a time.

    Reference:
        Yamamoto, Song and Kim, 2019, Parallel WaveGAN: a fast waveform generation model based on generative
        adversarial networks with multi-resolution spectrogram.
    """

    n_least = 1

    def __init__(self, config: ParallelWaveGanConfig, n_mels: int) -> None:
        super().__init__()
        self.config = config
        self.hop_length = math.prod(config.upsample_scales)
        past = config.kernel_size // 2 * sum(config.dilations)
        self.reach = config.mel_context + reach(config.upsample_scales) + math.ceil(past / self.hop_length)
        skip = config.skip_channels
        self.first_conv = nn.Conv1d(1, config.residual_channels, 1)
        self.upsample_net = _Upsampling(config, n_mels)
        self.conv_layers = nn.ModuleList(_Layer(config, n_mels) for _ in range(config.n_layers))
        self.last_conv_layers = nn.Sequential(
            nn.ReLU(), nn.Conv1d(skip, skip, 1), nn.ReLU(), nn.Conv1d(skip, 1, 1)
        )

    @property
    def layers(self) -> list[_Layer]:
        """Its dilated convolutions, from the first on."""
        return cast("list[_Layer]", list(self.conv_layers))

    def forward(self, mel: Tensor, noise: Tensor) -> Tensor:
        """Make the sound of one clip.

        Args:
            mel: In units of training, [n_mels, mel_frames], with ``mel_context`` frames more at either end.
            noise: Standard normal, [time], ``hop_length`` samples for each of the other frames.

        Returns:
            [time].
        """
        stack = self._stack()
        residual = self.first_conv(noise[None])
        skips = stack.run(residual, self._conditioning(mel))
        return torch.cat([self.last_conv_layers(part)[0] for part in torch.split(skips, stack.tile, dim=1)])

    def _conditioning(self, mel: Tensor) -> StretchedFrames:
        frames = self.upsample_net.conv_in(mel)
        weights = torch.stack([double_tanh(layer.conv1x1_aux.weight[..., 0]) for layer in self.layers])
        biases = torch.stack([double_tanh(cast("Tensor", layer.conv.bias)) for layer in self.layers])
        scales = self.config.upsample_scales
        return StretchedFrames(weights @ frames, biases, self.upsample_net.upsample["up_layers"], scales)

    def _stack(self) -> GatedStack:
        """The layers, so scaled that each one's residual and skip need only be added.

        The network halves the power of each sum of two residuals, and divides that of all skips by their
        number. Here residuals grow instead, and what meets them is scaled to suit.
        """
        layers = []
        for number, (layer, dilation) in enumerate(zip(self.layers, self.config.dilations, strict=True)):
            growth, share = math.sqrt(2) ** number, math.sqrt(1 / self.config.n_layers)
            scaled = (growth, layer.conv1x1_out), (share, layer.conv1x1_skip)
            weight = torch.cat([factor * conv.weight for factor, conv in scaled])
            bias = torch.cat([factor * cast("Tensor", conv.bias) for factor, conv in scaled])
            layers.append(lay_out(layer.conv.weight / growth, weight, bias, dilation))
        return GatedStack(layers, hop_length=self.hop_length)


class ParallelWaveGan(OnePassVocoder):
    """Sound made of noise that each clip draws for itself."""

    network: ParallelWaveGanNetwork

    def _make(self, scaled: Tensor, mel: Tensor) -> Tensor:
        context = self.network.config.mel_context
        padded = functional.pad(scaled, (context, context), mode="replicate")
        noise = clip_noise(mel, (mel.shape[2] * self.mel.hop_length,))
        made: Tensor = self.network(padded[0], noise[0])
        return made[None, None]


def build(card: Card, state: Mapping[str, Tensor] | None) -> ParallelWaveGan:
    """The vocoder of a card; without a state its weights are random."""
    config = ParallelWaveGanConfig(**card.model)
    statistics, weights = take_statistics(card, state)
    network = settled(lambda: ParallelWaveGanNetwork(config, card.mel.n_mels), weights, card.name)
    return ParallelWaveGan(card.name, card.mel, network, statistics)
