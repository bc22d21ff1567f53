"""Weights into a network: every one of them, or none."""

from collections.abc import Mapping

from torch import Tensor, nn

from avfake.errors import AvfakeError


def load_strictly(module: nn.Module, state: Mapping[str, Tensor], refusal: str, advice: str = "") -> None:
    """Load a state if, and only if, every key and every shape is the module's own.

    Args:
        module: Of any kind.
        state: Tensors by key.
        refusal: Begins the message, such as "weights FILE do not fit".
        advice: Ends it.

    Raises:
        AvfakeError: Keys are missing, are too many, or have another shape; nothing is loaded then.
    """
    if wrong := misfits(module, state):
        more = f"{wrong[0]}, and {len(wrong) - 1} more such differences"
        raise AvfakeError(f"{refusal}: {more}{advice and f'; {advice}'}")
    module.load_state_dict(state)


def misfits(module: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
    """What of a state is not the module's own, one text per key: missing, unknown, or of another shape."""
    own = {key: list(tensor.shape) for key, tensor in module.state_dict().items()}
    found = {key: list(tensor.shape) for key, tensor in state.items()}
    wrong = [f"{key} is missing" for key in own if key not in found]
    wrong += [f"{key} is unknown" for key in found if key not in own]
    wrong += [
        f"{key} is {found[key]} instead of {shape}"
        for key, shape in own.items()
        if found.get(key, shape) != shape
    ]
    return wrong
