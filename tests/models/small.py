"""Detectors narrow and short enough for a test, and clips for them."""

from typing import Any

import torch
from torch import Tensor, nn

from avfake.models import Detector, build_model

SMALL = {"window_s": 0.8, "picture_size": 32, "picture_shrink": 1}  # 8 pictures; 16, 8, 4, 2 pixels a side


def small(**fields: Any) -> Detector:
    torch.manual_seed(0)
    return build_model("tiny", **{**SMALL, **fields})


def draw_clips(model: Detector, n_clips: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    video, audio = (torch.rand(n_clips, *shape, generator=generator) for shape in model.clip_shapes)
    return video, audio - 0.5


def stir(model: nn.Module) -> None:
    """Move every parameter a little, also those that begin at zero."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))


def n_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
