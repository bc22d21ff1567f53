"""From a published weights file to a network: find the tensors, fold weight norm, load every one of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from avfake.errors import AvfakeError, one_line
from avfake.vocoders.containers import open_checkpoint, read_member
from avfake.vocoders.hdf5 import read_datasets
from avfake.vocoders.unpickle import Inert
from avfake.weights import load_strictly

N = TypeVar("N", bound=nn.Module)
_LAYOUTS = (
    ("weight", "weight_g", "weight_v"),
    ("weight", "parametrizations.weight.original0", "parametrizations.weight.original1"),
)
_STATS_FOLDER = "stats/"  # where re-exports keep mean and scale


def read_state(
    path: Path, *, container: str = "", member: str | None = None, stats: str | None = None
) -> dict[str, Tensor]:
    """The state dict of a published file, in float32, without running any code the file may hold.

    Args:
        path: Of torch, safetensors, or an archive of these.
        container: Keys that lead to the state dict, joined by dots. A file that is a state dict at once is
            taken as it is, so that re-exports fit too; a pickled module gives its parameters and buffers.
        member: Name of the weights inside an archive, with wildcards.
        stats: Name of an HDF5 file, in the archive or beside ``path``, whose datasets join the state.

    Returns:
        Tensors by key, as stored, on the CPU; floats of other precisions as float32.

    Raises:
        AvfakeError: The file is missing, damaged, no checkpoint, or holds NaN.
    """
    state = _state_dict(open_checkpoint(path, member), container, path)
    if stats and not {"mean", "scale"} <= set(state):
        state |= _statistics(path, stats)
    state = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    if broken := [key for key, tensor in state.items() if not _is_finite(tensor)]:
        raise AvfakeError(f"weights file {path} holds NaN or infinite numbers in {broken[0]}; get it again")
    return state


def fold_weight_norm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Multiply out weight norm; every other tensor stays as it is.

    Both layouts of torch are known: ``weight_g`` and ``weight_v`` of ``torch.nn.utils.weight_norm``, and
    ``parametrizations.weight.original0`` and ``original1`` of its successor.

    Returns:
        The state with one ``weight`` in place of each pair, in the order of the first of each pair.

    Raises:
        AvfakeError: One of a pair is missing, or their shapes do not belong together.
    """
    folded: dict[str, Tensor] = {}
    for key, tensor in state.items():
        pair = _pair(key)
        if pair is None:
            folded[key] = tensor
            continue
        weight, length, direction = pair
        if lacking := [name for name in (length, direction) if name not in state]:
            raise AvfakeError(f"weights hold {key} without {lacking[0]}; the file is damaged or edited")
        folded[weight] = _fold(state[length], state[direction], weight)
    return folded


def renamed(
    state: Mapping[str, Tensor], patterns: Sequence[tuple[str, str | Callable[[re.Match[str]], str]]]
) -> dict[str, Tensor]:
    """A state under the key names of another layout.

    Args:
        state: Tensors by key.
        patterns: Regular expressions and what replaces them, applied to each key one after another.
    """
    named = {}
    for key, tensor in state.items():
        for pattern, name in patterns:
            key = re.sub(pattern, name, key)
        named[key] = tensor
    return named


def settled(make: Callable[[], N], state: Mapping[str, Tensor] | None, name: str) -> N:
    """A network in evaluation mode.

    Args:
        make: Builds it.
        state: Its weights, loaded strictly; None for random ones, always the same.
        name: Of the vocoder, for the message.

    Raises:
        AvfakeError: The weights do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = make()
    if state is not None:
        advice = "take the checkpoint of its card, or the card of this checkpoint"
        load_strictly(network, state, f"weights do not fit vocoder {name}", advice)
    return network.eval().requires_grad_(False)


def _state_dict(content: Any, container: str, path: Path) -> dict[str, Tensor]:
    for key in filter(None, container.split(".")):
        if _is_state(content):
            break
        if not isinstance(content, dict) or key not in content:
            held = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
            raise AvfakeError(f"weights file {path} holds no {container!r} but {one_line(held)}")
        content = content[key]
    try:
        state = _module_state(content) if isinstance(content, Inert) else content
    except RecursionError as error:
        raise AvfakeError(f"weights file {path} holds modules that hold each other") from error
    if not _is_state(state):
        raise AvfakeError(f"weights file {path} holds no tensors by name; take the checkpoint of the card")
    return {key.removeprefix(_STATS_FOLDER): tensor for key, tensor in state.items()}


def _is_state(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items())
    )


def _is_finite(tensor: Tensor) -> bool:
    """Whether all values are; the extremes tell, in a quarter of the time."""
    if not tensor.numel() or not tensor.is_floating_point():
        return True
    return all(bool(extreme.isfinite()) for extreme in tensor.aminmax())


def _module_state(module: Inert, prefix: str = "") -> dict[str, Tensor]:
    """Parameters and buffers of a pickled ``nn.Module``, under the keys its state dict would have."""
    own = {**_part(module, "_parameters"), **_part(module, "_buffers")}
    state = {prefix + name: tensor for name, tensor in own.items() if isinstance(tensor, Tensor)}
    for name, child in _part(module, "_modules").items():
        if isinstance(child, Inert):
            state |= _module_state(child, f"{prefix}{name}.")
    return state


def _part(module: Inert, name: str) -> dict[str, Any]:
    part = module.state.get(name) if isinstance(module.state, dict) else None
    return part if isinstance(part, dict) else {}


def _statistics(path: Path, name: str) -> dict[str, Tensor]:
    """``mean`` and ``scale`` of the Mel bands."""
    data = read_member(path, name)
    if data is None and (beside := path.with_name(name)).is_file():
        data = beside.read_bytes()
    if data is None:
        raise AvfakeError(f"{path} comes without its statistics; put {name} of the same download beside it")
    try:
        datasets = read_datasets(data)
        return {key: torch.from_numpy(datasets[key].copy()).flatten() for key in ("mean", "scale")}
    except (ValueError, KeyError) as error:
        raise AvfakeError(f"{name} of {path} holds no mean and scale: {one_line(error)}") from error


def _pair(key: str) -> tuple[str, str, str] | None:
    """Keys of the weight, of its lengths and of its directions, if ``key`` is one of the latter two."""
    for layout in _LAYOUTS:
        for name in layout[1:]:
            prefix = key.removesuffix(name)
            if prefix != key and (not prefix or prefix.endswith(".")):
                weight, length, direction = (prefix + part for part in layout)
                return weight, length, direction
    return None


def _fold(length: Tensor, direction: Tensor, weight: str) -> Tensor:
    """``length * direction / |direction|``, the norm taken over all axes but the one that ``length`` has."""
    axis = next((axis for axis, size in enumerate(length.shape) if size > 1), 0)
    wanted = [size if place == axis else 1 for place, size in enumerate(direction.shape)]
    if list(length.shape) != wanted:
        shapes = f"{list(length.shape)} and {list(direction.shape)}"
        raise AvfakeError(f"weight norm of {weight} has shapes {shapes}, which do not belong together")
    return torch._weight_norm(direction, length, axis)
