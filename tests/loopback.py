"""A web server on this machine that serves uploads as the real thing does, and fails as it does.

    with Loopback() as server:
        server.serve("abcdefghijk", *make_streams(folder))
        server.fail("abcdefghijk", on="sound", times=1, cut_at=0.5)
        download("abcdefghijk", folder, CrawlConfig(url_template=server.url_template))
        assert server.bytes_sent("abcdefghijk", "sound") < 1.3 * size

Streams of sound and of pictures alone are offered in a DASH manifest, a single file is served as it is. Also
a proxy: a request for any other host is answered as if it were for this one.
"""

import os
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.dash import dash_manifest, probe

_BLOCK_BYTES = 16 << 10


class Resource(NamedTuple):
    """What lies at a path; ``part`` is ``page``, ``sound`` or ``pictures``."""

    youtube_id: str
    part: str
    body: bytes | Path
    headers: dict[str, str]


@dataclass
class Fault:
    """How requests for one part of an upload go wrong; ``times`` of them, or all.

    Attributes:
        part: ``page``, ``sound``, ``pictures``, or ``any``.
        times: How many requests are left to spoil; None for all.
        status: Sent in place of 200.
        headers: Sent besides.
        body: Sent in place of what was asked for.
        bytes_per_s: How fast the body goes out.
        cut_at: Share of the body after which the connection ends.
        reset: Whether it ends with a reset.
        promise_bytes: How much more the header promises than there is.
        redirect: Address to go to.
        silence_s: How long nothing is said before the answer.
        ranges: Whether a part of the body may be asked for.
    """

    part: str = "any"
    times: int | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    bytes_per_s: float | None = None
    cut_at: float | None = None
    reset: bool = False
    promise_bytes: int = 0
    redirect: str | None = None
    silence_s: float = 0.0
    ranges: bool = True


@dataclass
class Request:
    """A request as it came, and what was answered; ``n_bytes`` of the body went out."""

    method: str
    path: str
    youtube_id: str | None
    part: str | None
    headers: dict[str, str]
    status: int = 0
    n_bytes: int = 0


