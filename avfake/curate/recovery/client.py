"""yt-dlp as a crawl needs it: silent, alone, in time, and answerable for what a server refused."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.globals import plugin_dirs
from yt_dlp.networking import Request
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import HTTPError
from yt_dlp.utils import DownloadError

from avfake.curate.recovery.reasons import FetchError, fetch_error, reason_of
from avfake.errors import ErrorKind

RETRIES = 5  # of one connection: for a hiccup, not for a refusal
RETRY_S = 0.25  # before the first, twice that before the second, ...
_PIECE_BYTES = 1 << 10

logger = logging.getLogger("avfake")


class _Log:
    """Takes what yt-dlp would print; what matters comes as an exception."""

    def debug(self, message: str) -> None:
        logger.debug("yt-dlp: %s", message)

    warning = error = debug


_MANNERS: dict[str, Any] = {
    "quiet": True,
    "no_warnings": True,
    "noprogress": True,
    "color": "never",
    "cachedir": False,
    "check_formats": False,  # would fetch samples into the working directory
    "external_downloader": "native",  # nothing but yt-dlp itself touches the net
    "hls_prefer_native": True,
    "fixup": "never",
    "updatetime": False,
    "noplaylist": True,
    "playlist_items": "0",
    "geo_bypass": False,
    "js_runtimes": {"deno": {}, "node": {}},  # both run YouTube's player scripts without rights
    "format": lambda context: context["formats"][-1:],  # the choice is made elsewhere
    "retries": RETRIES,
    "extractor_retries": 1,
    "fragment_retries": 0,  # a fragment is fetched like a file, with the retries above
    "skip_unavailable_fragments": False,
    "retry_sleep_functions": {"http": lambda n: RETRY_S * 2**n},
}


class Client(YoutubeDL):  # type: ignore[misc]
    """A yt-dlp of our own.

    Reads no configuration, loads no plugins, writes no cache, prints nothing, and fetches with nothing but
    itself. One serves many uploads: it keeps connections, cookies, and YouTube's player script, which would
    else be fetched again for every upload.

    Args:
        extractors: Names of the extractors that may be used.
        options: More of yt-dlp's options.
    """

    def __init__(self, extractors: Iterable[str], options: Mapping[str, Any]) -> None:
        plugin_dirs.value = []
        self.refusal: HTTPError | None = None
        self._limit_s = self._deadline = float("inf")
        super().__init__({**_MANNERS, "logger": _Log(), "allowed_extractors": [*extractors], **options})
        self.add_progress_hook(lambda status: self._check_time())

    def start_upload(self, limit_s: float) -> None:
        """Forget the upload before, and give the next one this much time."""
        self.refusal = None
        self._limit_s, self._deadline = limit_s, time.monotonic() + limit_s

    def look_up(self, url: str) -> Mapping[str, Any]:
        """What yt-dlp finds at an address, the streams to choose from among it.

        Raises:
            FetchError: It finds nothing.
        """
        with self._judged():
            found: Mapping[str, Any] | None = self.extract_info(url, download=False)
        return found or {}

    def receive(self, stream: Mapping[str, Any], path: Path) -> None:
        """Fetch a stream to a file, or what is missing of it beside one that ends in ``.part``.

        Raises:
            FetchError: It does not come whole.
            OSError: The disk is full or cannot be written.
        """
        with self._judged():
            if not self.dl(str(path), dict(stream))[0]:
                raise DownloadError("it was given up without a word")

    def urlopen(self, request: Request | str) -> Response:
        """Make a request while there is time; a refusal is kept for who asks later.

        Raises:
            FetchError: The time of the upload is over.
        """
        self._check_time()
        try:
            response = super().urlopen(request)
        except HTTPError as error:
            self.refusal = error
            error.response.read = partial(self._read, error.response.read)
            raise
        response.read = partial(self._read, response.read)
        return response

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Turn what yt-dlp raises, on purpose or because an answer makes it stumble, into a reason."""
        try:
            yield
        except (FetchError, OSError):
            raise  # the clock's, the disk's; those of the net are all wrapped
        except Exception as error:
            if isinstance(error, DownloadError) and isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise reason_of(error, self.refusal) from error

    def _read(self, read: Any, amount: int | None = None) -> bytes:
        """Read from a response: a page, which yt-dlp asks for whole, in pieces with an eye on the clock."""
        if amount is not None:
            return bytes(read(amount))
        pieces = []
        while piece := read(_PIECE_BYTES):
            self._check_time()
            pieces.append(piece)
        return b"".join(pieces)

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise fetch_error(ErrorKind.TIMEOUT, f"it was not fetched within {self._limit_s:g} s")
