"""The speaking face of a video: found, followed, cut out."""
