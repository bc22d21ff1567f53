"""Cards: what a public checkpoint is, where it lies and how it is driven, one TOML file each."""

import re
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from avfake.errors import AvfakeError
from avfake.resources import resource_folder

if TYPE_CHECKING:  # naming cards shall not load torch
    from avfake.audio.mel import MelConfig

_NAME = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAMES = {  # of types, as a reader of TOML knows them
    dict: "a table",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    types.NoneType: "'none'",
}
_Part = TypeVar("_Part")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a checkpoint comes from.

    Attributes:
        paper: Authors, year and title.
        repository: Address of the code that trained it.
        licence: Of the weights, as their publisher states it.
        training_data: What they were trained on.
        note: What a user should know besides, such as what is not certain.
    """

    paper: str
    repository: str
    licence: str
    training_data: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The published file, and where the weights are inside it.

    Attributes:
        url: Where it is downloaded; empty for weights that lie beside their card.
        file: Its name, in the cache or beside the card.
        sha256: Of the file, in hexadecimal; None where nobody published it.
        container: Keys that lead to the state dict, joined by dots; empty when the file is one.
        member: Name of the weights inside an archive, with wildcards.
        stats: Name of an HDF5 file with ``mean`` and ``scale`` of the Mel, in the archive or beside it.
    """

    url: str = ""
    file: str
    sha256: str | None = None
    container: str = ""
    member: str | None = None
    stats: str | None = None


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that avfake knows of one checkpoint.

    Attributes:
        family: The network's code, a key of ``FAMILIES``.
        tag: Which checkpoint of that family.
        default: Whether the family's bare name means this card.
        source: Where it comes from.
        checkpoint: The file.
        mel: The front-end it was trained with.
        model: Arguments that build the network, where they differ from the family's defaults; read-only.
    """

    family: str
    tag: str
    default: bool = False
    source: Source
    checkpoint: Checkpoint
    mel: "MelConfig"
    model: Mapping[str, Any]

    @property
    def name(self) -> str:
        """``family.tag``, as the vocoder is called everywhere."""
        return f"{self.family}.{self.tag}"


def card_names() -> list[str]:
    """Names of the shipped cards, sorted; no card is opened for it."""
    return sorted(path.stem for path in resource_folder("vocoders").glob("*.toml"))


@cache
def load_cards() -> Mapping[str, Card]:
    """The shipped cards by name, sorted."""
    folder = resource_folder("vocoders")
    return types.MappingProxyType({name: load_card(folder / f"{name}.toml") for name in card_names()})


def find_card(name: str) -> Card:
    """A shipped card by its name, or the default card of a family.

    Raises:
        AvfakeError: No card has this name.
    """
    cards = load_cards()
    if name in cards:
        return cards[name]
    for card in cards.values():
        if card.default and card.family == name:
            return card
    raise AvfakeError(f"no card is called {name!r}; choose one of {', '.join(cards)}")


def load_card(path: Path) -> Card:
    """Read one card; its file is named ``<family>.<tag>.toml``.

    Raises:
        AvfakeError: The file is no card; the text names the file and the key.
    """
    from avfake.audio.mel import MelConfig

    if not _NAME.fullmatch(path.stem):
        raise AvfakeError(f"card {path} must be named <family>.<tag>.toml, in small letters, digits and -")
    family, _, tag = path.stem.partition(".")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AvfakeError(f"card {path} cannot be read: {error}") from error
    known = {"default": bool, "source": dict, "checkpoint": dict, "mel": dict, "model": dict}
    for key, value in table.items():
        _check(path, key, value, known)
    card = Card(
        family=family,
        tag=tag,
        default=table.get("default", False),
        source=_section(path, "source", Source, table),
        checkpoint=_section(path, "checkpoint", Checkpoint, table),
        mel=_section(path, "mel", MelConfig, table),
        model=_frozen(table.get("model", {})),
    )
    _check_checkpoint(path, card.checkpoint)
    return card


def _section(path: Path, section: str, kind: type[_Part], table: Mapping[str, Any]) -> _Part:
    """One part of a card as a frozen dataclass, all its keys checked."""
    hints = {f"{section}.{name}": hint for name, hint in get_type_hints(kind).items()}
    values = {}
    for name, value in table.get(section, {}).items():
        key = f"{section}.{name}"
        optional = types.NoneType in get_args(hints.get(key))
        values[name] = None if value == "none" and optional else value  # TOML has no word for it
        _check(path, key, values[name], hints)
    for field in fields(kind):  # type: ignore[arg-type]
        if field.default is MISSING and field.name not in values:
            raise AvfakeError(f"card {path} lacks {section}.{field.name}")
    try:
        return kind(**values)
    except ValueError as error:
        raise AvfakeError(f"card {path}: [{section}] {error}") from error


def _check(path: Path, key: str, value: Any, known: Mapping[str, Any]) -> None:
    if key not in known:
        raise AvfakeError(f"card {path}: {key} is unknown; choose from {', '.join(known)}")
    if not any(_fits(value, option) for option in _options(known[key])):
        wanted = " or ".join(_NAMES.get(option, repr(option)) for option in _options(known[key]))
        raise AvfakeError(f"card {path}: {key} = {value!r} must be {wanted}")


def _options(hint: Any) -> tuple[Any, ...]:
    """What a type allows, unions and literals taken apart: types, and single values."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(option for part in get_args(hint) for option in _options(part))
    return get_args(hint) if get_origin(hint) is Literal else (hint,)


def _fits(value: Any, option: Any) -> bool:
    if option is float:
        return type(value) in (int, float)
    return type(value) is option if isinstance(option, type) else value == option


def _frozen(value: Any) -> Any:
    """Tables read-only, arrays as tuples, all the way down."""
    if isinstance(value, dict):
        return types.MappingProxyType({key: _frozen(item) for key, item in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _check_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    if checkpoint.url and not checkpoint.url.startswith(("https://", "http://")):
        raise AvfakeError(f"card {path}: checkpoint.url = {checkpoint.url!r} must begin with https://")
    if not _FILE.fullmatch(checkpoint.file):
        raise AvfakeError(f"card {path}: checkpoint.file = {checkpoint.file!r} must be a bare file name")
    if checkpoint.sha256 is not None and not _SHA256.fullmatch(checkpoint.sha256):
        raise AvfakeError(f"card {path}: checkpoint.sha256 must be 64 hexadecimal digits in small letters")
