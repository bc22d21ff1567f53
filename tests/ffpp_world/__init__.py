"""A small FaceForensics++ with its uploads, of which the true sound of every clip is known."""

from tests.ffpp_world.files import STREAMS
from tests.ffpp_world.footage import Take, generated_takes, real_takes
from tests.ffpp_world.truth import Case, Lag, Truth, lag_ms
from tests.ffpp_world.world import FILM, NTSC, QUICK, World, build_world

__all__ = [
    "FILM",
    "NTSC",
    "QUICK",
    "STREAMS",
    "Case",
    "Lag",
    "Take",
    "Truth",
    "World",
    "build_world",
    "generated_takes",
    "lag_ms",
    "real_takes",
]
