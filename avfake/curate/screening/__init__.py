"""Whether mouth and sound of each clip belong together."""
