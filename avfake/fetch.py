"""Download of one file: resumed where it was cut, checked, whole or not at all."""

import os
import ssl
import time
import urllib.request
from collections.abc import Callable
from html.parser import HTMLParser
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin

from avfake import __version__
from avfake.errors import AvfakeError, StorageError, one_line
from avfake.files import sha256_of

Progress = Callable[[int, int | None], None]  # bytes so far, and in all where the server says so

_TIMEOUT_S = 30.0  # without a byte
_N_TRIES = 5  # in a row that bring nothing new
_PAUSE_S = 0.5  # before the second try; doubles
_CHUNK = 1 << 20
_SIZE_LIMIT = 4 << 30  # the largest public checkpoint has 0.7 GB
_PAGE_LIMIT = 1 << 20
_PASSING = {429, 500, 502, 503, 504}  # answers that may be another one a second later
_HEADERS = {"User-Agent": f"avfake/{__version__}", "Accept-Encoding": "identity"}


def fetch(url: str, path: Path, *, sha256: str | None = None, progress: Progress | None = None) -> None:
    """Download ``url`` to ``path``.

    What arrived before a cut stays beside it as ``<name>.part``, and the next try goes on from there.

    Args:
        url: http or https. Redirects are followed, but not from https to http, and the page on which
            Google Drive asks whether one really wants a large file is answered.
        path: Where the file goes; its folder must exist.
        sha256: Of the file, in hexadecimal, or its first digits, when they are known.
        progress: Called after each piece.

    Raises:
        AvfakeError: The server cannot be reached, refuses, gives a web page or another file than expected.
        StorageError: The disk is full or the folder cannot be written.
    """
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"url {url!r} must begin with https:// or http://")
    part = path.with_name(f"{path.name}.part")
    try:
        _fetch_part(url, part, progress)
        if sha256 and not (found := sha256_of(part)).startswith(sha256):
            part.unlink()
            wanted = sha256 if len(sha256) == len(found) else f"{sha256}..."
            raise AvfakeError(f"{url} gives a file of SHA-256 {found} instead of {wanted}")
        part.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


def _fetch_part(url: str, part: Path, progress: Progress | None) -> None:
    """Try until the file is whole, or until several tries in a row brought nothing new."""
    opener = _opener()
    n_tries = 0
    while True:
        before = _size(part)
        try:
            return _fetch_once(opener, url, part, progress)
        except HTTPError as error:
            reason = f"answers {error.code} {one_line(error.reason)}"
            if error.code not in _PASSING:
                raise AvfakeError(f"{url} {reason}") from error
        except URLError as error:
            reason = f"cannot be reached: {one_line(str(error.reason))}"
        except (_CutError, TimeoutError, ConnectionError, ssl.SSLError, HTTPException) as error:
            reason = f"breaks off: {one_line(error)}"
        n_tries = n_tries + 1 if _size(part) == before else 1
        if n_tries == _N_TRIES:
            raise AvfakeError(f"{url} {reason}")
        time.sleep(_PAUSE_S * 2 ** (n_tries - 1))


def _fetch_once(
    opener: urllib.request.OpenerDirector, url: str, part: Path, progress: Progress | None
) -> None:
    start = _size(part)
    try:
        response = _ask(opener, url, start)
    except HTTPError as error:
        if error.code != 416:  # the range asked for lies beyond the file
            raise
        if error.headers["Content-Range"] != f"bytes */{start}":
            part.unlink()
            raise _CutError("its size changed") from error
        return
    with response:
        total = _total(response, start)
        if response.status != 206:
            start = 0
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            while piece := response.read(_CHUNK):
                file.write(piece)
                if progress:
                    progress(file.tell(), total)
                if file.tell() > _SIZE_LIMIT:
                    raise AvfakeError(f"{url} gives more than {_SIZE_LIMIT} bytes; no weights are so large")
            os.fsync(file.fileno())
            if total is not None and file.tell() != total:
                raise _CutError(f"after {file.tell()} of {total} bytes")


def _ask(opener: urllib.request.OpenerDirector, url: str, start: int) -> HTTPResponse:
    """The answer that carries the file, from byte ``start`` on if the server can."""
    headers = {**_HEADERS, "Range": f"bytes={start}-"} if start else _HEADERS
    asked = url
    for _ in range(2):
        request = urllib.request.Request(asked, headers=headers)
        response: HTTPResponse = opener.open(request, timeout=_TIMEOUT_S)
        if not _is_page(response):
            return response
        with response:
            page = _Page(response.read(_PAGE_LIMIT).decode(errors="replace"))
        if page.confirmation is None:
            break
        asked = urljoin(response.url, page.confirmation)
        _check_step(response.url, asked)
    title = one_line(page.title or "untitled")
    raise AvfakeError(f"{url} gives a web page instead of a file: {title}")


def _total(response: HTTPResponse, start: int) -> int | None:
    """Size of the whole file, in bytes."""
    length = response.headers["Content-Length"]
    if response.status != 206:
        return int(length) if length else None
    first, _, total = (response.headers["Content-Range"] or "").removeprefix("bytes ").partition("/")
    if not first.startswith(f"{start}-") or not total.isdigit():
        raise _CutError("it gives another range than it was asked for")
    return int(total)


def _is_page(response: HTTPResponse) -> bool:
    if response.headers.get_content_type() == "text/html":
        return True
    return response.status == 200 and response.peek(16).lstrip().lower().startswith((b"<!doctype", b"<html"))


class _Page(HTMLParser):
    """A web page's title, and its forms: the address each is sent to, and its fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.title = ""
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._in_title = False
        self.feed(text)

    @property
    def confirmation(self) -> str | None:
        """Address of the file, if the page asks whether one really wants it."""
        answers = (f"{action}?{urlencode(fields)}" for action, fields in self.forms if "confirm" in fields)
        return next(answers, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, or a field of the last one."""
        values = {name: value or "" for name, value in attrs}
        self._in_title = tag == "title" and not self.title
        if tag == "form":
            self.forms.append((values.get("action", ""), {}))
        elif tag == "input" and self.forms and values.get("name"):
            self.forms[-1][1][values["name"]] = values.get("value", "")

    def handle_data(self, data: str) -> None:
        """Note the title."""
        if self._in_title:
            self.title += data


class _CutError(Exception):
    """The connection ended before the file did."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, never to a place that is easier to tamper with."""

    max_redirections = 5

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> urllib.request.Request | None:
        """Check the new address, the last argument."""
        _check_step(req.full_url, rest[-1])
        return super().redirect_request(req, *rest)


def _check_step(here: str, there: str) -> None:
    if not there.startswith(("https:",) if here.startswith("https:") else ("https:", "http:")):
        raise AvfakeError(f"{here} leads to {there}, which is not followed")


def _opener() -> urllib.request.OpenerDirector:
    """Opens http and https and nothing else; keeps cookies while one file is fetched."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPCookieProcessor,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
        _Redirects,
    ):
        opener.add_handler(handler())
    return opener


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
