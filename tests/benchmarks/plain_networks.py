"""Published networks, written as their repositories run them: plain layers of torch, a whole clip at once.

Their parameters have the repositories' names, which are those of avfake's networks too.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm


class PlainMelGan(nn.Module):
    """github.com/descriptinc/melgan-neurips; its interface leaves weight norm in place."""

    def __init__(self, scales: Sequence[int] = (8, 8, 2, 2), channels: int = 512) -> None:
        super().__init__()
        layers = [nn.ReflectionPad1d(3), nn.Conv1d(80, channels, 7)]
        for scale in scales:
            layers += [nn.LeakyReLU(0.2), _upsampling(channels, channels // 2, 2 * scale, scale)]
            channels //= 2
            layers += [_MelGanBlock(channels, dilation) for dilation in (1, 3, 9)]
        layers += [nn.LeakyReLU(0.2), nn.ReflectionPad1d(3), nn.Conv1d(channels, 1, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def finish(self) -> None:
        """What is done once the weights are there."""
        for layer in list(self.modules()):
            if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
                weight_norm(layer)

    def forward(self, mel: Tensor) -> Tensor:
        return self.model(mel)


class _MelGanBlock(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.ReflectionPad1d(dilation),
            nn.Conv1d(channels, channels, 3, dilation=dilation),
            nn.LeakyReLU(0.2),
            nn.Conv1d(channels, channels, 1),
        )
        self.shortcut = nn.Conv1d(channels, channels, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.shortcut(hidden) + self.block(hidden)


class PlainHiFiGan(nn.Module):
    """github.com/jik876/hifi-gan, weight norm removed."""

    def __init__(
        self,
        scales: Sequence[int] = (8, 8, 2, 2),
        sizes: Sequence[int] = (3, 7, 11),
        dilations: Sequence[Sequence[int]] = ((1, 3, 5),) * 3,
        *,
        channels: int = 512,
        short: bool = False,
    ) -> None:
        super().__init__()
        self.conv_pre = nn.Conv1d(80, channels, 7, padding=3)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        self.n_blocks = len(sizes)
        for scale in scales:
            self.ups.append(_upsampling(channels, channels // 2, 2 * scale, scale))
            channels //= 2
            for size, steps in zip(sizes, dilations, strict=True):
                self.resblocks.append(_HiFiGanBlock(channels, size, steps, short=short))
        self.conv_post = nn.Conv1d(channels, 1, 7, padding=3)

    def finish(self) -> None:
        """Nothing is left to do once the weights are there."""

    def forward(self, mel: Tensor) -> Tensor:
        hidden = self.conv_pre(mel)
        for stage, up in enumerate(self.ups):
            hidden = up(functional.leaky_relu(hidden, 0.1))
            first, *others = self.resblocks[stage * self.n_blocks : (stage + 1) * self.n_blocks]
            total = first(hidden)
            for block in others:
                total += block(hidden)
            hidden = total / self.n_blocks
        return torch.tanh(self.conv_post(functional.leaky_relu(hidden)))


class _HiFiGanBlock(nn.Module):
    def __init__(self, channels: int, size: int, dilations: Sequence[int], *, short: bool) -> None:
        super().__init__()
        dilated = nn.ModuleList(_same_conv(channels, channels, size, step) for step in dilations)
        self.short = short
        if short:
            self.convs = dilated
        else:
            self.convs1 = dilated
            self.convs2 = nn.ModuleList(_same_conv(channels, channels, size) for _ in dilations)

    def forward(self, hidden: Tensor) -> Tensor:
        for place, conv in enumerate(self.convs if self.short else self.convs1):
            inner = conv(functional.leaky_relu(hidden, 0.1))
            if not self.short:
                inner = self.convs2[place](functional.leaky_relu(inner, 0.1))
            hidden = inner + hidden
        return hidden


class PlainParallelWaveGan(nn.Module):
    """github.com/kan-bayashi/ParallelWaveGAN, weight norm removed."""

    def __init__(self, scales: Sequence[int] = (4, 4, 4, 4)) -> None:
        super().__init__()
        self.hop_length = math.prod(scales)
        self.first_conv = nn.Conv1d(1, 64, 1)
        self.upsample_net = _ParallelWaveGanUpsampling(scales)
        self.conv_layers = nn.ModuleList(
            _ParallelWaveGanLayer(2**place) for _ in range(3) for place in range(10)
        )
        self.last_conv_layers = nn.Sequential(nn.ReLU(), nn.Conv1d(64, 64, 1), nn.ReLU(), nn.Conv1d(64, 1, 1))

    def finish(self) -> None:
        """Nothing is left to do once the weights are there."""

    def forward(self, mel: Tensor, noise: Tensor | None = None) -> Tensor:
        if noise is None:
            noise = torch.randn(len(mel), 1, mel.shape[2] * self.hop_length)
        mel = self.upsample_net(functional.pad(mel, (2, 2), "replicate"))
        hidden, skips = self.first_conv(noise), 0
        for layer in self.conv_layers:
            hidden, skip = layer(hidden, mel)
            skips += skip
        return self.last_conv_layers(skips * math.sqrt(1 / len(self.conv_layers)))


class _ParallelWaveGanUpsampling(nn.Module):
    def __init__(self, scales: Sequence[int]) -> None:
        super().__init__()
        self.conv_in = nn.Conv1d(80, 80, 5, bias=False)
        layers = nn.ModuleList()
        for scale in scales:
            smoothing = nn.Conv2d(1, 1, (1, 2 * scale + 1), padding=(0, scale), bias=False)
            layers.extend([nn.Upsample(scale_factor=(1, scale)), smoothing])
        self.upsample = nn.ModuleDict({"up_layers": layers})

    def forward(self, mel: Tensor) -> Tensor:
        image = self.conv_in(mel)[:, None]
        for layer in self.upsample["up_layers"]:
            image = layer(image)
        return image[:, 0]


class _ParallelWaveGanLayer(nn.Module):
    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.conv = _same_conv(64, 128, 3, dilation)
        self.conv1x1_aux = nn.Conv1d(80, 128, 1, bias=False)
        self.conv1x1_out = nn.Conv1d(64, 64, 1)
        self.conv1x1_skip = nn.Conv1d(64, 64, 1)

    def forward(self, hidden: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        signal, gate = self.conv(hidden).chunk(2, dim=1)
        of_signal, of_gate = self.conv1x1_aux(mel).chunk(2, dim=1)
        gated = torch.tanh(signal + of_signal) * torch.sigmoid(gate + of_gate)
        return (self.conv1x1_out(gated) + hidden) * math.sqrt(0.5), self.conv1x1_skip(gated)


def _same_conv(n_inputs: int, n_outputs: int, size: int, dilation: int = 1) -> nn.Conv1d:
    return nn.Conv1d(n_inputs, n_outputs, size, dilation=dilation, padding=size // 2 * dilation)


def _upsampling(n_inputs: int, n_outputs: int, size: int, scale: int) -> nn.ConvTranspose1d:
    return nn.ConvTranspose1d(n_inputs, n_outputs, size, scale, padding=(size - scale) // 2)
