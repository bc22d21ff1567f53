"""Another device where there is none: torch's ``meta``, which keeps shapes and no values, watched closely."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")
aten = torch.ops.aten


class OneDevice(TorchDispatchMode):
    """Refuses operations on tensors of two devices, which ``meta`` itself overlooks here and there.

    Args:
        moves: Whether tensors may move from one device to the other; what comes from ``meta`` is zero.

    Attributes:
        seen: Devices that there was work on.
    """

    def __init__(self, *, moves: bool = True) -> None:
        super().__init__()
        self.moves = moves
        self.seen: set[torch.device] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        devices = {leaf.device for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        goal = kwargs.get("device")
        self.seen |= devices | {goal} - {None}
        if self.moves and func.overloadpacket is aten.copy_ and len(devices) == 2:
            return args[0] if args[0].device == META else args[0].zero_()
        if self.moves and func.overloadpacket in (aten.to, aten._to_copy) and goal:
            return torch.zeros(args[0].shape, dtype=args[0].dtype, device=goal)
        if len(devices | {goal} - {None}) > 1:
            raise AssertionError(f"{func} works on {devices} for {goal}")
        if func.overloadpacket is aten.istft and META in devices:  # which asks for values
            return torch.empty(args[8], device=META)  # its length
        return func(*args, **kwargs)
