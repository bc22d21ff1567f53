"""One window of one row: its face crops and the sound of the same moment, read and nothing beyond."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.audio.io import SAMPLE_RATE, Waveform, fit_length, read_sound
from avfake.errors import ClipError, ErrorKind
from avfake.manifest.schema import FACES_PER_S
from avfake.video.lossless import read_pictures

WINDOW_FRAMES = 30
CROP_SIZE = 112  # pixels
SAMPLES_PER_FRAME = SAMPLE_RATE // FACES_PER_S

Pictures = NDArray[np.uint8]


class Footage(NamedTuple):
    """What a window shows and sounds like, as long as it lasts.

    Attributes:
        pictures: RGB, uint8 [frames, height, width, 3].
        waveform: [time], in [-1, 1]; sample 0 is the moment of picture 0.
    """

    pictures: Pictures
    waveform: Waveform


def count_frames(n_samples: int) -> int:
    """Pictures that so much sound lasts, to half a picture, at least one."""
    return max(1, round(n_samples / SAMPLES_PER_FRAME))


def read_window(
    root: Path, faces_path: str, audio_path: str, *, first: int, n_frames: int, n_samples: int
) -> Footage:
    """Read a window that the manifest promises.

    Args:
        root: What the paths are relative to.
        faces_path: Crops of the whole clip.
        audio_path: FLAC of the whole clip.
        first: Number of the window's first picture; its sound starts at the same moment.
        n_frames: Pictures to read.
        n_samples: Samples to read.

    Raises:
        ClipError: A file is missing, broken or of another form, or pictures and sound differ by more than
            one picture in length, from each other or from what was promised.
    """
    with _naming(faces_path):
        pictures = read_pictures(root / faces_path, start=first, n_frames=n_frames)
        _refuse_other_sizes(pictures)
    with _naming(audio_path):
        waveform = read_sound(root / audio_path, start=first * SAMPLES_PER_FRAME, n_samples=n_samples)
    ahead = len(pictures) - len(waveform) / SAMPLES_PER_FRAME
    if abs(ahead) > 1 or n_samples - len(waveform) > SAMPLES_PER_FRAME:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"{faces_path} and {audio_path} hold {len(pictures)} of {n_frames} pictures and {len(waveform)} "
            f"of {n_samples} samples ({SAMPLES_PER_FRAME} to a picture) from picture {first} on; make the "
            "crops and build the split again",
        )
    return Footage(pictures, waveform)


def fill_pictures(pictures: Pictures, n_frames: int) -> Pictures:
    """Pictures as a detector takes them, black behind their end.

    Args:
        pictures: RGB, [frames, height, width, 3]; what is beyond the window is cut.
        n_frames: Length of the window.

    Returns:
        [3, n_frames, height, width].
    """
    shown = pictures[:n_frames].transpose(3, 0, 1, 2)
    video = np.zeros((3, n_frames, *shown.shape[2:]), np.uint8)
    video[:, : shown.shape[1]] = shown
    return video


def fill_sound(waveform: Waveform, n_frames: int) -> Waveform:
    """Sound of a window of ``n_frames`` pictures, zero behind its end, [time]."""
    return fit_length(waveform, n_frames * SAMPLES_PER_FRAME)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Say in a clip's error which of its files is meant."""
    try:
        yield
    except ClipError as error:
        raise ClipError(error.kind, f"{path}: {error}") from error


def _refuse_other_sizes(pictures: Pictures) -> None:
    height, width = pictures.shape[1:3]
    if (height, width) != (CROP_SIZE, CROP_SIZE):
        raise ClipError(
            ErrorKind.CORRUPT,
            f"pictures of {width}x{height}, wanted face crops of {CROP_SIZE}x{CROP_SIZE}; "
            "run avfake faces again",
        )
