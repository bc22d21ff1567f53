"""From a published weights file to a network: find the tensors, fold weight norm, load every one of them."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from avfake.errors import AvfakeError


def read_state(path: Path, container: str = "") -> dict[str, Tensor]:
    """The state dict of a file of torch, as float32, found under the keys ``container`` joins by dots."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    for key in filter(None, container.split(".")):
        content = content[key]
    return {key: value.float() if value.is_floating_point() else value for key, value in content.items()}


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


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Load a state into a network if, and only if, every key and every shape is the network's own.

    Args:
        network: Without weight norm.
        state: As ``fold_weight_norm`` gives it.
        name: Of the vocoder, for the message.

    Raises:
        AvfakeError: Keys are missing, are too many, or have another shape.
    """
    own = network.state_dict()
    wrong = [f"{key} is missing" for key in own if key not in state]
    wrong += [f"{key} is unknown" for key in state if key not in own]
    wrong += [
        f"{key} is {list(state[key].shape)} instead of {list(own[key].shape)}"
        for key in own
        if key in state and own[key].shape != state[key].shape
    ]
    if wrong:
        raise AvfakeError(
            f"weights do not fit vocoder {name}: {wrong[0]}, and {len(wrong) - 1} more such differences; "
            "take the checkpoint of its card, or the card of this checkpoint"
        )
    network.load_state_dict(state)


_LAYOUTS = (
    ("weight", "weight_g", "weight_v"),
    ("weight", "parametrizations.weight.original0", "parametrizations.weight.original1"),
)


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
