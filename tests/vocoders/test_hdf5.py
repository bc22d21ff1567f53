"""HDF5: the numbers h5py wrote, and an error for everything else."""

import random
from pathlib import Path

import numpy as np
import pytest

from avfake.vocoders.hdf5 import read_datasets

STATS = Path(__file__).with_name("stats.h5").read_bytes()  # by h5py 3.16, one dataset added to the other


def test_numbers_are_those_that_were_written() -> None:
    datasets = read_datasets(STATS)
    assert list(datasets) == ["mean", "scale"]
    assert np.array_equal(datasets["mean"], np.arange(80, dtype=np.float32) / 8 - 7)
    assert np.array_equal(datasets["scale"], 1 + np.arange(80, dtype=np.float32) / 64)
    assert datasets["mean"].dtype == np.float32


@pytest.mark.parametrize("data", [b"", STATS[:8], b"<html>" * 100, STATS[:-1], STATS[:2000], bytes(5000)])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="HDF5|buffer|reshape"):
        read_datasets(data)


def test_no_damage_leads_to_anything_but_a_refusal() -> None:
    draws = random.Random(0)
    for _ in range(2000):
        data = bytearray(STATS)
        for _ in range(3):
            data[draws.randrange(len(data))] = draws.randrange(256)
        try:
            datasets = read_datasets(bytes(data))
        except ValueError:
            continue
        assert all(values.dtype == np.float32 for values in datasets.values())
