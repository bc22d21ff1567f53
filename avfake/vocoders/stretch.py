"""From Mel frames to samples in stages: repeat every value, then smooth."""

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import mul

import torch
from torch import Tensor, nn
from torch.nn import functional


class Stretch(nn.Module):
    """Repeats every value along time, the last axis, and convolves with a kernel of two repetitions and one.

    So each output depends on three neighbouring values, of which it takes shares that repeat with the values:
    a product with a small matrix, many times faster than the convolution. Beyond the ends lie zeros.

    Args:
        factor: How often each value is repeated.
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.weight = nn.Parameter(torch.full((1, 1, 1, 2 * factor + 1), 1 / (2 * factor + 1)))

    def forward(self, values: Tensor) -> Tensor:
        """[..., time] -> [..., time * factor]."""
        alone = torch.eye(3, device=values.device).repeat_interleave(self.factor, dim=1)
        shares = functional.conv1d(alone[:, None], self.weight[0])[:, 0]
        smooth: Tensor = functional.pad(values, (1, 1)).unfold(-1, 3, 1) @ shares
        return smooth.flatten(-2)


def stretching(scales: Sequence[int]) -> nn.Sequential:
    """Layers that take [..., time] to [..., time * product of scales]; every second one has weights."""
    return nn.Sequential(*(layer for scale in scales for layer in (nn.Identity(), Stretch(scale))))


def reach(scales: Sequence[int]) -> int:
    """How many frames to either side of its own a sample depends on, after ``stretching``."""
    rates = accumulate(scales, mul)  # values per frame after each stage
    return math.ceil(math.fsum(scale / rate for scale, rate in zip(scales, rates, strict=True)))
