"""Why an upload could not be fetched: what yt-dlp raises and what servers answer, told apart."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import ContentTooShortError, GeoRestrictedError, UnsupportedError, YoutubeDLError

from avfake.errors import ClipError, ErrorKind

_STATUS = {
    401: ErrorKind.PRIVATE,
    402: ErrorKind.PRIVATE,
    403: ErrorKind.BOT_WALL,
    404: ErrorKind.DELETED,
    410: ErrorKind.DELETED,
    429: ErrorKind.RATE_LIMITED,
    451: ErrorKind.GEO_BLOCKED,
}
# Searched in this order: "Video unavailable" and "Sign in" open messages of many kinds.
_WORDS = (
    (r"confirm your age|\bage.restricted|\bage.verif|inappropriate", ErrorKind.AGE_GATED),
    (r"in your country|from your location|geo.?restrict", ErrorKind.GEO_BLOCKED),
    (r"rate.limited|try again later|too many requests", ErrorKind.RATE_LIMITED),
    (r"not a (ro)?bot|captcha|IP is likely being blocked|anti-bot", ErrorKind.BOT_WALL),
    (r"\bprivate|\bmembers|requires payment|purchase|DRM protected|registered users", ErrorKind.PRIVATE),
    (r"Playback on other websites", ErrorKind.TIMEOUT),  # an embedded player's answer says nothing of others
    (r"unavailable|not available|no longer available|isn.t available", ErrorKind.DELETED),
    (r"removed|terminated|deleted|does ?n.t exist|does not exist|copyright", ErrorKind.DELETED),
    (r"sign in|login required", ErrorKind.BOT_WALL),
    (r"did not get any data|file is empty", ErrorKind.CORRUPT),
)
_ADVICE = {
    ErrorKind.DELETED: "a copy you have can take its place with --audio-from-dir",
    ErrorKind.PRIVATE: "pass --cookies or --cookies-from-browser of an account that may see it",
    ErrorKind.GEO_BLOCKED: "pass a --proxy where it may be seen",
    ErrorKind.AGE_GATED: "pass --cookies or --cookies-from-browser of an account of age",
    ErrorKind.BOT_WALL: "pass --cookies-from-browser or a --proxy, or run again later",
    ErrorKind.RATE_LIMITED: "run again later, with a longer --sleep or a lower --max-per-hour",
    ErrorKind.TIMEOUT: "run again; what came is kept and goes on from there",
    ErrorKind.NO_AUDIO: "a copy with sound can take its place with --audio-from-dir",
    ErrorKind.CORRUPT: "--retry failed fetches it anew",
}
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NOISE = re.compile(
    r"^\s*ERROR:\s+(\[[^\]]+\]\s+\S+:\s+)?"  # which extractor met it, at which id
    r"|\[download\] Got error:\s+"
    r"|[;,.]?\s+please report this issue on .*"
    r"|\.?\s+(Use --cookies|Also see|See|For more information,|It is recommended|You might want) .*"
    r"|\s+\(caused by .*"
    r"|\?[^\s'\")]*=[^\s'\")]*",  # queries of addresses, which hold keys and the user's own address
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 160  # characters of a server's own words, so that the advice still fits into one line


class FetchError(ClipError):
    """An upload could not be fetched.

    Args:
        kind: The reason, one of those of :class:`ErrorKind` that speak of servers.
        message: What came and what to do, one line.
        retry_after_s: How long the server asks to be left alone, in seconds; None when it does not.
    """

    def __init__(self, kind: ErrorKind, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(kind, message)
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> Any:
        return type(self), (self.kind, str(self), self.retry_after_s)


def fetch_error(kind: ErrorKind, came: str, retry_after_s: float | None = None) -> FetchError:
    """Error of a kind that says what came and what to do about it."""
    return FetchError(kind, f"{came}; {_ADVICE[kind]}", retry_after_s)


def reason_of(error: Exception, refusal: HTTPError | None = None) -> FetchError:
    """Tell which kind of failure an error is.

    Args:
        error: As raised by yt-dlp, or in the midst of it.
        refusal: The last refusal any server gave on the way to it. yt-dlp drops the answer when it gives a
            file up after some tries, or when it asked a site in several ways of which none went well.
    """
    chain = list(_chain(error))
    text = plain_text(error)
    answer = next((link for link in chain if isinstance(link, HTTPError)), None)
    if answer is None and refusal and f"HTTP Error {refusal.status}" in text:
        answer = refusal
    if answer is not None:
        return fetch_error(_kind_of_status(answer), f"the server answered {_quoted(text)}", _told_s(answer))
    gave_up = "Got error:" in str(error)
    if gave_up or any(isinstance(link, TransportError | ContentTooShortError) for link in chain):
        return fetch_error(ErrorKind.TIMEOUT, f"the connection failed: {_quoted(text)}")
    if any(isinstance(link, GeoRestrictedError) for link in chain):
        return fetch_error(ErrorKind.GEO_BLOCKED, f"the server answered {_quoted(text)}")
    if any(isinstance(link, UnsupportedError) for link in chain):
        return fetch_error(ErrorKind.BOT_WALL, "the server sent a web page that holds no video")
    if not isinstance(error, YoutubeDLError):
        came = f"yt-dlp stumbled over the answer: {_quoted(f'{type(error).__name__}: {text}')}"
        return fetch_error(ErrorKind.TIMEOUT, came)
    return _reason_in(text, refusal)


def plain_text(error: Exception) -> str:
    """What an error of yt-dlp's says, in one line without colours, addresses of its own and hints."""
    return " ".join(_NOISE.sub("", _COLOUR.sub("", str(error))).split())


def _reason_in(text: str, refusal: HTTPError | None) -> FetchError:
    kind = next((kind for words, kind in _WORDS if re.search(words, text, re.IGNORECASE)), None)
    told_s = 3600.0 if "for up to an hour" in text else None
    if kind is None and refusal is not None and _kind_of_status(refusal).transient:
        kind, told_s = _kind_of_status(refusal), _told_s(refusal)
        text = f"{text} (HTTP Error {refusal.status})"
    return fetch_error(kind or ErrorKind.TIMEOUT, f"yt-dlp says {_quoted(text)}", told_s)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those it came from, which yt-dlp keeps in three ways."""
    seen: list[BaseException | None] = [None]
    queue = [error]
    while queue:
        link = queue.pop(0)
        if isinstance(link, BaseException) and link not in seen:
            seen.append(link)
            yield link
            queue += [(getattr(link, "exc_info", None) or (None, None))[1], getattr(link, "cause", None)]
            queue += [link.__cause__, link.__context__]


def _kind_of_status(answer: HTTPError) -> ErrorKind:
    return _STATUS.get(answer.status, ErrorKind.TIMEOUT)


def _told_s(answer: HTTPError) -> float | None:
    """Seconds of a Retry-After header, given as such or as a date; None without one or with nonsense."""
    headers = answer.response.headers
    value = headers.get("Retry-After") or ""
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return float(value)
    until, now = _date(value), _date(headers.get("Date")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0) if until else None


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")
