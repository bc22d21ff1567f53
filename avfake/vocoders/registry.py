"""The vocoder families by name."""

from importlib import import_module

from avfake.errors import AvfakeError
from avfake.vocoders.base import Vocoder

FAMILIES = {  # name -> module with build() -> Vocoder, imported when it is asked for
    "griffin-lim": "avfake.vocoders.griffin_lim",
    "world": "avfake.vocoders.world",
}


def list_vocoders() -> list[str]:
    """Names that ``load_vocoder`` knows, sorted."""
    return sorted(FAMILIES)


def load_vocoder(name: str) -> Vocoder:
    """Load a vocoder by name.

    Raises:
        AvfakeError: The name is unknown.
    """
    if name not in FAMILIES:
        raise AvfakeError(f"vocoder {name!r} is unknown; choose one of {', '.join(list_vocoders())}")
    vocoder: Vocoder = import_module(FAMILIES[name]).build()
    return vocoder
