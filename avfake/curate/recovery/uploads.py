"""Which files of a folder are which YouTube upload."""

from pathlib import Path
from typing import NamedTuple


class Upload(NamedTuple):
    """Files of one YouTube upload.

    Attributes:
        sound: Holds its sound; its pictures too where ``pictures`` is None.
        pictures: Holds its pictures alone, on the same clock; None where one file holds both.
    """

    sound: Path
    pictures: Path | None
