"""The best sound and the lowest pictures at the full frame rate, whatever a site offers."""

from typing import Any

import pytest

from avfake.curate.recovery.reasons import FetchError
from avfake.curate.recovery.streams import choose_streams
from avfake.errors import ErrorKind


def sound(name: str, **more: Any) -> dict[str, Any]:
    return {"format_id": name, "protocol": "https", "vcodec": "none", "acodec": "opus", **more}


def pictures(name: str, lines: int | None, fps: int | None, tbr: float, **more: Any) -> dict[str, Any]:
    known = {"format_id": name, "protocol": "https", "acodec": "none", "vcodec": "avc1.4d400c"}
    return {**known, "height": lines, "fps": fps, "tbr": tbr, **more}


def chosen(*streams: dict[str, Any]) -> tuple[str, str | None]:
    sound_stream, picture_stream = choose_streams({"formats": streams})
    return sound_stream["format_id"], picture_stream and picture_stream["format_id"]


MUXED = pictures("18", 360, 30, 500, acodec="mp4a.40.2")


def test_sound_alone_is_preferred_to_the_best_of_both() -> None:
    assert chosen(sound("139"), sound("251"), MUXED, pictures("160", 144, 30, 80)) == ("251", "160")


def test_without_sound_alone_the_best_of_both_serves_both() -> None:
    assert chosen(MUXED, MUXED | {"format_id": "22"}, pictures("160", 144, 30, 80)) == ("22", None)


def test_pictures_may_come_with_sound_when_they_never_come_alone() -> None:
    assert chosen(sound("251"), MUXED) == ("251", "18")
    assert chosen(sound("251")) == ("251", None)


def test_the_lowest_bitrate_counts_among_streams_of_the_full_rate() -> None:
    half = pictures("160", 144, 30, 80), pictures("134", 360, 30, 400)
    full = pictures("298", 720, 60, 1500), pictures("299", 1080, 60, 3000)
    assert chosen(sound("251"), *half, *full) == ("251", "298")
    assert chosen(sound("251"), *half) == ("251", "160")


def test_a_rate_yt_dlp_cannot_read_is_not_the_lowest() -> None:
    half, unread = pictures("15", 144, 15, 50), pictures("?", 144, None, 80)
    full = pictures("60", 720, 60, 900)
    assert chosen(sound("a"), half, unread) == ("a", "?")
    assert chosen(sound("a"), unread, full) == ("a", "60")


def test_tiny_pictures_and_rare_codecs_are_the_last_resort() -> None:
    tiny, rare = pictures("17", 96, 25, 20), pictures("394", 144, 25, 60, vcodec="av01.0.00M.08")
    plain = pictures("160", 144, 25, 80)
    assert chosen(sound("a"), tiny, rare, plain) == ("a", "160")
    assert chosen(sound("a"), tiny, rare) == ("a", "394")
    assert chosen(sound("a"), tiny) == ("a", "17")


def test_what_yt_dlp_does_not_fetch_by_itself_is_left_out() -> None:
    elsewhere = sound("b", protocol="rtmp"), pictures("c", 144, 25, 1, protocol="ftp")
    assert chosen(sound("a"), *elsewhere) == ("a", None)


def test_pictures_alone_are_no_audio_and_still_images_are_a_wall() -> None:
    with pytest.raises(FetchError) as caught:
        chosen(pictures("160", 144, 30, 80))
    assert caught.value.kind is ErrorKind.NO_AUDIO
    with pytest.raises(FetchError) as caught:
        chosen(sound("sb0", protocol="mhtml", acodec="none"))
    assert caught.value.kind is ErrorKind.BOT_WALL


def test_an_address_of_one_file_is_its_own_stream() -> None:
    info = {"url": "https://mirror.example/x", "protocol": "https", "id": "x"}
    assert choose_streams(info) == (info, None)
