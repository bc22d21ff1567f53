"""The vocoders command: every vocoder listed, downloads and checks that report failures and go on."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from avfake.curate.vocoders import download, list_all, show, verify
from avfake.errors import AvfakeError
from avfake.vocoders import cache, cards
from avfake.vocoders.registry import COMPUTED, list_vocoders
from tests.tiny_vocoder import save_tiny, tiny_cards
from tests.weights_server import Weights, serve


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Weights]:
    """A server that has the weights of vocos.far; those of vocos.near are at hand."""
    save_tiny(tmp_path / "published.pt")
    data = (tmp_path / "published.pt").read_bytes()
    with serve(data) as weights, tiny_cards(tmp_path / "cards", f"{weights.url}/plain", data):
        yield weights


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def far_path() -> Path:
    return cache.weights_path(cards.find_card("vocos.far"))


def test_every_vocoder_is_listed_and_shown() -> None:
    listing = list_all()
    assert [vocoder.name for vocoder in listing.vocoders] == list_vocoders()
    lines = str(listing).splitlines()
    for vocoder in listing.vocoders:
        line = next(line for line in lines if line.startswith(f"{vocoder.name} "))
        assert str(vocoder.sample_rate) in line
        assert vocoder.training_data in line
        assert (" * " in line) == vocoder.default
        assert str(show(vocoder.name)).startswith(vocoder.name)
    assert listing.n_failed == 0


@pytest.mark.usefixtures("server")
def test_the_list_says_what_is_at_hand() -> None:
    here = {vocoder.name: vocoder.at_hand for vocoder in list_all().vocoders}
    assert here == {"vocos.far": False, "vocos.near": True, **dict.fromkeys(COMPUTED, True)}
    download(["vocos.far"])
    assert all(vocoder.at_hand for vocoder in list_all().vocoders)


def test_a_card_is_shown_with_what_is_known(server: Weights) -> None:
    facts = show("vocos").facts
    assert show("vocos").name == "vocos.far"
    assert facts["address"] == f"{server.url}/plain"
    assert facts["SHA-256"] == "not published"
    assert facts["weights"] == f"{far_path()} (not there yet)"
    assert "n_mels=80" in facts["front-end"]
    assert facts["network"] == "channels=3"
    assert "note" not in facts
    assert show("vocos.near").facts["address"] == "ships with avfake"


def test_weights_are_downloaded_once_under_the_name_of_the_card(server: Weights) -> None:
    report = download(["vocos", "world", "vocos.far"])
    assert [(vocoder.name, vocoder.status) for vocoder in report.vocoders] == [
        ("vocos.far", "downloaded"),
        ("world", "no weights"),
    ]
    assert report.vocoders[0].path == far_path()
    assert report.vocoders[0].sha256 == sha256(server.data)
    assert [vocoder.status for vocoder in download(["vocos"]).vocoders] == ["at hand"]
    assert len(server.asked) == 1
    assert report.n_failed == 0


def test_a_failed_download_is_reported_and_the_others_go_on(server: Weights, tmp_path: Path) -> None:
    with tiny_cards(tmp_path / "others", f"{server.url}/none", server.data):
        report = download(["vocos.far", "vocos.near"])
    assert [vocoder.status for vocoder in report.vocoders] == ["failed", "at hand"]
    assert report.n_failed == 1
    assert "/none answers 404 Not Found; download it by hand to" in str(report)
    assert len(str(report).splitlines()) == 2


def test_unknown_names_are_refused_before_anything_is_fetched(server: Weights) -> None:
    for ask in (download, verify):
        with pytest.raises(AvfakeError, match="'vocoss' is unknown"):
            ask(["vocos", "vocoss"])
    assert not server.asked


@pytest.mark.usefixtures("server")
def test_verify_checks_what_is_at_hand() -> None:
    assert [vocoder.name for vocoder in verify().vocoders] == ["vocos.near"]
    download(["vocos"])
    assert [(vocoder.name, vocoder.status) for vocoder in verify().vocoders] == [
        ("vocos.far", "ok"),
        ("vocos.near", "ok"),
    ]


@pytest.mark.usefixtures("server")
def test_verify_tells_a_change_damage_and_absence() -> None:
    absent = verify(["vocos.far", "world"])
    assert [vocoder.status for vocoder in absent.vocoders] == ["failed", "no weights"]
    assert "run avfake vocoders download vocos.far" in str(absent)
    download(["vocos"])
    whole = far_path().read_bytes()
    far_path().write_bytes(whole + b"!")
    assert "instead of" in verify(["vocos"]).vocoders[0].error
    far_path().with_name("w.pt.sha256").unlink()
    far_path().write_bytes(whole[: len(whole) // 2])
    assert "damaged, incomplete or no checkpoint" in verify(["vocos"]).vocoders[0].error
    assert verify().n_failed == 1


@pytest.mark.usefixtures("server")
def test_reports_can_be_written_as_json() -> None:
    for report in (list_all(), show("vocos"), download(["vocos"]), verify()):
        read = json.loads(json.dumps(dataclasses.asdict(report), default=str))
        assert read
