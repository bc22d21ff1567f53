"""Vocoders by name: the right network, the right weights, and the known names for an unknown one."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from avfake.errors import AvfakeError
from avfake.vocoders import cache, cards
from avfake.vocoders.registry import (
    COMPUTED,
    full_name,
    list_vocoders,
    load_vocoder,
    vocoders_at_hand,
    weights_sha256,
)
from tests.tiny_vocoder import save_tiny, tiny_cards
from tests.weights_server import Weights, serve


@pytest.fixture
def published(tmp_path: Path) -> Path:
    save_tiny(tmp_path / "published.pt")
    return tmp_path / "published.pt"


@pytest.fixture
def server(published: Path) -> Iterator[Weights]:
    with serve(published.read_bytes()) as weights:
        yield weights


@pytest.fixture
def tiny(tmp_path: Path, server: Weights, published: Path) -> Iterator[None]:
    with tiny_cards(tmp_path / "cards", f"{server.url}/plain", published.read_bytes()):
        yield


def test_computing_families_load_under_their_name() -> None:
    for name in COMPUTED:
        assert load_vocoder(name).name == name
        assert weights_sha256(name) is None


def test_names_are_sorted_and_each_means_itself() -> None:
    assert list_vocoders() == sorted({*COMPUTED, *cards.card_names()})
    assert all(full_name(name) == name for name in list_vocoders())


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    for ask in (load_vocoder, full_name, weights_sha256):
        with pytest.raises(
            AvfakeError, match=r"'melgam' is unknown; choose one of bigvgan, .*world, bigvgan\."
        ):
            ask("melgam")


def test_weights_for_a_family_without_any_are_refused(tmp_path: Path) -> None:
    for ask in (load_vocoder, weights_sha256):
        with pytest.raises(AvfakeError, match=r"vocoder world has no weights; leave out --weights .*w\.pt"):
            ask("world", tmp_path / "w.pt")


def test_naming_vocoders_imports_no_torch() -> None:
    code = "import sys; from avfake.vocoders.registry import full_name, list_vocoders; list_vocoders(); "
    code += "full_name('griffin-lim'); sys.exit('torch' in sys.modules or 'pyworld' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("tiny")
def test_a_card_loads_with_its_published_weights(server: Weights, published: Path) -> None:
    sha256 = hashlib.sha256(published.read_bytes()).hexdigest()
    near, far = load_vocoder("vocos.near"), load_vocoder("vocos.far")
    assert (near.name, far.name) == ("vocos.near", "vocos.far")
    assert near.checkpoint_sha256 == far.checkpoint_sha256 == weights_sha256("vocos") == sha256
    weights = [vocoder.network.state_dict()["0.weight"] for vocoder in (near, far)]
    assert torch.equal(*weights)
    assert len(server.asked) == 1


@pytest.mark.usefixtures("tiny")
def test_a_family_means_its_default_card() -> None:
    assert full_name("vocos") == "vocos.far"
    assert load_vocoder("vocos").name == "vocos.far"


@pytest.mark.usefixtures("tiny")
def test_random_weights_need_no_file(server: Weights) -> None:
    assert load_vocoder("vocos.far", weights=False).checkpoint_sha256 is None
    assert not server.asked


@pytest.mark.usefixtures("tiny")
def test_a_local_file_takes_the_architecture_of_the_card(published: Path, server: Weights) -> None:
    vocoder = load_vocoder("vocos", str(published))
    assert vocoder.name == "vocos.far"
    assert (
        vocoder.checkpoint_sha256
        == weights_sha256("vocos", published)
        == weights_sha256("vocos", str(published))
    )
    assert vocoder.checkpoint_sha256 == hashlib.sha256(published.read_bytes()).hexdigest()
    assert not server.asked
    with pytest.raises(AvfakeError, match="does not exist"):
        load_vocoder("vocos", published.with_name("none.pt"))


@pytest.mark.usefixtures("tiny")
def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Conv1d(2, 5, 1)).state_dict(), tmp_path / "other.pt")
    with pytest.raises(AvfakeError, match=r"do not fit vocoder vocos\.far: 0\.weight is \[5, 2, 1\] instead"):
        load_vocoder("vocos", tmp_path / "other.pt")


@pytest.mark.usefixtures("tiny")
def test_at_hand_is_what_needs_no_download() -> None:
    assert vocoders_at_hand() == ["griffin-lim", "vocos.near", "world"]
    load_vocoder("vocos.far")
    assert vocoders_at_hand() == ["griffin-lim", "vocos.far", "vocos.near", "world"]


@pytest.mark.usefixtures("tiny")
def test_weights_that_changed_in_the_cache_are_refused() -> None:
    load_vocoder("vocos.far")
    path = cache.weights_path(cards.find_card("vocos.far"))
    path.write_bytes(path.read_bytes() + b"!")
    for ask in (load_vocoder, weights_sha256):
        with pytest.raises(AvfakeError, match="delete the file and run avfake vocoders download"):
            ask("vocos.far")
