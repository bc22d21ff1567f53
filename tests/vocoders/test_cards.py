"""Cards: those that ship are sound, and any mistake in one is named."""

import re
from collections import Counter
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from avfake.audio.mel import MelConfig
from avfake.errors import AvfakeError
from avfake.resources import resource_folder
from avfake.vocoders.cards import Card, card_names, find_card, load_card, load_cards
from avfake.vocoders.registry import LEARNED

CARD = """
[source]
paper = "Somebody, 2020, Something"
repository = "https://example.org/code"
licence = "MIT"
training_data = "speech"

[checkpoint]
url = "https://example.org/w.pt"
file = "w.pt"

[mel]
fmax = 8000
norm = "none"

[model]
layout = "one"
scales = [8, 8, [2, 2]]
inner = { sizes = [1] }
"""


def written(folder: Path, text: str, name: str = "melgan.test-1.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_card_is_read_with_its_defaults(tmp_path: Path) -> None:
    card = load_card(written(tmp_path, CARD))
    assert (card.name, card.family, card.tag, card.default) == ("melgan.test-1", "melgan", "test-1", False)
    assert card.mel == MelConfig(fmax=8000, norm=None)
    assert card.checkpoint.sha256 is None
    assert card.checkpoint.container == ""
    assert card.source.note == ""


def test_a_card_cannot_be_changed(tmp_path: Path) -> None:
    card = load_card(written(tmp_path, CARD))
    assert card.model["scales"] == (8, 8, (2, 2))
    with pytest.raises(FrozenInstanceError):
        card.tag = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        card.model["layout"] = "two"  # type: ignore[index]
    with pytest.raises(TypeError):
        card.model["inner"]["sizes"] = ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[model]", "[modle]", r"modle is unknown; choose from default, source, checkpoint, mel, model"),
        ("[model]\n", "", r"mel\.layout is unknown"),
        ("licence", "license", r"source\.license is unknown; choose from source\.paper, .*source\.licence"),
        ('licence = "MIT"\n', "", r"lacks source\.licence"),
        ('file = "w.pt"\n', "", r"lacks checkpoint\.file"),
        ("fmax = 8000", "fmax = true", r"mel\.fmax = True must be a number or 'none'"),
        ("fmax = 8000", "hop_length = 256.0", r"mel\.hop_length = 256\.0 must be a whole number"),
        ("fmax = 8000", 'log = "log2"', r"mel\.log = 'log2' must be 'ln' or 'log10' or 'unit_db'"),
        ("fmax = 8000", "fmax = 80000", r"\[mel\] fmin=0\.0, fmax=80000 must satisfy"),
        ("fmax = 8000", 'fmin = "none"', r"mel\.fmin = 'none' must be a number"),
        ('licence = "MIT"', "licence = 3", r"source\.licence = 3 must be a text"),
        ("[source]", "default = 1\n[source]", r"default = 1 must be true or false"),
        ("[source]", "model = 1\n[source]", r"cannot be read"),
        (
            "https://example.org/w.pt",
            "ftp://a/w.pt",
            r"checkpoint\.url = 'ftp://a/w\.pt' must begin with https",
        ),
        ('"w.pt"', '"../w.pt"', r"checkpoint\.file = '\.\./w\.pt' must be a bare file name"),
        ('"w.pt"', '".."', r"checkpoint\.file = '\.\.' must be a bare file name"),
        ('"w.pt"', '""', r"checkpoint\.file = '' must be a bare file name"),
        ("[mel]", 'sha256 = "ABC"\n[mel]', r"checkpoint\.sha256 must be 64 hexadecimal digits"),
        ("[mel]", "[mel", r"cannot be read"),
    ],
)
def test_a_mistake_is_named_with_its_file(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert CARD.count(old) == 1
    path = written(tmp_path, CARD.replace(old, new))
    with pytest.raises(AvfakeError, match=message) as caught:
        load_card(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["melgan.toml", "MelGAN.a.toml", "melgan.a.b.toml", "melgan..toml", "mel gan.a.toml"]
)
def test_a_card_must_be_named_after_its_family_and_tag(name: str, tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match=r"must be named <family>\.<tag>\.toml"):
        load_card(written(tmp_path, CARD, name))


def test_a_missing_card_is_said(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="cannot be read"):
        load_card(tmp_path / "melgan.none.toml")


# --- the cards that ship


CARDS = load_cards()


def test_every_file_is_a_card_of_a_known_family() -> None:
    assert list(CARDS) == card_names() == sorted(CARDS)
    assert {card.family for card in CARDS.values()} == set(LEARNED)


def test_every_family_has_one_default_card() -> None:
    defaults = Counter(card.family for card in CARDS.values() if card.default)
    assert defaults == dict.fromkeys(LEARNED, 1)


@pytest.mark.parametrize("family", LEARNED)
def test_a_family_means_its_default_card(family: str) -> None:
    assert find_card(family).default
    assert find_card(family) is find_card(find_card(family).name)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AvfakeError, match=r"no card is called 'melgam'; choose one of bigvgan\..*wavernn\."):
        find_card("melgam")


@pytest.mark.parametrize("card", CARDS.values(), ids=list(CARDS))
def test_a_shipped_card_says_where_its_weights_come_from(card: Card) -> None:
    for text in (card.source.paper, card.source.licence, card.source.training_data):
        assert text
        assert "\n" not in text
    assert re.match(r"https://", card.source.repository)
    if card.checkpoint.url:
        assert card.checkpoint.url.startswith("https://")
    else:
        assert (resource_folder("vocoders") / card.checkpoint.file).is_file()


def test_no_two_cards_share_an_address_or_a_hash() -> None:
    addresses = Counter(card.checkpoint.url for card in CARDS.values() if card.checkpoint.url)
    hashes = Counter(card.checkpoint.sha256 for card in CARDS.values() if card.checkpoint.sha256)
    assert [*addresses.values(), *hashes.values()] == [1] * (len(addresses) + len(hashes))


@pytest.mark.parametrize("card", CARDS.values(), ids=list(CARDS))
def test_a_shipped_card_states_only_what_differs_from_the_defaults(card: Card) -> None:
    text = (resource_folder("vocoders") / f"{card.name}.toml").read_text()
    stated = text.partition("[mel]")[2].partition("[model]")[0]
    for name in re.findall(r"^(\w+) =", stated, re.MULTILINE):
        assert getattr(card.mel, name) != getattr(MelConfig(), name)
