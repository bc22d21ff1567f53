"""Random numbers of the demo: from what they are for, never from the order in which they are drawn."""

import hashlib

import numpy as np
from scipy.ndimage import gaussian_filter1d


def draws_for(*key: object) -> np.random.Generator:
    """Generator that depends on the key alone: (seed, what it is for, name of the clip)."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def wander(rng: np.random.Generator, n_points: int, *, smoothness: float) -> np.ndarray:
    """A slow random curve, [n_points], mean 0 and standard deviation 1.

    Args:
        rng: Where it comes from.
        n_points: Its length.
        smoothness: Standard deviation of the smoothing, in points.
    """
    margin = int(4 * smoothness) + 1
    noise = rng.standard_normal(n_points + 2 * margin)
    curve = gaussian_filter1d(noise, smoothness)[margin : margin + n_points]
    spread = float(curve.std())
    centred: np.ndarray = (curve - curve.mean()) / (spread if spread > 0 else 1.0)
    return centred
