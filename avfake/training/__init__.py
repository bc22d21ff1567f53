"""Training of detectors: from a split to a run's folder, resumed to the exact step."""
