"""Where the weights of a training begin: random, published, or the streams of an earlier run."""

from dataclasses import asdict
from pathlib import Path

from avfake.errors import AvfakeError
from avfake.models.frameworks.base import Detector
from avfake.models.pretrained import WEIGHTS, load_strictly, read_config, read_tensors

_READ_ALIKE = ("window_", "frame_", "sample_", "picture_", "pad", "waveform_", "video_", "audio_")


def take_streams(detector: Detector, folder: Path) -> None:
    """Begin with the video and the audio stream of a trained detector, heads included.

    Args:
        detector: Of any framework.
        folder: Of the trained one, as ``save_pretrained`` wrote it.

    Raises:
        AvfakeError: The folder holds no detector, or its streams are others, or read clips otherwise.
    """
    own, found = asdict(detector.config), asdict(read_config(folder))
    wrong = [
        f"{name} is {found[name]!r} instead of {value!r}"
        for name, value in own.items()
        if name.startswith(_READ_ALIKE) and found[name] != value
    ]
    if wrong:
        raise AvfakeError(f"the streams of {folder} do not fit: {'; '.join(wrong)}")
    weights = read_tensors(folder / WEIGHTS)
    for name in ("video", "audio"):
        stream = {key.removeprefix(f"{name}."): w for key, w in weights.items() if key.startswith(f"{name}.")}
        load_strictly(detector.get_submodule(name), stream, folder / WEIGHTS)
