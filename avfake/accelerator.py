"""What networks compute on."""

from typing import Literal

import torch

from avfake.errors import AvfakeError

Accelerator = Literal["auto", "cpu", "gpu"]


def find_device(accelerator: Accelerator) -> torch.device:
    """The device that a choice means.

    Args:
        accelerator: ``auto`` takes a CUDA GPU where there is one.

    Raises:
        AvfakeError: A GPU is asked for and there is none.
    """
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise AvfakeError("--accelerator gpu: torch sees no GPU here; take --accelerator cpu")
    return torch.device("cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu")
