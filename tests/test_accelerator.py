"""A choice means a device, and a GPU that is not there is one line."""

import pytest
import torch

from avfake.accelerator import find_device
from avfake.errors import AvfakeError


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, meant in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert find_device("auto").type == meant
        assert find_device("cpu").type == "cpu"
    assert find_device("gpu").type == "cuda"


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(AvfakeError, match=r"^--accelerator gpu: .* take --accelerator cpu$"):
        find_device("gpu")
