"""Where the weights of a card lie, and how they get there."""

import os
from pathlib import Path

from filelock import FileLock

from avfake.errors import AvfakeError
from avfake.files import sha256_of, write_bytes
from avfake.resources import resource_folder
from avfake.vocoders.cards import Card, load_cards
from avfake.vocoders.fetch import Progress, fetch


def weights_path(card: Card) -> Path:
    """Where the weights of a card lie once they are there: beside the card, or in the cache.

    The cache is ``$AVFAKE_CACHE``, else ``avfake`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    if not card.checkpoint.url:
        return resource_folder("vocoders") / card.checkpoint.file
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(os.environ.get("AVFAKE_CACHE") or Path(base) / "avfake")
    return root / "vocoders" / card.name / card.checkpoint.file


def at_hand(card: Card) -> bool:
    """Whether the weights of a card are here already."""
    return weights_path(card).is_file()


def fetch_weights(card: Card, progress: Progress | None = None) -> Path:
    """Path of the weights of a card; downloaded when they are not there yet.

    Two processes that want the same weights download them once. The hash of what came is written beside
    it, so that a later change shows even where no hash was published.

    Raises:
        AvfakeError: The weights cannot be had; the text says where to put them by hand.
    """
    path = weights_path(card)
    if path.is_file():
        return path
    if not card.checkpoint.url:
        raise AvfakeError(f"weights {path} of vocoder {card.name} are missing: reinstall avfake")
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if not path.is_file():
            try:
                fetch(card.checkpoint.url, path, sha256=card.checkpoint.sha256, progress=progress)
            except AvfakeError as error:
                raise type(error)(f"{error}; {_advice(card, path)}") from error
            write_bytes(_record(path), f"{sha256_of(path)}  {path.name}\n".encode())
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


def recorded_sha256(path: Path) -> str | None:
    """SHA-256 that a downloaded file had when it came; None for a file put there by hand."""
    record = _record(path)
    return record.read_text().split()[0] if record.is_file() else None


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")  # as sha256sum -c reads it


def _advice(card: Card, path: Path) -> str:
    """What to do without a network."""
    kin = (other for other in load_cards().values() if other.family == card.family)
    shipped = " or ".join(other.name for other in kin if not other.checkpoint.url)
    instead = f", or use {shipped}, which ships with avfake" if shipped else ""
    return f"download it by hand to {path}, or pass --weights FILE{instead}"
