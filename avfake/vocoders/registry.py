"""Vocoders by name: families that only compute, and families whose weights a card describes."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from avfake.errors import AvfakeError
from avfake.files import sha256_of
from avfake.vocoders.cache import at_hand, check_weights, fetch_weights
from avfake.vocoders.cards import Card, card_names, find_card, load_cards

if TYPE_CHECKING:  # naming vocoders shall not load torch
    from avfake.accelerator import Accelerator
    from avfake.vocoders.base import NeuralVocoder, Vocoder

COMPUTED = {  # name -> module with build(), for families that have no weights
    "griffin-lim": "avfake.vocoders.griffin_lim",
    "world": "avfake.vocoders.world",
}
LEARNED = {  # name -> module with build(card, state)
    "bigvgan": "avfake.vocoders.bigvgan",
    "hifigan": "avfake.vocoders.hifigan",
    "melgan": "avfake.vocoders.melgan",
    "multiband-melgan": "avfake.vocoders.multiband_melgan",
    "parallel-wavegan": "avfake.vocoders.parallel_wavegan",
    "style-melgan": "avfake.vocoders.style_melgan",
    "vocos": "avfake.vocoders.vocos",
    "waveglow": "avfake.vocoders.waveglow",
    "wavenet": "avfake.vocoders.wavenet",
    "wavernn": "avfake.vocoders.wavernn",
}
FAMILIES = COMPUTED | LEARNED


def list_vocoders() -> list[str]:
    """Names of all vocoders there are, sorted: families that only compute, and cards."""
    return sorted([*COMPUTED, *card_names()])


def vocoders_at_hand() -> list[str]:
    """Names of the vocoders that run without a download, sorted."""
    cards = load_cards().items()
    return sorted([*COMPUTED, *(name for name, card in cards if at_hand(card))])


def full_name(name: str) -> str:
    """The vocoder that a name means: itself, or the default card of a family.

    Raises:
        AvfakeError: The name is unknown.
    """
    if name in COMPUTED or name in card_names():
        return name
    if name in LEARNED:
        return find_card(name).name
    known = ", ".join([*sorted(FAMILIES), *card_names()])
    raise AvfakeError(f"vocoder {name!r} is unknown; choose one of {known}")


def load_vocoder(
    name: str, weights: Path | str | bool = True, accelerator: "Accelerator" = "auto"
) -> "Vocoder":
    """Load a vocoder by name, ready to run.

    Args:
        name: A family that only computes, a card, or a family, which means its default card.
        weights: True takes the weights of the card from the cache and downloads them when they are not
            there; a path is a file of the card's architecture; False draws random weights of the right
            shapes, for tests.
        accelerator: What its network computes on; ``auto`` takes a GPU where there is one. Families that only
            compute stay on the CPU.

    Raises:
        AvfakeError: The name is unknown, the weights cannot be had, are damaged or of another network, or
            there is no GPU where one is asked for.
    """
    name = full_name(name)
    if name in COMPUTED:
        _refuse_weights(name, weights)
        computed: Vocoder = import_module(COMPUTED[name]).build()
        return computed
    card = find_card(name)
    family = import_module(LEARNED[card.family])
    from avfake.accelerator import find_device
    from avfake.vocoders.checkpoint import fold_weight_norm, read_state

    goal = find_device(accelerator)
    state = sha256 = None
    if weights is not False:
        path, sha256 = _weights(card, weights)
        place = card.checkpoint
        stored = read_state(path, container=place.container, member=place.member, stats=place.stats)
        state = fold_weight_norm(stored)
    vocoder: NeuralVocoder = family.build(card, state)
    vocoder.checkpoint_sha256 = sha256
    vocoder.to(goal)
    return vocoder


def weights_sha256(name: str, weights: Path | str | bool = True) -> str | None:
    """SHA-256 of the weights that ``load_vocoder`` would load, which are downloaded if need be.

    Returns:
        In hexadecimal; None for a family without weights.

    Raises:
        AvfakeError: The name is unknown, or the weights cannot be had.
    """
    name = full_name(name)
    if name in COMPUTED:
        _refuse_weights(name, weights)
        return None
    card = find_card(name)
    return _weights(card, weights)[1]


def _weights(card: Card, weights: Path | str | bool) -> tuple[Path, str]:
    """The weights file and its SHA-256."""
    if isinstance(weights, bool):
        path = fetch_weights(card)
        return path, check_weights(card, path)
    path = Path(weights)
    if not path.is_file():
        raise AvfakeError(f"weights file {path} does not exist")
    return path, sha256_of(path)


def _refuse_weights(name: str, weights: Path | str | bool) -> None:
    if not isinstance(weights, bool):
        raise AvfakeError(f"vocoder {name} has no weights; leave out --weights {weights}")
