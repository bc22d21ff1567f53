"""Weights lie where the user said, are downloaded once, and tell when they change."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from avfake.errors import AvfakeError
from avfake.resources import resource_folder
from avfake.vocoders.cache import at_hand, check_weights, fetch_weights, weights_path
from avfake.vocoders.cards import Card, find_card
from tests.weights_server import Weights, serve

DATA = b"weights" * 9999
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AVFAKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server() -> Iterator[Weights]:
    with serve(DATA) as weights:
        yield weights


def card_at(url: str, sha256: str | None = None) -> Card:
    card = find_card("melgan.multi-speaker")
    return replace(card, checkpoint=replace(card.checkpoint, url=url, sha256=sha256))


def test_weights_lie_in_the_cache_under_the_name_of_their_card(root: Path) -> None:
    assert weights_path(card_at("https://a")) == root / "vocoders/melgan.multi-speaker/multi_speaker.pt"


def test_weights_without_address_lie_beside_their_card() -> None:
    card = card_at("")
    assert weights_path(card) == resource_folder("vocoders") / "multi_speaker.pt"
    assert not at_hand(card)
    with pytest.raises(AvfakeError, match="are missing: reinstall avfake"):
        fetch_weights(card)


def test_weights_are_downloaded_once(server: Weights) -> None:
    card = card_at(f"{server.url}/plain", SHA256)
    assert not at_hand(card)
    path = fetch_weights(card)
    assert path == fetch_weights(card) == weights_path(card)
    assert at_hand(card)
    assert path.read_bytes() == DATA
    assert len(server.asked) == 1


def test_a_change_is_told_whether_or_not_a_hash_was_published(server: Weights) -> None:
    for sha256 in (None, SHA256):
        card = card_at(f"{server.url}/plain", sha256)
        path = fetch_weights(card)
        assert check_weights(card, path) == SHA256
        path.write_bytes(DATA + b"!")
        with pytest.raises(
            AvfakeError, match=rf"instead of {SHA256}: delete the file and run avfake vocoders"
        ):
            check_weights(card, path)
        path.unlink()


def test_weights_put_there_by_hand_are_taken() -> None:
    card = card_at("https://127.0.0.1:1/w.pt")
    path = weights_path(card)
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    assert fetch_weights(card) == path
    assert check_weights(card, path) == SHA256
    with pytest.raises(AvfakeError, match=f"have SHA-256 {SHA256} instead of {'0' * 64}"):
        check_weights(card_at("https://127.0.0.1:1/w.pt", "0" * 64), path)


@pytest.mark.parametrize("place", ["/none", "/login", "/plain"])
def test_what_to_do_by_hand_is_said_in_one_line(place: str, server: Weights) -> None:
    card = card_at(server.url + place, "0" * 64)
    with pytest.raises(AvfakeError) as caught:
        fetch_weights(card)
    text = str(caught.value)
    assert server.url + place in text
    assert f"; download it by hand to {weights_path(card)}, or pass --weights FILE" in text
    assert "\n" not in text
    assert not at_hand(card)


def test_what_ships_is_offered_to_its_family(server: Weights) -> None:
    card = card_at(f"{server.url}/none")
    with pytest.raises(AvfakeError, match=r"FILE, or use melgan\.embedded, which ships with avfake$"):
        fetch_weights(card)
    with pytest.raises(AvfakeError, match=r"FILE$"):
        fetch_weights(replace(card, family="vocos"))
