"""Synthetic talking clips, and the whole pipeline run on them."""
