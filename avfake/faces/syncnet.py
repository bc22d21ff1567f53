"""SyncNet, a network that brings a mouth and its sound to one place; its weights come from the user."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from avfake.errors import AvfakeError, one_line

FRAMES, SIZE = 5, 224  # of the pictures in one window
N_MFCC, MFCC_FRAMES = 13, 20  # of the sound beside them
N_SPOTS = 1024  # numbers that tell the place of a window


class _Layer(NamedTuple):
    """Convolution, batch normalization and ReLU, and a pooling where there is one."""

    n_out: int
    kernel: tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] = 0
    pool: nn.Module | None = None


class SyncNet(nn.Module):
    """Two networks without a common layer, trained so that what belongs together lies close.

    The names of its parts are those of the authors' checkpoint.

    Reference:
        Chung and Zisserman, 2016, Out of time: automated lip sync in the wild; sizes of the layers from the
        authors' published PyTorch model, whose pictures are in colour.
    """

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = _stack(
            1,
            [
                _Layer(64, (3, 3), padding=1, pool=nn.Identity()),
                _Layer(192, (3, 3), padding=1, pool=nn.MaxPool2d(3, (1, 2))),
                _Layer(384, (3, 3), padding=1),
                _Layer(256, (3, 3), padding=1),
                _Layer(256, (3, 3), padding=1, pool=nn.MaxPool2d(3, 2)),
                _Layer(512, (5, 4)),
            ],
        )
        self.netfcaud = _head()
        self.netcnnlip = _stack(
            3,
            [
                _Layer(96, (5, 7, 7), (1, 2, 2), pool=nn.MaxPool3d((1, 3, 3), (1, 2, 2))),
                _Layer(256, (1, 5, 5), (1, 2, 2), (0, 1, 1), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))),
                _Layer(256, (1, 3, 3), padding=(0, 1, 1)),
                _Layer(256, (1, 3, 3), padding=(0, 1, 1)),
                _Layer(256, (1, 3, 3), padding=(0, 1, 1), pool=nn.MaxPool3d((1, 3, 3), (1, 2, 2))),
                _Layer(512, (1, 6, 6)),
            ],
        )
        self.netfclip = _head()

    def place_sound(self, coefficients: Tensor) -> Tensor:
        """Place sounds.

        Args:
            coefficients: As ``avfake.audio.mfcc`` gives them, [batch, N_MFCC, MFCC_FRAMES].

        Returns:
            [batch, 1024].
        """
        placed: Tensor = self.netfcaud(self.netcnnaud(coefficients[:, None]).flatten(1))
        return placed

    def place_mouth(self, pictures: Tensor) -> Tensor:
        """Place mouths.

        Args:
            pictures: BGR, 0 to 255, [batch, 3, FRAMES, SIZE, SIZE].

        Returns:
            [batch, 1024].
        """
        placed: Tensor = self.netfclip(self.netcnnlip(pictures).flatten(1))
        return placed


def load_syncnet(path: Path) -> SyncNet:
    """Load the weights of a checkpoint, ready to run; nothing in it is executed.

    Raises:
        AvfakeError: The file cannot be read, or is no SyncNet.
    """
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise AvfakeError(f"--syncnet {path} cannot be found; docs/screen.md says where it is") from error
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise AvfakeError(
            f"--syncnet {path} is no file of weights alone, and nothing else is opened: {one_line(error)}"
        ) from error
    network = SyncNet()
    wanted = network.state_dict()
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise AvfakeError(f"--syncnet {path} holds no table of weights; wanted SyncNet's state dict")
    # Files from before PyTorch 0.4.1 do not count batches; nothing that is computed depends on it.
    counted = {name: value for name, value in wanted.items() if name.endswith("num_batches_tracked")}
    weights = {**counted, **weights}
    if misfits := _misfits(weights, wanted):
        raise AvfakeError(f"--syncnet {path} is no SyncNet: {misfits}")
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)


def _misfits(weights: dict[str, Tensor], wanted: dict[str, Tensor]) -> str:
    """What is wrong with weights, in words; nothing where they fit."""
    if missing := sorted(wanted.keys() - weights.keys()):
        return f"it lacks {missing[0]} and {len(missing) - 1} more of {len(wanted)} weights"
    if unknown := sorted(map(str, weights.keys() - wanted.keys())):
        return f"it holds {unknown[0]} and {len(unknown) - 1} more that SyncNet has not"
    for name, value in wanted.items():
        if weights[name].shape != value.shape:
            return f"{name} is {list(weights[name].shape)}; wanted {list(value.shape)}"
    return ""


def _stack(n_in: int, layers: Sequence[_Layer]) -> nn.Sequential:
    modules: list[nn.Module] = []
    for layer in layers:
        flat = len(layer.kernel) == 2
        convolution: type[nn.Module] = nn.Conv2d if flat else nn.Conv3d
        normalization: type[nn.Module] = nn.BatchNorm2d if flat else nn.BatchNorm3d
        modules += [
            convolution(n_in, layer.n_out, layer.kernel, layer.stride, layer.padding),
            normalization(layer.n_out),
            nn.ReLU(inplace=True),
        ]
        modules += [layer.pool] if layer.pool is not None else []
        n_in = layer.n_out
    return nn.Sequential(*modules)


def _head() -> nn.Sequential:
    layers = [nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True), nn.Linear(512, N_SPOTS)]
    return nn.Sequential(*layers)
