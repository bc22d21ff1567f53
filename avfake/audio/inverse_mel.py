"""From Mel bands back to a linear magnitude spectrum: non-negative least squares, all frames at once."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from avfake.audio.mel import MelConfig, mel_filters

_N_ITERATIONS = 50  # leaves about 1e-4 of what the Mel bands of speech hold unexplained


def invert_mel(amplitude: Tensor, config: MelConfig) -> Tensor:
    """Find magnitudes that are not negative and whose Mel bands are nearest to the given ones.

    Many spectra have the same Mel bands; the search starts at the smallest one, with its negative values
    cut, and so stays smooth within a band.

    Args:
        amplitude: Mel bands before the logarithm, [batch, n_mels, mel_frames].
        config: What they were made with.

    Returns:
        Magnitudes, [batch, n_fft // 2 + 1, mel_frames], not negative; zero above ``config.top_hz``.

    Reference:
        Beck and Teboulle, 2009, A fast iterative shrinkage-thresholding algorithm, section 4.
    """
    filters, inverse, step = _factors(config, amplitude.device)
    target = amplitude.transpose(1, 2).contiguous()
    magnitude = (target @ inverse).clamp_min_(0)
    ahead, momentum = magnitude, 1.0
    for _ in range(_N_ITERATIONS):
        residual = torch.matmul(ahead, filters).sub_(target)
        following = ahead.sub(residual @ filters.T, alpha=step).clamp_min_(0)
        faster = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = torch.lerp(magnitude, following, 1 + (momentum - 1) / faster)
        magnitude, momentum = following, faster
    n_unseen = config.n_fft // 2 + 1 - len(filters)
    return functional.pad(magnitude, (0, n_unseen)).transpose(1, 2)


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def _factors(config: MelConfig, device: torch.device) -> tuple[Tensor, Tensor, float]:
    """Filters [bins, n_mels] up to the last bin in use, their pseudo-inverse, and the longest safe step."""
    bands = mel_filters(config)
    n_used = int(np.flatnonzero(bands.any(axis=0)).max()) + 1
    filters = torch.from_numpy(bands[:, :n_used].T).to(device)
    inverse = torch.linalg.pinv(filters)
    step = 1 / float(torch.linalg.matrix_norm(filters, 2)) ** 2
    return filters.float().contiguous(), inverse.float().contiguous(), step
