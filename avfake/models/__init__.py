"""Detectors of audio-visual fakes: one stream for pictures, one for sound, and how they come together."""

from avfake.models.build import FRAMEWORKS, build_model, load_detector
from avfake.models.config import PRESETS, DetectorConfig
from avfake.models.frameworks.base import Detector, Logits, Probabilities
from avfake.models.frameworks.two_plus_one import TwoPlusOne
from avfake.models.verdict import Verdict, verdicts

__all__ = [
    "FRAMEWORKS",
    "PRESETS",
    "Detector",
    "DetectorConfig",
    "Logits",
    "Probabilities",
    "TwoPlusOne",
    "Verdict",
    "build_model",
    "load_detector",
    "verdicts",
]
