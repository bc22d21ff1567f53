"""Weights go into a network whole, or not at all."""

import pytest
import torch
from torch import Tensor, nn

from avfake.errors import AvfakeError
from avfake.weights import load_strictly


def test_a_state_that_fits_is_loaded() -> None:
    source, target = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    source.running_mean.fill_(5)
    load_strictly(target, source.state_dict(), "weights do not fit")
    assert all(torch.equal(x, source.state_dict()[key]) for key, x in target.state_dict().items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": None}, r"^weights do not fit: bias is missing, and 0 more such differences; look$"),
        ({"bios": torch.ones(3)}, r"bios is unknown, and 0 more"),
        ({"bias": None, "bios": torch.ones(3)}, r"bias is missing, and 1 more"),
        ({"weight": torch.ones(3, 2, 6)}, r"weight is \[3, 2, 6\] instead of \[3, 2, 5\], and 0 more"),
        ({"bias": torch.ones(3, 1)}, r"bias is \[3, 1\] instead of \[3\]"),
    ],
)
def test_any_difference_is_refused_and_nothing_loaded(change: dict[str, Tensor | None], message: str) -> None:
    network = nn.Conv1d(2, 3, 5)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    changed = {**{key: torch.zeros_like(tensor) for key, tensor in before.items()}, **change}
    state = {key: tensor for key, tensor in changed.items() if tensor is not None}
    with pytest.raises(AvfakeError, match=message):
        load_strictly(network, state, "weights do not fit", "look")
    assert all(torch.equal(x, before[key]) for key, x in network.state_dict().items())
