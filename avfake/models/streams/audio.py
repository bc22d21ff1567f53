"""The audio stream: M5, four convolutions on the waveform itself."""

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from avfake.models.config import DetectorConfig
from avfake.models.streams.base import N_CLASSES, Stream

_KERNEL_SIZES = (80, 3, 3, 3)
_STRIDES = (4, 1, 1, 1)
_POOLED = 4  # samples that become one after each stage
_LEAST_PEAK = 1e-4  # under which a clip is silent and stays so


class _Stem(nn.Module):
    """Gives the waveform an axis of channels."""

    def __init__(self, level: str) -> None:
        super().__init__()
        self.level = level

    def forward(self, audio: Tensor) -> Tensor:
        if self.level == "peak":
            audio = audio / audio.abs().amax(dim=1, keepdim=True).clamp_min(_LEAST_PEAK)
        return audio.unsqueeze(1)


class M5(nn.Module):
    """M5 with a head of two classes.

    Reference:
        Dai et al., 2017, Very deep convolutional neural networks for raw waveforms, table 1.

    Args:
        config: Its ``audio_*`` and ``waveform_*`` fields decide the shape.

    Attributes:
        shapes: [channels, time] after each stage.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.stem = _Stem(config.waveform_level)
        self.shapes: list[tuple[int, int]] = []
        layers, width, time = [], 1, config.n_samples
        sizes = zip(config.audio_widths, _KERNEL_SIZES, _STRIDES, config.audio_padding, strict=True)
        for n_out, kernel_size, stride, padding in sizes:
            layers.append(
                nn.Sequential(
                    nn.Conv1d(width, n_out, kernel_size, stride, padding),
                    nn.BatchNorm1d(n_out),
                    nn.ReLU(inplace=True),
                    nn.MaxPool1d(_POOLED),
                )
            )
            width, time = n_out, ((time + 2 * padding - kernel_size) // stride + 1) // _POOLED
            self.shapes.append((width, time))
        self.stages = nn.ModuleList(layers)
        self.fc = nn.Linear(width, N_CLASSES)

    def head(self, features: Tensor) -> Tensor:
        """[batch, channels, time] -> logits [batch, 2]."""
        logits: Tensor = self.fc(features.mean(dim=2))
        return logits

    def forward(self, audio: Tensor) -> Tensor:
        """[batch, time] in [-1, 1] -> logits [batch, 2]."""
        features = self.stem(audio)
        for stage in self.stages:
            features = stage(features)
        return self.head(features)


AUDIO_STREAMS: dict[str, Callable[[DetectorConfig], Stream]] = {"m5": cast("type[Stream]", M5)}
