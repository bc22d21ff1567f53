"""What streams can begin with: Kinetics weights, or the streams of a detector that is trained already."""

from pathlib import Path
from typing import NamedTuple

from avfake.cache import cache_folder, fetch_once
from avfake.errors import AvfakeError
from avfake.files import sha256_of
from avfake.models.config import STREAM_FIELDS, DetectorConfig, differences
from avfake.models.frameworks.base import Detector
from avfake.models.pretrained import WEIGHTS, read_config, read_tensors
from avfake.progress import track_bytes
from avfake.weights import load_strictly

_SHAPE = ("video_stream", "video_widths", "video_blocks", "video_stem_width")  # what weights must fit
_CLASSIFIER = ("fc.weight", "fc.bias")  # of 400 classes; ours has two and keeps its random weights


class PublishedWeights(NamedTuple):
    """A file that can be downloaded.

    Attributes:
        url: Where.
        sha256_start: First digits of its SHA-256, which its name holds.
        source: What it is and who trained it.
        licence: Of the weights, as their publisher states it.
        fits: A detector whose video stream they are for.
    """

    url: str
    sha256_start: str
    source: str
    licence: str
    fits: DetectorConfig

    @property
    def name(self) -> str:
        """Of the file."""
        return self.url.rpartition("/")[2]


KINETICS = PublishedWeights(
    url="https://download.pytorch.org/models/r2plus1d_18-91a641e6.pth",
    sha256_start="91a641e6",
    source="torchvision's R2Plus1D_18_Weights.KINETICS400_V1, trained on 16 pictures of 112 x 112 pixels",
    licence="BSD-3-Clause, as torchvision's; the videos of Kinetics-400 have terms of their own",
    fits=DetectorConfig(),
)


def fetch_kinetics(config: DetectorConfig) -> Path:
    """Path of the published weights in the cache; downloaded when they are not there yet.

    Args:
        config: Of the detector whose video stream shall begin with them.

    Raises:
        AvfakeError: They are of another network than its video stream, and are not downloaded then; or they
            cannot be had, and the text says where to put them by hand.
    """
    if wrong := differences(config, KINETICS.fits, _SHAPE):
        raise AvfakeError(
            f"{KINETICS.name} does not fit the detector's video stream: {'; '.join(wrong)}; take preset paper"
        )
    path = cache_folder() / "models" / KINETICS.name
    if not path.is_file():
        advice = f"download it by hand to {path}, or pass --pretrained FILE"
        with track_bytes(KINETICS.name) as progress:
            fetch_once(KINETICS.url, path, advice=advice, sha256=KINETICS.sha256_start, progress=progress)
    return path


def load_kinetics(model: Detector, path: Path) -> None:
    """Start the video stream from published weights, all but its head.

    Args:
        model: Of any framework, its video stream R(2+1)D-18 of the published widths.
        path: ``.pth`` or ``.safetensors``, with torchvision's keys, with the classifier or without.

    Raises:
        AvfakeError: The file cannot be read, is not what its name says, or does not fit.
    """
    _check_name(path)
    state = {key: tensor for key, tensor in read_tensors(path).items() if key not in _CLASSIFIER}
    stream = model.get_submodule("video")
    head = {key: tensor for key, tensor in stream.state_dict().items() if key in _CLASSIFIER}
    load_strictly(stream, {**state, **head}, f"weights {path} do not fit")


def load_streams(model: Detector, folder: Path) -> None:
    """Start both streams, heads included, from those of a trained detector of any framework.

    Args:
        model: Untrained; ``freeze_streams`` keeps them as they come.
        folder: Of the trained one.

    Raises:
        AvfakeError: The folder holds no detector, or its streams are not built alike.
    """
    if wrong := differences(read_config(folder), model.config, STREAM_FIELDS):
        raise AvfakeError(f"{folder} holds a detector whose streams are others: {'; '.join(wrong)}")
    state = read_tensors(folder / WEIGHTS)
    for name in ("video", "audio"):
        own = {key.removeprefix(f"{name}."): x for key, x in state.items() if key.startswith(f"{name}.")}
        load_strictly(model.get_submodule(name), own, f"weights {folder / WEIGHTS} do not fit")


def _check_name(path: Path) -> None:
    """Refuse a file that has the published name and another content."""
    if path.name != KINETICS.name or not path.is_file():
        return
    if not (found := sha256_of(path)).startswith(KINETICS.sha256_start):
        raise AvfakeError(
            f"weights {path} have SHA-256 {found} instead of {KINETICS.sha256_start}...: delete the file and "
            f"download {KINETICS.url} again"
        )
