"""Detectors by name: a preset or a configuration becomes a model, a folder a trained one."""

from pathlib import Path
from typing import Any

from avfake.errors import AvfakeError
from avfake.models.config import PRESETS, DetectorConfig, changed
from avfake.models.frameworks.base import Detector
from avfake.models.frameworks.independent import Independent
from avfake.models.frameworks.late_fusion import LateFusion
from avfake.models.frameworks.two_plus_one import TwoPlusOne
from avfake.models.pretrained import read_config
from avfake.models.transfer import fetch_kinetics, load_kinetics

FRAMEWORKS: dict[str, type[Detector]] = {
    "independent": Independent,
    "late-fusion": LateFusion,
    "two-plus-one": TwoPlusOne,
}


def build_model(
    config: DetectorConfig | str = "paper", *, kinetics: Path | str | None = None, **overrides: Any
) -> Detector:
    """An untrained detector; its random weights follow ``torch.manual_seed``.

    Args:
        config: A configuration, or a key of ``PRESETS``.
        kinetics: File of Kinetics-400 weights that the video stream begins with; without one,
            ``pretrained="kinetics400"`` takes the published file, which is downloaded once.
        overrides: Fields of the configuration that differ.

    Raises:
        AvfakeError: The preset or a field is unknown, a value is impossible, or the weights do not fit or
            cannot be had.
    """
    if isinstance(config, str):
        if config not in PRESETS:
            raise AvfakeError(f"preset {config!r} is unknown; choose one of {', '.join(PRESETS)}")
        config = PRESETS[config]
    if kinetics is not None:
        overrides["pretrained"] = "kinetics400"
    config = changed(config, overrides)
    if config.pretrained == "kinetics400" and kinetics is None:
        kinetics = fetch_kinetics(config)
    model = FRAMEWORKS[config.framework](config)
    if kinetics is not None:
        load_kinetics(model, Path(kinetics))
    return model


def load_detector(folder: Path | str) -> Detector:
    """A trained detector of any framework, in evaluation mode.

    Args:
        folder: As ``save_pretrained`` wrote it.

    Raises:
        AvfakeError: The folder holds no detector, or a damaged one.
    """
    return FRAMEWORKS[read_config(Path(folder)).framework].from_pretrained(folder)