class Loopback:
    """The server; it runs while its ``with`` block does."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._resources: dict[str, Resource] = {}
        self._faults: dict[str, list[Fault]] = {}
        self._lock = threading.Lock()
        self._server = self._start(port=0)

    def __enter__(self) -> "Loopback":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url_template(self) -> str:
        return self.address + "/watch?v={id}"

    def serve(self, youtube_id: str, *files: Path) -> None:
        """Offer files as one upload: one as it is, several in a DASH manifest; sound first, worst first."""
        if len(files) == 1:
            self.put(f"/watch?v={youtube_id}", youtube_id, "sound", files[0], {"Content-Type": "video/mp4"})
            return
        names = [f"/media/{youtube_id}/{number}" for number in range(len(files))]
        for name, file in zip(names, files, strict=True):
            part = "sound" if probe(file).kind == "audio" else "pictures"
            self.put(name, youtube_id, part, file, {"Content-Type": "application/octet-stream"})
        manifest = dash_manifest({name: probe(file) for name, file in zip(names, files, strict=True)})
        kind = {"Content-Type": "application/dash+xml"}
        self.put(f"/watch?v={youtube_id}", youtube_id, "page", manifest.encode(), kind)

    def put(
        self, path: str, youtube_id: str, part: str, body: bytes | Path, headers: dict[str, str] | None = None
    ) -> None:
        """Let anything lie at a path."""
        self._resources[path] = Resource(youtube_id, part, body, headers or {})

    def fail(self, youtube_id: str, on: str = "any", **how: Any) -> None:
        """Spoil requests for an upload from now on; of several faults the first that applies does."""
        self._faults.setdefault(youtube_id, []).append(Fault(on, **how))

    def mend(self, youtube_id: str) -> None:
        """End all faults of an upload."""
        self._faults.pop(youtube_id, None)

    def count(self, youtube_id: str, part: str | None = None) -> int:
        """Requests made for an upload, or a part of it."""
        return len(self._asked(youtube_id, part))

    def bytes_sent(self, youtube_id: str, part: str | None = None) -> int:
        """Bytes of bodies that went out for an upload, or a part of it."""
        return sum(request.n_bytes for request in self._asked(youtube_id, part))

    def restart(self, pause_s: float = 0.0) -> None:
        """Cut all connections, be away for a while, and come back at the same address."""
        port = self._server.server_port
        self._server.stop()
        time.sleep(pause_s)
        self._server = self._start(port)

    def find(self, path: str) -> Resource | None:
        """What lies at a path."""
        return self._resources.get(path)

    def note(self, request: Request) -> Fault:
        """Remember a request, and say how it shall fail: a fault without effect when it shall not."""
        with self._lock:
            self.requests.append(request)
            for fault in self._faults.get(request.youtube_id or "", []):
                if fault.part in {"any", request.part} and fault.times != 0:
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return Fault()

    def _asked(self, youtube_id: str, part: str | None) -> list[Request]:
        return [
            request
            for request in list(self.requests)
            if request.youtube_id == youtube_id and part in {None, request.part}
        ]

    def _start(self, port: int) -> "_Server":
        server = _Server(("127.0.0.1", port), _Handler)
        server.site = self
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    site: Loopback

    def __init__(self, *arguments: Any) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            cut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hangs up is no news


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits 40 ms
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = f"{address.path}?{address.query}" if address.query else address.path
        found = self.server.site.find(path)
        owner = (found.youtube_id, found.part) if found else (None, None)
        request = Request(self.command, self.path, *owner, dict(self.headers))
        fault = self.server.site.note(request)
        time.sleep(fault.silence_s)
        if fault.reset and fault.cut_at is None:
            cut(self.connection, reset=True)
        elif fault.redirect:
            self._answer(request, Fault(headers={"Location": fault.redirect}), 302, b"", {})
        elif found is None or fault.status or fault.body is not None:
            status = fault.status or (200 if found else 404)
            body = HTTPStatus(status).phrase.encode() if fault.body is None else fault.body
            self._answer(request, fault, status, body, {"Content-Type": "text/html"})
        else:
            whole = found.body if isinstance(found.body, bytes) else found.body.read_bytes()
            self._answer_range(request, fault, whole, found.headers)

    do_HEAD = do_GET  # noqa: N815

    def do_CONNECT(self) -> None:
        request = Request(self.command, self.path, None, None, dict(self.headers))
        self._answer(request, self.server.site.note(request), 403, b"", {})

    def _answer_range(self, request: Request, fault: Fault, whole: bytes, headers: dict[str, str]) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if fault.ranges else None
        if not asked:
            self._answer(request, fault, 200, whole, headers)
            return
        first, last = int(asked[1]), min(int(asked[2] or len(whole)), len(whole) - 1)
        if first >= len(whole):
            self._answer(request, fault, 416, b"", {"Content-Range": f"bytes */{len(whole)}"})
            return
        where = {"Content-Range": f"bytes {first}-{last}/{len(whole)}"}
        self._answer(request, fault, 206, whole[first : last + 1], {**headers, **where})

    def _answer(
        self, request: Request, fault: Fault, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        request.status = status
        self.send_response(status)
        length = {"Content-Length": str(len(body) + fault.promise_bytes)}
        for name, value in {**length, **headers, **fault.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        share = 1.0 if fault.cut_at is None else fault.cut_at
        self._send(request, body[: int(share * len(body))], fault.bytes_per_s)
        if fault.cut_at is not None or fault.promise_bytes:
            cut(self.connection, reset=fault.reset)

    def _send(self, request: Request, body: bytes, bytes_per_s: float | None) -> None:
        block = _BLOCK_BYTES if bytes_per_s is None else max(int(bytes_per_s / 20), 1)
        for start in range(0, len(body), block):
            piece = body[start : start + block]
            try:
                self.wfile.write(piece)
            except OSError:
                self.close_connection = True
                return
            request.n_bytes += len(piece)
            if bytes_per_s is not None:
                time.sleep(len(piece) / bytes_per_s)


def cut(connection: socket.socket, *, reset: bool = False) -> None:
    """End a connection at once, by a reset if so wished."""
    try:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(connection.detach())  # a plain close waits for the files made of it
        else:
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already
