"""What a stream is: a stem, stages, a head; and how large its features are."""

import copy
from collections.abc import Iterable
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from avfake.errors import AvfakeError

N_CLASSES = 2  # real, fake


class Stream(Protocol):
    """A backbone of one modality; a module too.

    Attributes:
        stem: What comes before the first stage.
    """

    stem: nn.Module

    @property
    def stages(self) -> Iterable[nn.Module]:
        """Four modules, one after the other; central connections join after each."""
        ...

    def head(self, features: Tensor, /) -> Tensor:
        """Logits [batch, 2] of what the last stage makes."""
        ...


def stage_shapes(stream: Stream, clip: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Size of what each stage makes of a clip: [channels, frames, height, width] or [channels, time].

    A stream that has an attribute ``shapes`` is taken at its word; any other runs once without data.

    Args:
        stream: A module.
        clip: Size of its input, without the batch.
    """
    if (known := getattr(stream, "shapes", None)) is not None:
        return list(known)
    empty = cast(Stream, copy.deepcopy(cast(nn.Module, stream)).to("meta").eval())
    with torch.no_grad():
        features = empty.stem(torch.empty(1, *clip, device="meta"))
        shapes = []
        for stage in empty.stages:
            features = stage(features)
            shapes.append(tuple(features.shape[1:]))
    return shapes


def check_stages(shapes: list[tuple[int, ...]], name: str, n_axes: int) -> None:
    """Refuse a stream that is not as central connections need it.

    Raises:
        ValueError: It has not four stages, or what they make has other axes.
        AvfakeError: Nothing is left of a clip at some stage.
    """
    if len(shapes) != 4 or any(len(shape) != n_axes for shape in shapes):
        raise ValueError(f"stream {name!r} makes {shapes}; wanted four stages of {n_axes} axes and the batch")
    if min(map(min, shapes)) < 1:
        raise AvfakeError(f"clips are too short or small: stream {name!r} makes {shapes} of them")
