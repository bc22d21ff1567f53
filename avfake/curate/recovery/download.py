"""One upload, through yt-dlp: its sound and its pictures, whole in a folder or not at all."""

import io
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from yt_dlp.cookies import SUPPORTED_BROWSERS, SUPPORTED_KEYRINGS
from yt_dlp.extractor import get_info_extractor
from yt_dlp.utils import YoutubeDLError

from avfake.curate.recovery.arrival import EXTENSIONS, check_arrived
from avfake.curate.recovery.client import Client
from avfake.curate.recovery.reasons import fetch_error, plain_text
from avfake.curate.recovery.streams import Stream, choose_streams
from avfake.curate.recovery.uploads import Upload
from avfake.curate.stage import fingerprint
from avfake.errors import AvfakeError, ClipError, ErrorKind, StorageError
from avfake.files import inside

YOUTUBE = "https://www.youtube.com/watch?v={id}"
PARTIAL = ".partial"  # folder of uploads that are not complete, beside those that are

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_PROXIES = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?(?:/s)?", re.IGNORECASE)
_BROWSER = re.compile(r"([^+:]+)(?:\+([^:]+))?(?::(?!:)(.+?))?(?:::(.+))?")


@dataclass(frozen=True)
class CrawlConfig:
    """How uploads are fetched.

    Attributes:
        url_template: Address of an upload, with ``{id}`` in place of its YouTube id. At YouTube's own
            addresses nothing but yt-dlp's YouTube extractor is used; elsewhere its generic ones are, for
            which a mirror may serve a media file, a DASH or HLS manifest, or a page with one player on it.
        cookies: File of cookies in Netscape's format; it is read, never written.
        cookies_from_browser: Browser whose cookies are used, as ``BROWSER[+KEYRING][:PROFILE][::CONTAINER]``.
        proxy: Address all requests go through; None for what the environment says, empty for none.
        rate_limit: Bytes per second; None for no limit.
        sleep_s: Between two uploads, in seconds.
        max_per_hour: Uploads in any hour; None for no limit.
        socket_timeout_s: How long a server may say nothing, in seconds.
        time_limit_s: How long one upload may take, in seconds; what came is kept for the next run.

    Raises:
        AvfakeError: A value cannot be used.
    """

    url_template: str = YOUTUBE
    cookies: Path | None = None
    cookies_from_browser: str | None = None
    proxy: str | None = None
    rate_limit: int | None = None
    sleep_s: float = 5.0
    max_per_hour: int | None = None
    socket_timeout_s: float = 20.0
    time_limit_s: float = 3600.0

    def __post_init__(self) -> None:
        address = urlsplit(self.url_template)
        if address.scheme not in {"http", "https"} or not address.netloc:
            raise AvfakeError(f"--url-template {self.url_template!r} must be an http or https address")
        if self.url_template.count("{id}") != 1:
            raise AvfakeError(
                f"--url-template {self.url_template!r} must hold {{id}} once, for the upload's id"
            )
        if self.cookies is not None and not self.cookies.is_file():
            raise AvfakeError(f"--cookies {self.cookies} is no file; export one from your browser")
        if self.cookies_from_browser is not None:
            _browser(self.cookies_from_browser)
        if self.proxy and urlsplit(self.proxy).scheme not in _PROXIES:
            raise AvfakeError(
                f"--proxy {self.proxy!r} must begin with one of {', '.join(sorted(_PROXIES))}://"
            )
        for option, value in (("--rate-limit", self.rate_limit), ("--max-per-hour", self.max_per_hour)):
            if value is not None and value <= 0:
                raise AvfakeError(f"{option} {value} must be more than 0")
        if not 0 <= self.sleep_s < float("inf"):
            raise AvfakeError(f"--sleep {self.sleep_s} must be a number of seconds, 0 or more")


def parse_rate(text: str) -> int:
    """Bytes per second of a text like ``500K`` or ``2M``; K is 1024.

    Raises:
        AvfakeError: It is no such text.
    """
    found = _RATE.fullmatch(text.strip())
    rate = int(float(found[1]) * 1024 ** " KMG".index(found[2].upper() or " ")) if found else 0
    if rate <= 0:
        raise AvfakeError(f"--rate-limit {text!r} must be bytes per second, like 500K or 2M")
    return rate


def check_crawl(config: CrawlConfig) -> None:
    """Load the cookies a crawl shall use, so that what is wrong with them is said before the first upload.

    Raises:
        AvfakeError: They cannot be read.
    """
    _client(config)


