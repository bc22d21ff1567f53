"""How networks compute on a CUDA GPU: to the same numbers each time."""

from functools import partial

import torch

CPU = torch.device("cpu")

# With cuDNN's defaults a convolution rounds its input to ten bits, and may differ from run to run.
exact_convolutions = partial(
    torch.backends.cudnn.flags, enabled=True, benchmark=False, deterministic=True, allow_tf32=False
)
