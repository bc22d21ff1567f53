"""Pseudo quadrature mirror filters: a waveform as bands at a fraction of its rate, and back."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class Pqmf(nn.Module):
    """Cosine-modulated filter bank, whose synthesis nearly undoes its analysis, without delay.

    Reference:
        Lin and Vaidyanathan, 1998, A Kaiser window approach for the design of prototype filters of cosine
        modulated filterbanks.

    Args:
        n_bands: Into which the spectrum is cut, evenly.
        taps: Length of the filters less one; even.
        cutoff_ratio: Where the prototype's pass band ends, as a share of half the sample rate. Which one is
            nearest to perfect depends on the other numbers.
        beta: Of the Kaiser window.
    """

    analysis: Tensor
    synthesis: Tensor

    def __init__(self, n_bands: int, *, taps: int, cutoff_ratio: float, beta: float) -> None:
        super().__init__()
        if taps % 2:
            raise ValueError(f"taps={taps} must be even, or the filter bank delays by half a sample")
        if not 0 < cutoff_ratio < 1:
            raise ValueError(f"cutoff_ratio={cutoff_ratio} must lie in (0, 1)")
        self.n_bands = n_bands
        place = np.arange(taps + 1) - taps // 2
        prototype = cutoff_ratio * np.sinc(cutoff_ratio * place) * np.kaiser(taps + 1, beta)
        band = np.arange(n_bands)[:, None]
        angle = (2 * band + 1) * np.pi / (2 * n_bands) * place
        turn = (-1.0) ** band * np.pi / 4
        for name, sign in (("analysis", 1), ("synthesis", -1)):
            filters = torch.from_numpy(2 * prototype * np.cos(angle + sign * turn)).float()
            self.register_buffer(name, filters[:, None], persistent=False)

    @property
    def reach(self) -> int:
        """How many samples of a band, to either side, a sample of the waveform depends on."""
        return math.ceil(self.synthesis.shape[2] // 2 / self.n_bands)

    def analyse(self, waveform: Tensor) -> Tensor:
        """[batch, 1, time] -> [batch, n_bands, time / n_bands]."""
        return functional.conv1d(
            waveform, self.analysis, stride=self.n_bands, padding=self.analysis.shape[2] // 2
        )

    def synthesise(self, bands: Tensor) -> Tensor:
        """[batch, n_bands, time / n_bands] -> [batch, 1, time]."""
        return functional.conv_transpose1d(
            bands,
            self.n_bands * self.synthesis.flip(2),
            stride=self.n_bands,
            padding=self.synthesis.shape[2] // 2,
            output_padding=self.n_bands - 1,
        )
