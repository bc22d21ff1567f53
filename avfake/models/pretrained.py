"""Weights and configuration of a detector in a folder; nothing is ever unpickled."""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from avfake.errors import AvfakeError, one_line
from avfake.files import whole_file, write_bytes
from avfake.models.config import DetectorConfig, differences
from avfake.weights import load_strictly

WEIGHTS, CONFIG = "model.safetensors", "config.json"
_KEY = "config"  # in the head of the weights, which ties them to their configuration


def save_weights(model: nn.Module, config: DetectorConfig, folder: Path) -> None:
    """Write a detector into a folder: its weights, and its configuration beside them.

    Raises:
        StorageError: The folder cannot be written.
    """
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in model.state_dict().items()}
    with whole_file(folder / WEIGHTS) as temporary:
        safetensors.torch.save_file(state, temporary, metadata={_KEY: config.as_json()})
    write_bytes(folder / CONFIG, config.as_json().encode())


def read_config(folder: Path) -> DetectorConfig:
    """Configuration of the detector in a folder.

    Raises:
        AvfakeError: There is none, it cannot be read, or it is not that of the weights beside it.
    """
    path, weights = folder / CONFIG, folder / WEIGHTS
    try:
        text = path.read_text(encoding="utf-8")
        with safe_open(weights, "pt") as file:
            own = (file.metadata() or {}).get(_KEY, text)
    except (OSError, UnicodeDecodeError, SafetensorError) as error:
        raise AvfakeError(f"{folder} holds no detector that can be read: {one_line(error)}") from error
    config = DetectorConfig.from_json(text, str(path))
    if wrong := differences(DetectorConfig.from_json(own, str(weights)), config):
        raise AvfakeError(f"{weights} was not saved with the {CONFIG} beside it: its own {'; '.join(wrong)}")
    return config


def load_weights(model: nn.Module, config: DetectorConfig, folder: Path) -> None:
    """Load a folder's weights into a model of the same configuration.

    Args:
        model: Built from ``config``.
        config: What the weights must have been trained with.
        folder: As ``save_weights`` wrote it.

    Raises:
        AvfakeError: The folder holds no detector, a damaged one, or one of another configuration.
    """
    if wrong := differences(read_config(folder), config):
        raise AvfakeError(f"{folder} holds a detector of another configuration: {'; '.join(wrong)}")
    load_strictly(model, read_tensors(folder / WEIGHTS), f"weights {folder / WEIGHTS} do not fit")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors by key of a safetensors file, or of one that ``torch.save`` wrote.

    Raises:
        AvfakeError: The file is missing, damaged, holds something else, or NaN.
    """
    try:
        if path.suffix == ".safetensors":
            state = safetensors.torch.load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises whatever its parts do
        raise AvfakeError(f"weights {path} cannot be read: {one_line(error)}") from error
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise AvfakeError(f"weights {path} hold no tensors by name; take a state dict")
    for key, tensor in state.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise AvfakeError(f"weights {path} hold NaN or infinite numbers in {key}; get them again")
    return dict(state)
