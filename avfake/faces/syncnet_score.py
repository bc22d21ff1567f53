"""How far a mouth and a sound lie apart for SyncNet, for every shift of the one against the other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from avfake.errors import ClipError, ErrorKind
from avfake.faces.crop import crop_face
from avfake.faces.syncnet import FRAMES, MFCC_FRAMES, N_SPOTS, SIZE, SyncNet
from avfake.faces.template import CROP_SIZE

PICTURES_PER_S = 25
LONGEST_SHIFT = 15  # pictures that a sound is tried early and late
_MFCC_PER_PICTURE = 4
_WIDEN = 0.4  # of half a face's size, that is seen on both sides and, twice that, below
_BATCH = 16  # windows

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Distances:
    """What SyncNet finds.

    Attributes:
        mean: Mean distance of mouth and sound over all windows, for each shift of the sound, float64
            [2 * LONGEST_SHIFT + 1]; the first for a sound that comes LONGEST_SHIFT pictures early.
    """

    mean: NDArray[np.float64]

    @property
    def lag_s(self) -> float:
        """How late the sound is where the two are nearest."""
        return (int(self.mean.argmin()) - LONGEST_SHIFT) / PICTURES_PER_S

    def within(self, longest_lag_s: float) -> tuple[float, float]:
        """Confidence, and lag, where the sound may be early or late by no more than some seconds.

        Confidence is the authors': the median less the least distance.
        """
        reach = round(longest_lag_s * PICTURES_PER_S)
        near = self.mean[LONGEST_SHIFT - reach : LONGEST_SHIFT + reach + 1]
        lag_s = (int(near.argmin()) - reach) / PICTURES_PER_S
        return float(np.median(self.mean) - near.min()), lag_s


@torch.inference_mode()
def place_mouths(network: SyncNet, pictures: Iterable[Picture], boxes: NDArray[np.floating]) -> Tensor:
    """Place the mouth of every window of a video.

    Args:
        network: In evaluation mode.
        pictures: Upright, RGB, uint8 [height, width, 3], PICTURES_PER_S for each second.
        boxes: Of the face in each, as detectors give them, [pictures, 4]; the shorter of the two counts.

    Returns:
        [windows, 1024], window k beginning with picture k.
    """
    faces = (
        torch.from_numpy(crop_face(picture, _see(box), size=SIZE)[..., ::-1].copy())
        for picture, box in zip(pictures, boxes, strict=False)
    )
    batches = (torch.stack(batch).float().permute(0, 4, 1, 2, 3) for batch in _batches(_windows(faces)))
    return _joined([network.place_mouth(batch) for batch in batches])


@torch.inference_mode()
def place_sounds(network: SyncNet, coefficients: NDArray[np.float32]) -> Tensor:
    """Place every window of a sound.

    Args:
        network: In evaluation mode.
        coefficients: As ``avfake.audio.mfcc`` gives them, [frames, 13].

    Returns:
        [windows, 1024], window k beginning with picture k.
    """
    frames = torch.from_numpy(coefficients)
    if len(frames) < MFCC_FRAMES:
        return _joined([])
    windows = frames.unfold(0, MFCC_FRAMES, _MFCC_PER_PICTURE)  # [windows, coefficients, frames]
    return _joined([network.place_sound(batch) for batch in torch.split(windows, _BATCH)])


def measure(mouths: Tensor, sounds: Tensor) -> Distances:
    """Compare each mouth with the sounds around it.

    Where a shifted sound lies outside the clip, the origin stands for it, as in the authors' program.

    Args:
        mouths: [windows, 1024].
        sounds: [windows, 1024]; the shorter of the two counts.

    Raises:
        ClipError: There is no window.
    """
    n_windows = min(len(mouths), len(sounds))
    if not n_windows:
        raise ClipError(ErrorKind.TOO_SHORT, "it is shorter than one window of SyncNet, 0.2 s")
    padded = functional.pad(sounds[:n_windows], (0, 0, LONGEST_SHIFT, LONGEST_SHIFT))
    shifts = range(2 * LONGEST_SHIFT + 1)
    means = [
        torch.linalg.vector_norm(mouths[:n_windows] - padded[shift : shift + n_windows], dim=1).mean()
        for shift in shifts
    ]
    return Distances(np.array([float(mean) for mean in means]))


def _see(box: NDArray[np.floating]) -> NDArray[np.float32]:
    """From pixels of the picture to a square around a face, as wide as SyncNet was shown them."""
    left, top, right, bottom = map(float, box)
    half = max(right - left, bottom - top) / 2
    side = 2 * half * (1 + _WIDEN)
    x, y = (left + right - side) / 2, (top + bottom) / 2 - half
    scale = CROP_SIZE / side
    return np.array([[scale, 0, -x * scale], [0, scale, -y * scale]], np.float32)


def _windows(faces: Iterable[Tensor]) -> Iterator[Tensor]:
    """FRAMES faces in a row, [FRAMES, height, width, 3], from each one on."""
    recent: list[Tensor] = []
    for face in faces:
        recent = [*recent, face][-FRAMES:]
        if len(recent) == FRAMES:
            yield torch.stack(recent)


def _batches(windows: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    batch: list[Tensor] = []
    for window in windows:
        batch.append(window)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _joined(placed: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(placed)) if placed else torch.zeros(0, N_SPOTS)
