"""A loopback server with one upload on it, and a yt-dlp that does not wait long before it tries again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from avfake.curate.recovery import client
from tests.dash import make_streams
from tests.loopback import Loopback

UPLOAD_ID = "-_abcdefghi"


@pytest.fixture(scope="session")
def upload_streams(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return make_streams(tmp_path_factory.mktemp("streams"))


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def loopback(
    upload_streams: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch, no_proxies: None
) -> Iterator[Loopback]:
    monkeypatch.setattr(client, "RETRY_S", 0.01)
    with Loopback() as server:
        server.serve(UPLOAD_ID, *upload_streams)
        yield server
