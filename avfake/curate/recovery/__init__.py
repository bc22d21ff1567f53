"""Recovering the sound of FaceForensics++: uploads, their alignment with the clips, and what came of it."""
