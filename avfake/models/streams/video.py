"""The video stream: R(2+1)D-18, under the key names by which its Kinetics weights are published."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.models.config import DetectorConfig
from avfake.models.streams.base import N_CLASSES, Stream


class TimeConv(nn.Conv3d):
    """Convolution over time: [batch, n_in, frames, height, width], kernel [3, 1, 1].

    A picture's pixels are one axis to it. torch's convolution of three axes does not know, and takes three
    times as long on a CPU.
    """

    def __init__(self, n_in: int, n_out: int, stride: int = 1) -> None:
        super().__init__(n_in, n_out, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve each pixel."""
        weight = self.weight[..., 0]
        made = functional.conv2d(input.flatten(3), weight, None, self.stride[:2], self.padding[:2])
        return made.view(*made.shape[:3], *input.shape[3:])


class Conv2Plus1d(nn.Sequential):
    """A convolution over a picture, then one over time.

    Args:
        n_in: Channels that come.
        n_out: Channels that go.
        n_between: Channels between the two.
        stride: In time and in space.
    """

    def __init__(self, n_in: int, n_out: int, n_between: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(n_in, n_between, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
            nn.BatchNorm3d(n_between),
            nn.ReLU(inplace=True),
            TimeConv(n_between, n_out, stride),
        )


class BasicBlock(nn.Module):
    """Two (2+1)D convolutions and a shortcut: [batch, n_in, ...] -> [batch, n_out, ...].

    Both convolutions have as many channels between picture and time as give the block's first one the
    parameters of a 3 x 3 x 3 convolution.
    """

    def __init__(self, n_in: int, n_out: int, stride: int = 1) -> None:
        super().__init__()
        n_between = 27 * n_in * n_out // (9 * n_in + 3 * n_out)
        self.conv1 = nn.Sequential(
            Conv2Plus1d(n_in, n_out, n_between, stride), nn.BatchNorm3d(n_out), nn.ReLU(inplace=True)
        )
        self.conv2 = nn.Sequential(Conv2Plus1d(n_out, n_out, n_between), nn.BatchNorm3d(n_out))
        self.downsample: nn.Sequential | None = None
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(
                nn.Conv3d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm3d(n_out)
            )

    def forward(self, features: Tensor) -> Tensor:
        """Add what the convolutions make of the features to these."""
        shortcut = features if self.downsample is None else self.downsample(features)
        made: Tensor = self.conv2(self.conv1(features))
        return functional.relu_(made.add_(shortcut))


class _Stem(nn.Sequential):
    """Normalises pictures in [0, 1], then halves their height and width."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: DetectorConfig) -> None:
        between, width = config.video_stem_width, config.video_widths[0]
        super().__init__(
            nn.Conv3d(3, between, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(between),
            nn.ReLU(inplace=True),
            TimeConv(between, width),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
        )
        self.shrink, self.pad = config.picture_shrink, config.pad
        for name in ("mean", "std"):  # facts of the configuration, not of the weights
            self.register_buffer(name, torch.tensor(getattr(config, f"picture_{name}")), persistent=False)

    def forward(self, video: Tensor) -> Tensor:
        small = functional.avg_pool3d(video, (1, self.shrink, self.shrink))
        mean, std = (x.view(3, 1, 1, 1) for x in (self.mean, self.std))
        pictures = (small - mean) / std
        if self.pad == "mean":
            pictures = pictures * (small.amax(dim=(1, 3, 4), keepdim=True) > 0)
        for layer in self:
            pictures = layer(pictures)
        return pictures


class R2Plus1d(nn.Module):
    """R(2+1)D with a head of two classes.

    Reference:
        Tran et al., 2018, A closer look at spatiotemporal convolutions for action recognition, section 3.5;
        torchvision's ``r2plus1d_18`` has the same keys, and 400 classes.

    Args:
        config: Its ``video_*`` and ``picture_*`` fields decide the shape.

    Attributes:
        shapes: [channels, frames, height, width] after each stage.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        frames, side = config.n_frames, -(-config.picture_size // config.picture_shrink // 2)
        width = config.video_widths[0]
        self.stem = _Stem(config)
        self.shapes = []
        sizes = zip(config.video_widths, config.video_blocks, (1, 2, 2, 2), strict=True)
        for number, (n_out, n_blocks, stride) in enumerate(sizes, start=1):
            blocks = [BasicBlock(width, n_out, stride)]
            blocks += [BasicBlock(n_out, n_out) for _ in range(n_blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            width, frames, side = n_out, -(-frames // stride), -(-side // stride)
            self.shapes.append((width, frames, side, side))
        self.fc = nn.Linear(width, N_CLASSES)
        self.apply(draw_weights)

    @property
    def stages(self) -> list[nn.Module]:
        """The four layers."""
        return [self.get_submodule(f"layer{number}") for number in range(1, 5)]

    def head(self, features: Tensor) -> Tensor:
        """[batch, channels, frames, height, width] -> logits [batch, 2]."""
        logits: Tensor = self.fc(features.mean(dim=(2, 3, 4)))
        return logits

    def forward(self, video: Tensor) -> Tensor:
        """[batch, 3, frames, height, width] in [0, 1] -> logits [batch, 2]."""
        features = self.stem(video)
        for stage in self.stages:
            features = stage(features)
        return self.head(features)


def draw_weights(module: nn.Module) -> None:
    """Random weights as this architecture was trained from: He's for convolutions, small ones for heads."""
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)


VIDEO_STREAMS: dict[str, Callable[[DetectorConfig], Stream]] = {"r2plus1d": cast("type[Stream]", R2Plus1d)}
