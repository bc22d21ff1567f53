"""Audio-visual deepfake data without shortcuts, and the detectors that learn from it."""

__version__ = "0.1.0"
