"""Random numbers of the loader: from what they are for, never from who draws them or when."""

import hashlib

import numpy as np


def draws_for(*key: object) -> np.random.Generator:
    """Generator that depends on the key alone: (seed, what it is for, epoch, sample)."""
    return np.random.default_rng(int.from_bytes(_digest(key)[:16]))


def number_for(*key: object) -> int:
    """A random number of 64 bits that depends on the key alone; for draws too many for generators."""
    return int.from_bytes(_digest(key)[:8])


def _digest(key: tuple[object, ...]) -> bytes:
    return hashlib.sha256(repr(key).encode()).digest()
