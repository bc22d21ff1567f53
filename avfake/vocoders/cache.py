"""Where the weights of a card lie, and how they get there."""

from pathlib import Path

from avfake.cache import cache_folder, fetch_once, recorded_sha256
from avfake.errors import AvfakeError
from avfake.fetch import Progress
from avfake.files import sha256_of
from avfake.resources import resource_folder
from avfake.vocoders.cards import Card, load_cards


def weights_path(card: Card) -> Path:
    """Where the weights of a card lie once they are there: beside the card, or in the cache."""
    if not card.checkpoint.url:
        return resource_folder("vocoders") / card.checkpoint.file
    return cache_folder() / "vocoders" / card.name / card.checkpoint.file


def at_hand(card: Card) -> bool:
    """Whether the weights of a card are here already."""
    return weights_path(card).is_file()


def fetch_weights(card: Card, progress: Progress | None = None) -> Path:
    """Path of the weights of a card; downloaded when they are not there yet.

    Raises:
        AvfakeError: The weights cannot be had; the text says where to put them by hand.
    """
    path, checkpoint = weights_path(card), card.checkpoint
    if path.is_file():
        return path
    if not checkpoint.url:
        raise AvfakeError(f"weights {path} of vocoder {card.name} are missing: reinstall avfake")
    advice = _advice(card, path)
    fetch_once(checkpoint.url, path, advice=advice, sha256=checkpoint.sha256, progress=progress)
    return path


def check_weights(card: Card, path: Path) -> str:
    """SHA-256 of a card's weights, if it is the published one, or else the one they had when they came.

    Raises:
        AvfakeError: The file changed.
    """
    found = sha256_of(path)
    wanted = card.checkpoint.sha256 or recorded_sha256(path)
    if wanted and found != wanted:
        raise AvfakeError(
            f"weights {path} have SHA-256 {found} instead of {wanted}: delete the file and run "
            f"avfake vocoders download {card.name}"
        )
    return found


def _advice(card: Card, path: Path) -> str:
    """What to do without a network."""
    kin = (other for other in load_cards().values() if other.family == card.family)
    shipped = " or ".join(other.name for other in kin if not other.checkpoint.url)
    instead = f", or use {shipped}, which ships with avfake" if shipped else ""
    return f"download it by hand to {path}, or pass --weights FILE{instead}"
