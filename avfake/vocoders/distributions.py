"""From the outputs of an autoregressive network to its next sample: the three distributions in use."""

import math
from typing import Protocol

import torch
from torch import Tensor

_EDGE = 1e-5  # uniform numbers keep this distance from 0 and 1, as where these networks come from


class Distribution(Protocol):
    """A distribution over [-1, 1], with the memory to draw from it for a fixed number of rows.

    Attributes:
        n_noise: Random numbers that one sample takes.
        noise_dtype: Their precision.
    """

    n_noise: int
    noise_dtype: torch.dtype

    def noise(self, n_samples: int, generator: torch.Generator) -> Tensor:
        """Random numbers of ``n_samples`` successive samples of one row, [n_samples, n_noise]."""
        ...

    def draw(self, outputs: Tensor, noise: Tensor, sample: Tensor) -> None:
        """Draw one sample per row.

        Args:
            outputs: Of the network, [rows, outputs].
            noise: [rows, n_noise].
            sample: [rows, 1]; receives the samples.
        """
        ...


class LogisticMixture:
    """A mixture of logistic distributions; outputs are logits, means and log scales.

    Reference:
        Salimans, Karpathy, Chen and Kingma, 2017, PixelCNN++, section 2.1.
    """

    noise_dtype = torch.float32

    def __init__(self, n_outputs: int, n_rows: int, device: torch.device) -> None:
        self.n_mixtures = n_outputs // 3
        self.n_noise = self.n_mixtures + 1
        self._scores = torch.empty(n_rows, self.n_mixtures, device=device)
        self._chosen = torch.empty(n_rows, 1, dtype=torch.int64, device=device)
        self._mean, self._scale = torch.empty(2, n_rows, 1, device=device)

    def noise(self, n_samples: int, generator: torch.Generator) -> Tensor:
        """Gumbel noise, which picks a mixture, and logistic noise."""
        uniform = torch.empty(n_samples, self.n_noise).uniform_(_EDGE, 1 - _EDGE, generator=generator)
        return logistic_noise(uniform)

    def draw(self, outputs: Tensor, noise: Tensor, sample: Tensor) -> None:
        """Draw one sample per row."""
        logits, means, log_scales = outputs.chunk(3, dim=1)
        torch.add(logits, noise[:, :-1], out=self._scores)
        torch.argmax(self._scores, 1, keepdim=True, out=self._chosen)
        torch.gather(means, 1, self._chosen, out=self._mean)
        torch.gather(log_scales, 1, self._chosen, out=self._scale).exp_()
        torch.addcmul(self._mean, self._scale, noise[:, -1:], out=sample).clamp_(-1, 1)


def logistic_noise(uniform: Tensor) -> Tensor:
    """What ``LogisticMixture`` makes of uniform numbers in (0, 1), [..., mixtures + 1]."""
    logs = uniform.log()
    gumbel = logs[..., :-1].neg().log_().neg_()
    logistic = logs[..., -1:] - (1 - uniform[..., -1:]).log_()
    return torch.cat([gumbel, logistic], dim=-1)


class Gaussian:
    """One normal distribution; outputs are its mean and the logarithm of its standard deviation."""

    n_noise = 1
    noise_dtype = torch.float32

    def __init__(self, n_outputs: int, n_rows: int, device: torch.device) -> None:
        self._scale = torch.empty(n_rows, 1, device=device)

    def noise(self, n_samples: int, generator: torch.Generator) -> Tensor:
        """Standard normal noise."""
        return torch.randn(n_samples, 1, generator=generator)

    def draw(self, outputs: Tensor, noise: Tensor, sample: Tensor) -> None:
        """Draw one sample per row."""
        torch.exp(outputs[:, 1:], out=self._scale)
        torch.addcmul(outputs[:, :1], self._scale, noise, out=sample).clamp_(-1, 1)


class Categorical:
    """Classes that lie evenly in [-1, 1]; outputs are their logits."""

    n_noise = 1
    noise_dtype = torch.float64  # single precision would leave rare classes undrawn

    def __init__(self, n_outputs: int, n_rows: int, device: torch.device) -> None:
        self._last = n_outputs - 1
        self._weights = torch.empty(n_rows, n_outputs, device=device)
        self._sums = torch.empty(n_rows, n_outputs, dtype=torch.float64, device=device)
        self._place = torch.empty(n_rows, 1, dtype=torch.float64, device=device)
        self._chosen = torch.empty(n_rows, 1, dtype=torch.int64, device=device)

    def noise(self, n_samples: int, generator: torch.Generator) -> Tensor:
        """Uniform numbers; each picks the class whose share of the cumulative probability it lies in."""
        return torch.rand(n_samples, 1, dtype=self.noise_dtype, generator=generator)

    def draw(self, outputs: Tensor, noise: Tensor, sample: Tensor) -> None:
        """Draw one sample per row."""
        torch.softmax(outputs, 1, out=self._weights)
        torch.cumsum(self._weights, 1, dtype=self.noise_dtype, out=self._sums)
        torch.mul(noise, self._sums[:, -1:], out=self._place)
        torch.searchsorted(self._sums, self._place, right=True, out=self._chosen).clamp_(max=self._last)
        torch.mul(self._chosen, 2 / self._last, out=sample).sub_(1)


DISTRIBUTIONS: dict[str, type[LogisticMixture] | type[Gaussian] | type[Categorical]] = {
    "mol": LogisticMixture,
    "gaussian": Gaussian,
    "softmax": Categorical,
}


def expand_mu_law(waveform: Tensor, n_classes: int) -> Tensor:
    """Undo the companding of samples in [-1, 1], any shape, as ITU-T G.711 does with 256 classes."""
    mu = n_classes - 1
    return waveform.sign() * torch.expm1(waveform.abs() * math.log1p(mu)) / mu
