"""``avfake vocoders``: which vocoders there are, what their cards say, and their weights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avfake.audio.io import SAMPLE_RATE
from avfake.errors import AvfakeError
from avfake.progress import track_bytes
from avfake.vocoders.cache import at_hand, check_weights, fetch_weights, weights_path
from avfake.vocoders.cards import Card, find_card, load_cards
from avfake.vocoders.registry import COMPUTED, full_name, list_vocoders, load_vocoder, vocoders_at_hand


@dataclass(frozen=True)
class Listed:
    """One line of the list.

    Attributes:
        name: As ``--vocoder`` takes it.
        family: Its code; the bare name means this vocoder where ``default`` is true.
        default: Whether it is its family's default.
        sample_rate: In Hz.
        training_data: What its weights were trained on; empty without weights.
        licence: Of the weights; empty without any.
        at_hand: Whether it runs without a download.
    """

    name: str
    family: str
    default: bool
    sample_rate: int
    training_data: str
    licence: str
    at_hand: bool


@dataclass(frozen=True)
class VocoderList:
    """All vocoders there are.

    Attributes:
        vocoders: Sorted by name.
    """

    vocoders: tuple[Listed, ...]
    n_failed: int = 0

    def __str__(self) -> str:
        head = ("name", "Hz", "trained on", "licence", "")
        rows = [
            (
                vocoder.name + (" *" if vocoder.default else ""),
                str(vocoder.sample_rate),
                vocoder.training_data or "-",
                vocoder.licence or "-",
                "at hand" if vocoder.at_hand else "",
            )
            for vocoder in self.vocoders
        ]
        return f"{_table([head, *rows])}\n* what the bare name of its family means"


@dataclass(frozen=True)
class Facts:
    """What is known of one vocoder.

    Attributes:
        name: As ``--vocoder`` takes it.
        facts: Texts by what they tell.
    """

    name: str
    facts: dict[str, str]
    n_failed: int = 0

    def __str__(self) -> str:
        width = max(map(len, self.facts))
        lines = (f"  {key:<{width}}  {text}" for key, text in self.facts.items())
        return "\n".join([self.name, *lines])


@dataclass(frozen=True)
class WeightsOf:
    """What became of one vocoder's weights.

    Attributes:
        name: Of the vocoder.
        status: ``downloaded``, ``at hand``, ``ok``, ``no weights`` or ``failed``.
        path: Where they lie.
        sha256: Of the file.
        error: Why it failed.
    """

    name: str
    status: str
    path: Path | None = None
    sha256: str | None = None
    error: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"{self.name}: failed: {self.error}"
        return f"{self.name}: {self.status}" + (f", {self.path}, SHA-256 {self.sha256}" if self.path else "")


@dataclass(frozen=True)
class WeightsReport:
    """What became of the weights of several vocoders.

    Attributes:
        vocoders: In the order asked for.
    """

    vocoders: tuple[WeightsOf, ...]

    @property
    def n_failed(self) -> int:
        """Vocoders whose weights cannot be used."""
        return sum(vocoder.status == "failed" for vocoder in self.vocoders)

    def __str__(self) -> str:
        return "\n".join(map(str, self.vocoders)) or "no weights are at hand"


def list_all() -> VocoderList:
    """Every vocoder there is."""
    here, cards = vocoders_at_hand(), load_cards()
    return VocoderList(tuple(_listed(name, cards.get(name), name in here) for name in list_vocoders()))


def show(name: str) -> Facts:
    """What the card of a vocoder says, and where its weights lie or would lie.

    Raises:
        AvfakeError: The name is unknown.
    """
    name = full_name(name)
    if name in COMPUTED:
        return Facts(name, {"weights": "none: it computes rather than learns"})
    card = find_card(name)
    facts = {
        "paper": card.source.paper,
        "repository": card.source.repository,
        "licence": card.source.licence,
        "trained on": card.source.training_data,
        "note": card.source.note,
        "address": card.checkpoint.url or "ships with avfake",
        "SHA-256": card.checkpoint.sha256 or "not published",
        "weights": f"{weights_path(card)} ({'at hand' if at_hand(card) else 'not there yet'})",
        "front-end": repr(card.mel).removeprefix("MelConfig(").removesuffix(")"),
        "network": ", ".join(f"{key}={value!r}" for key, value in card.model.items()),
    }
    return Facts(name, {key: text for key, text in facts.items() if text})


def download(names: Sequence[str]) -> WeightsReport:
    """Fetch the weights of vocoders that are not at hand; one that fails does not stop the others.

    Raises:
        AvfakeError: A name is unknown; nothing is fetched then.
    """
    return WeightsReport(tuple(map(_download, list(dict.fromkeys(map(full_name, names))))))


def verify(names: Sequence[str] = ()) -> WeightsReport:
    """Check that weights are those that were published or downloaded, and that their networks take them.

    Args:
        names: All whose weights are at hand when empty.

    Raises:
        AvfakeError: A name is unknown.
    """
    chosen = dict.fromkeys(map(full_name, names)) if names else _learned(vocoders_at_hand())
    return WeightsReport(tuple(map(_verify, list(chosen))))


def _learned(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in COMPUTED]


def _listed(name: str, card: Card | None, here: bool) -> Listed:
    if card is None:
        return Listed(name, name, False, SAMPLE_RATE, "", "", here)
    source = card.source
    return Listed(
        name, card.family, card.default, card.mel.sample_rate, source.training_data, source.licence, here
    )


def _download(name: str) -> WeightsOf:
    if name in COMPUTED:
        return WeightsOf(name, "no weights")
    card = find_card(name)
    status = "at hand" if at_hand(card) else "downloaded"
    try:
        with track_bytes(name) as progress:
            path = fetch_weights(card, progress)
        return WeightsOf(name, status, path, check_weights(card, path))
    except AvfakeError as error:
        return WeightsOf(name, "failed", error=str(error))


def _verify(name: str) -> WeightsOf:
    if name in COMPUTED:
        return WeightsOf(name, "no weights")
    card = find_card(name)
    if not at_hand(card):
        return WeightsOf(name, "failed", error=f"not at hand; run avfake vocoders download {name}")
    try:
        sha256 = load_vocoder(name, accelerator="cpu").checkpoint_sha256
        return WeightsOf(name, "ok", weights_path(card), sha256)
    except AvfakeError as error:
        return WeightsOf(name, "failed", error=str(error))


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of texts as columns, the last one as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = ([f"{text:<{width}}" for text, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join(row).rstrip() for row in cells)
