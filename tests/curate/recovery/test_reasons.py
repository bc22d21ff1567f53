"""Each message of YouTube's and each answer of a server has its kind; the user reads one clean line."""

import inspect
import pickle
from email.message import Message
from io import BytesIO

import pytest
import yt_dlp
from yt_dlp import YoutubeDL
from yt_dlp.extractor.youtube import _base, _video
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import HTTPError, IncompleteRead, ProxyError, TransportError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError

from avfake.curate.recovery.reasons import FetchError, reason_of
from avfake.errors import ErrorKind, one_line

LOGIN = (
    "Use --cookies-from-browser or --cookies for the authentication. "
    "See  https://github.com/yt-dlp/yt-dlp/wiki/FAQ#how-do-i-pass-cookies-to-yt-dlp  for how to manually "
    "pass cookies. Also see  https://github.com/yt-dlp/yt-dlp/wiki/Extractors#exporting-youtube-cookies  "
    "for tips on effectively exporting YouTube cookies"
)
YOUTUBE_SAYS = {
    ErrorKind.DELETED: [
        "Video unavailable",
        "Video unavailable. This video is no longer available because the uploader has closed their account",
        "Video unavailable. This video has been removed by the uploader",
        "Video unavailable. This video is not available",
        "This video is no longer available because the YouTube account associated with this video has been "
        "terminated.",
        "This video has been removed for violating YouTube's Terms of Service.",
        "Video unavailable. This video contains content from UMG, who has blocked it on copyright grounds",
        "This video is no longer available due to a copyright claim by X",
        "This video isn't available anymore",
        "This video does not exist.",
    ],
    ErrorKind.PRIVATE: [
        f"Private video. Sign in if you've been granted access to this video. {LOGIN}",
        "This video is private",
        "Join this channel to get access to members-only content like this video, and other exclusive perks.",
        "This video is available to this channel's members on level: X (or any higher level).",
        "This video requires payment to watch.",
        "This video is DRM protected",
    ],
    ErrorKind.GEO_BLOCKED: [
        "Video unavailable. The uploader has not made this video available in your country",
        "Video unavailable. This video contains content from SME, who has blocked it in your country on "
        "copyright grounds",
    ],
    ErrorKind.AGE_GATED: [
        f"Sign in to confirm your age. This video may be inappropriate for some users. {LOGIN}",
        "This video is age-restricted and only available on YouTube",
    ],
    ErrorKind.BOT_WALL: [
        f"Sign in to confirm you’re not a bot. {LOGIN}",
        f"Sign in to confirm you're not a bot. {LOGIN}",
        "Video unavailable. YouTube is requiring a captcha challenge before playback",
        "All player responses are invalid. Your IP is likely being blocked by Youtube",
        f"Please sign in. {LOGIN}",
    ],
    ErrorKind.RATE_LIMITED: [
        "Video unavailable. This content isn’t available, try again later",
        "Video unavailable. This content isn't available, try again later. The current session has been "
        "rate-limited by YouTube for up to an hour. It is recommended to use `-t sleep` to add a delay "
        "between video requests to avoid exceeding the rate limit. For more information, refer to  https://x",
    ],
    ErrorKind.TIMEOUT: [
        "The page needs to be reloaded.",
        "Failed to extract any player response",
        "Video unavailable. Playback on other websites has been disabled by the video owner",
        "Something nobody has ever seen",
    ],
}


class Says(yt_dlp.extractor.common.InfoExtractor):
    """An extractor that meets what it is told."""

    IE_NAME = "youtube"
    _VALID_URL = r"says:(?P<id>.+)"
    error: Exception

    def _real_extract(self, url: str) -> None:
        raise self.error


def raised_by_yt_dlp(error: Exception) -> Exception:
    """An extractor's error as it leaves yt-dlp, which wraps it in others and adds words of its own."""
    extractor = Says()
    extractor.error = error
    client = YoutubeDL({"quiet": True, "logger": Silent(), "color": "always"}, auto_init=False)
    client.add_info_extractor(extractor)
    with pytest.raises(DownloadError) as caught:
        client.extract_info("says:-_abcdefghi")
    return caught.value


class Silent:
    def debug(self, message: str) -> None:
        pass

    warning = error = debug


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in YOUTUBE_SAYS.items() for text in texts]
)
@pytest.mark.parametrize("expected", [True, False])
def test_what_youtube_says_has_its_kind(kind: ErrorKind, text: str, expected: bool) -> None:
    reason = reason_of(raised_by_yt_dlp(ExtractorError(text, expected=expected)))
    assert reason.kind is kind
    said = str(reason)
    assert said == one_line(said)
    noise = ("\x1b", "ERROR", "report this issue", "github", "abcdefghi")
    assert not [word for word in noise if word in said]
    assert text[:20].encode("ascii", "ignore").decode() in said.replace("\\'", "'")


