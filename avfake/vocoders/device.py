"""Where networks compute: on the CPU or on a CUDA GPU, and there always to the same numbers."""

from functools import partial
from typing import Literal

import torch

from avfake.errors import AvfakeError

Device = Literal["auto", "cpu", "cuda"]
CPU = torch.device("cpu")

# With cuDNN's defaults a convolution rounds its input to ten bits, and may differ from run to run.
exact_convolutions = partial(
    torch.backends.cudnn.flags, enabled=True, benchmark=False, deterministic=True, allow_tf32=False
)


def find_device(device: Device) -> torch.device:
    """The device that a choice means.

    Args:
        device: ``auto`` takes a GPU where there is one.

    Raises:
        AvfakeError: A GPU is asked for and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise AvfakeError("--device cuda: torch sees no GPU here; take --device cpu")
    return torch.device("cuda") if device != "cpu" and torch.cuda.is_available() else CPU
