"""From rows of a manifest to batches: windows of face crops and sound, samplers, augmentation."""