def download(youtube_id: str, folder: Path, config: CrawlConfig) -> Upload:
    """Fetch one upload into a folder; what is there already is not asked for.

    All of it lands in ``folder/.partial/<youtube_id>/``, where the next call goes on should this one be cut
    off, and moves out when it is complete and checked, the sound last: where the sound's file is, all is.

    Args:
        youtube_id: Of the upload.
        folder: Where ``<youtube_id>.sound.<ext>`` and ``<youtube_id>.pictures.<ext>`` go.
        config: Where it comes from, and how.

    Raises:
        FetchError: It cannot be had, or not now.
        ClipError: It is no YouTube id.
        StorageError: The disk is full or the folder cannot be written.
        AvfakeError: The cookies cannot be read.
    """
    if not _ID.fullmatch(youtube_id):
        raise ClipError(ErrorKind.BAD_METADATA, f"{youtube_id!r} is no YouTube id: 11 of A-Z a-z 0-9 _ -")
    partial = inside(folder, f"{PARTIAL}/{youtube_id}")
    try:
        upload = _complete(folder, youtube_id) or _fetch(youtube_id, folder, partial, config)
        if partial.exists():
            shutil.rmtree(partial)
    except OSError as error:
        raise StorageError(
            f"cannot write {folder}: {error.strerror or error}; free some space or choose another --workspace"
        ) from error
    return upload


def _fetch(youtube_id: str, folder: Path, partial: Path, config: CrawlConfig) -> Upload:
    client = _client(config)
    client.start_upload(config.time_limit_s)
    info = client.look_up(config.url_template.replace("{id}", youtube_id))
    _check_found(info, youtube_id)
    streams = choose_streams(info)
    partial.mkdir(parents=True, exist_ok=True)
    sound, sound_ext = _receive(client, streams.sound, partial, "audio")
    pictures = _find(folder, youtube_id, "pictures")  # there when a kill fell between the two moves
    if streams.pictures and not pictures:
        received, ext = _receive(client, streams.pictures, partial, "video")
        pictures = _settle(received, folder / f"{youtube_id}.pictures.{ext}")
    return Upload(_settle(sound, folder / f"{youtube_id}.sound.{sound_ext}"), pictures)


def _check_found(info: Mapping[str, Any], youtube_id: str) -> None:
    """Refuse what is not this one upload: a page of several, or the trailer of one that costs money."""
    if info.get("_type", "video") != "video":
        raise fetch_error(ErrorKind.BOT_WALL, "the server sent a page of several videos")
    if info.get("extractor_key") == "Youtube" and info["id"] != youtube_id:
        raise fetch_error(ErrorKind.PRIVATE, f"the server offered the trailer {info['id']} alone")


def _receive(
    client: Client, stream: Stream, partial: Path, holds: Literal["audio", "video"]
) -> tuple[Path, str]:
    """Fetch a stream, or what is missing of it; its name says which it is, not what a server calls it."""
    state = fingerprint(stream.get("format_id"), stream.get("filesize"), stream.get("tbr"))
    path = partial / f"{holds}-{state}"
    client.receive(stream, path)
    try:
        return path, check_arrived(path, holds)
    except ClipError:
        path.unlink(missing_ok=True)  # it is complete, so going on from there would not mend it
        raise


def _settle(received: Path, path: Path) -> Path:
    with received.open("rb") as file:
        os.fsync(file.fileno())
    return received.replace(path)


def _complete(folder: Path, youtube_id: str) -> Upload | None:
    sound = _find(folder, youtube_id, "sound")
    return Upload(sound, _find(folder, youtube_id, "pictures")) if sound else None


def _find(folder: Path, youtube_id: str, part: str) -> Path | None:
    paths = (folder / f"{youtube_id}.{part}.{extension}" for extension in EXTENSIONS)
    return next((path for path in paths if path.exists()), None)


@lru_cache(maxsize=1)
def _client(config: CrawlConfig) -> Client:
    """The client of this process; made once for all uploads."""
    is_youtube = get_info_extractor("Youtube").suitable(config.url_template.replace("{id}", "-" * 11))
    options: dict[str, Any] = {
        "socket_timeout": config.socket_timeout_s,
        "ratelimit": config.rate_limit,
        "proxy": config.proxy,
    }
    if config.cookies_from_browser is not None:
        options["cookiesfrombrowser"] = _browser(config.cookies_from_browser)
    try:
        if config.cookies is not None:
            # The text, not the name: yt-dlp expands names and may write the file anew.
            options["cookiefile"] = io.StringIO(config.cookies.read_text("utf-8"))
        client = Client(["youtube"] if is_youtube else ["generic", "html5"], options)
        n_cookies = len(client.cookiejar)
    except (YoutubeDLError, OSError, UnicodeError) as error:
        raise AvfakeError(f"the cookies cannot be read: {plain_text(error)}; check --cookies") from error
    if config.cookies is not None and not n_cookies:
        raise AvfakeError(f"--cookies {config.cookies} holds no cookies in Netscape's format")
    return client


def _browser(text: str) -> tuple[str, str | None, str | None, str | None]:
    """Name, profile, keyring and container, as yt-dlp takes them."""
    found = _BROWSER.fullmatch(text)
    name, keyring, profile, container = found.groups() if found else ("", None, None, None)
    if name.lower() not in SUPPORTED_BROWSERS:
        raise AvfakeError(
            f"--cookies-from-browser {text!r} must name one of {', '.join(sorted(SUPPORTED_BROWSERS))}"
        )
    if keyring is not None and keyring.upper() not in SUPPORTED_KEYRINGS:
        raise AvfakeError(
            f"keyring {keyring!r} of --cookies-from-browser must be one of {', '.join(SUPPORTED_KEYRINGS)}"
        )
    return name.lower(), profile, keyring and keyring.upper(), container
