"""Periodic activations at twice the sample rate, so that the overtones they make do not fold back."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

ACTIVATION_REACH = (
    6  # samples to either side that an output depends on, 3 on the way up and 3 on the way down
)
_N_TAPS = 12
_CUTOFF = 0.25  # of the doubled rate, which is half of the rate before
_TRANSITION = 0.3  # width of the filter's slope, of the doubled rate
_TINY = 1e-9  # keeps a beta of zero from dividing


def low_pass() -> Tensor:
    """Kaiser-windowed sinc, [12], whose taps sum to one.

    Reference:
        Kaiser, 1974, Nonrecursive digital filter design using the I0-sinh window function.
    """
    attenuation_db = 2.285 * (_N_TAPS // 2 - 1) * math.pi * 4 * _TRANSITION + 7.95
    beta = 0.1102 * (attenuation_db - 8.7)  # for more than 50 dB; it is 51
    time = np.arange(_N_TAPS) - (_N_TAPS - 1) / 2
    taps = np.kaiser(_N_TAPS, beta) * np.sinc(2 * _CUTOFF * time)
    return torch.from_numpy(taps / taps.sum()).float()


class Snake(nn.Module):
    """x + sin(alpha * x)**2 / beta; each channel has its own alpha and beta, learnt as logarithms.

    Reference:
        Ziyin, Hartwig and Ueda, 2020, Neural networks fail to learn periodic functions and how to fix it;
        with the two parameters apart, Lee et al., 2022, BigVGAN.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, hidden: Tensor) -> Tensor:
        """[batch, channels, 1, time], changed in place."""
        alpha, gain = self.alpha.exp()[:, None, None], 1 / (self.beta.exp() + _TINY)[:, None, None]
        return hidden.addcmul_((hidden * alpha).sin_().square_(), gain)


class AntiAliasedSnake(nn.Module):
    """Up to twice the rate, ``Snake``, and down again; beyond its ends a signal keeps its last value.

    The even and the odd samples of the doubled rate are never put in one row: each are what a filter of half
    the taps makes of the input, and what another takes back.
    """

    kernels: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.act = Snake(channels)
        taps = low_pass()
        up, down = 2 * taps.flip(0), taps
        kernels = torch.stack([up[0::2], up[1::2], down[1::2], down[0::2]])
        self.register_buffer(
            "kernels", kernels[:, None, None, None].repeat(1, channels, 1, 1, 1), persistent=False
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """[batch, channels, 1, time] -> the same."""
        first, last = hidden[..., :1], hidden[..., -1:]
        wide = _between(first, 3, hidden, last, 3)
        even = self.act(self._filter(wide[..., :-1], 0))
        odd = self.act(self._filter(wide[..., 1:], 1))
        first, last = even[..., :1], odd[..., -1:]
        lowered = self._filter(_between(first, 2, even, last, 3), 2)
        return lowered.add_(self._filter(_between(first, 3, odd, last, 2), 3))

    def _filter(self, hidden: Tensor, number: int) -> Tensor:
        return functional.conv2d(hidden, self.kernels[number], groups=hidden.shape[1])


def _between(first: Tensor, n_before: int, hidden: Tensor, last: Tensor, n_after: int) -> Tensor:
    """A signal, [batch, channels, 1, time], with values repeated before and after it, channels last."""
    parts = (first.expand(-1, -1, -1, n_before), hidden, last.expand(-1, -1, -1, n_after))
    return torch.cat([part.permute(0, 2, 3, 1) for part in parts], dim=2).permute(0, 3, 1, 2)