@pytest.mark.parametrize(
    "text",
    [
        "The uploader has not made this video available in your country",
        "YouTube is requiring a captcha challenge before playback",
        "This content isn't available, try again later",
        "has been rate-limited by YouTube for up to an hour",
        "Your IP is likely being blocked by Youtube",
        "Failed to extract any player response",
        "confirm your age",
    ],
)
def test_yt_dlp_still_words_it_so(text: str) -> None:
    assert text in inspect.getsource(_video) + inspect.getsource(_base)


def test_errors_of_a_class_need_no_words() -> None:
    geo = reason_of(raised_by_yt_dlp(GeoRestrictedError("Not here", countries=["DE"])))
    assert geo.kind is ErrorKind.GEO_BLOCKED
    page = reason_of(raised_by_yt_dlp(UnsupportedError("https://mirror.example/private/members-only")))
    assert page.kind is ErrorKind.BOT_WALL


def refusal(status: int, **headers: str) -> HTTPError:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return HTTPError(Response(BytesIO(b""), "https://mirror.example/x", dict(message.items()), status))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ErrorKind.PRIVATE),
        (403, ErrorKind.BOT_WALL),
        (404, ErrorKind.DELETED),
        (410, ErrorKind.DELETED),
        (418, ErrorKind.TIMEOUT),
        (429, ErrorKind.RATE_LIMITED),
        (451, ErrorKind.GEO_BLOCKED),
        (500, ErrorKind.TIMEOUT),
        (599, ErrorKind.TIMEOUT),
    ],
)
def test_answers_have_their_kinds_however_they_come(status: int, kind: ErrorKind) -> None:
    answer = refusal(status)
    wrapped = raised_by_yt_dlp(ExtractorError(f"Unable to download webpage: {answer}", cause=answer))
    gave_up = DownloadError(f"\r[download] Got error: {answer}. Giving up after 5 retries")
    assert {reason_of(answer).kind, reason_of(wrapped).kind, reason_of(gave_up, answer).kind} == {kind}


def test_a_site_asked_in_vain_is_judged_by_its_last_refusal_only_if_that_passes() -> None:
    vain = ExtractorError("Failed to extract any player response")
    assert reason_of(vain, refusal(429, Retry_After="90")).kind is ErrorKind.RATE_LIMITED
    assert reason_of(vain, refusal(429, Retry_After="90")).retry_after_s == 90
    assert reason_of(vain, refusal(404)).kind is ErrorKind.TIMEOUT
    gone = ExtractorError("Video unavailable. This video has been removed by the uploader")
    assert reason_of(gone, refusal(429)).kind is ErrorKind.DELETED


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("0", 0),
        ("120", 120),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_times_to_come_back_are_read_by_the_clock_of_the_server(value: str, wait_s: float | None) -> None:
    answer = refusal(429, Retry_After=value, Date="Wed, 21 Oct 2015 07:28:00 GMT")
    assert reason_of(answer).retry_after_s == wait_s


def test_an_hour_that_youtube_speaks_of_is_an_hour() -> None:
    assert reason_of(ExtractorError(YOUTUBE_SAYS[ErrorKind.RATE_LIMITED][1])).retry_after_s == 3600


@pytest.mark.parametrize(
    "error",
    [TransportError("timed out"), IncompleteRead(5, 7), ProxyError("no route to private members-only")],
)
def test_what_the_net_does_passes(error: Exception) -> None:
    assert reason_of(error).kind is ErrorKind.TIMEOUT
    assert reason_of(raised_by_yt_dlp(ExtractorError("Unable", cause=error))).kind is ErrorKind.TIMEOUT


def test_keys_in_addresses_are_not_told() -> None:
    error = TransportError("Max retries exceeded with url: /videoplayback?ip=203.0.113.9&sig=abc (refused)")
    assert "203.0.113.9" not in str(reason_of(error))
    assert "/videoplayback (refused)" in str(reason_of(error))


def test_an_error_travels_between_processes_whole() -> None:
    error = FetchError(ErrorKind.RATE_LIMITED, "slow down", 7.5)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.kind, str(copy), copy.retry_after_s) == (
        FetchError,
        ErrorKind.RATE_LIMITED,
        "slow down",
        7.5,
    )
