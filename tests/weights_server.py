"""A web server on the loopback address that gives files the way public hosts do, faults included."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

CONFIRMATION = """<!DOCTYPE html><html><head><title>Large file - Virus scan warning</title></head><body>
<form action="/search"><input name="q"></form>
<form id="download-form" action="/drive/download" method="get">
<input type="hidden" name="id" value="7&amp;7"><input type="hidden" name="confirm" value="t">
<input type="hidden" name="uuid" value="u-1"></form>
<form action="/feedback"><input name="text"></form></body></html>"""
LOGIN = "<html><head><title>Sign in\n to continue</title></head><form action='/login'></form></html>"


@dataclass
class Weights:
    """What the server gives, and how.

    Attributes:
        data: The file at ``/plain``, ``/cut``, ``/drive`` and the others.
        asked: Path and Range header of every request so far.
        cuts: How often ``/cut`` still breaks off, each time half-way through what is left.
        ranges: Whether parts can be asked for.
        url: Address of the server.
    """

    data: bytes
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    cuts: int = 0
    ranges: bool = True
    url: str = ""


@contextmanager
def serve(data: bytes, **choices: Any) -> Iterator[Weights]:
    """Run the server while the context lasts."""
    weights = Weights(data, **choices)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"weights": weights}))
    weights.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("no_proxy", "127.0.0.1")  # wherever the tests run
            yield weights
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    weights: Weights

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.weights.asked.append((self.path, self.headers["Range"]))
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/cut" and self.weights.cuts:
            self.weights.cuts -= 1
            self._give(part=0.5)
        elif path == "/reset":
            self.connection.close()
        elif path in ("/plain", "/cut"):
            self._give()
        elif path == "/unsized":
            self._give(sized=False)
        elif path == "/hub":
            self._move("/plain?signature=1")
        elif path == "/loop":
            self._move("/loop")
        elif path == "/away":
            self._move(query["to"][0])
        elif path == "/drive":
            self._move("/drive/download?id=7%267", cookie="seen=1")
        elif path == "/drive/download":
            confirmed = query.get("confirm") == ["t"] and query["uuid"] == ["u-1"] and query["id"] == ["7&7"]
            if confirmed and self.headers["Cookie"] == "seen=1":
                self._give()
            else:
                self._page(CONFIRMATION)
        elif path == "/login":
            self._page(LOGIN)
        elif path == "/disguised":
            self._page(LOGIN, kind="application/octet-stream")
        elif path == "/busy" and len(self.weights.asked) < 3:
            self.send_error(503)
        elif path == "/busy":
            self._give()
        else:
            self.send_error(404)

    def _give(self, *, part: float = 1.0, sized: bool = True) -> None:
        """The file from the byte asked for, or only the first part of what is left."""
        data, asked = self.weights.data, self.headers["Range"]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.weights.ranges else 0
        if asked and self.weights.ranges and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/octet-stream")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if sized:
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start : start + round((len(data) - start) * part)])

    def _move(self, place: str, cookie: str = "") -> None:
        self.send_response(302)
        self.send_header("Location", place)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _page(self, text: str, kind: str = "text/html; charset=utf-8") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())
