"""Sound: decode, resample, measure, Mel-spectrograms."""
