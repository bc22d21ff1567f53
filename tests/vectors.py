"""Reference vectors of the conformance folder, read without the package that wrote them."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32}


@lru_cache(maxsize=4)
def read_safetensors(path: Path) -> dict[str, NDArray]:
    """Arrays by name: 8 bytes that hold the length of a JSON header, the header, then the values."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        first, end = (start + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(data[first:end], _DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def mel_vectors(shared: Path) -> dict[str, NDArray]:
    """One LJSpeech wave at three rates, and its log-Mel by every front-end."""
    return read_safetensors(shared / "conformance" / "vocoders" / "mel_frontends.safetensors")


def lj_wave(shared: Path, sample_rate: int = 22_050) -> NDArray[np.float32]:
    """LJ001-0002, [time]."""
    vectors = mel_vectors(shared)
    if sample_rate == 22_050:
        return vectors["input/wave_int16_22050"].astype(np.float32) / 32_768
    return vectors[f"input/wave_float_{sample_rate}"].copy()
