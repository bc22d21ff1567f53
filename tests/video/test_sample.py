"""Ten pictures for every second, each the frame nearest in time, upright, from any container at any rate."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from avfake.errors import ClipError, ErrorKind
from avfake.video import sample
from avfake.video.sample import Pictures, picture_times
from tests.video.filming import film, grey, grey_film, level, turned

RATES = [
    Fraction(5),
    Fraction(10),
    Fraction(12),
    Fraction(24),
    Fraction(25),
    Fraction(30_000, 1001),
    Fraction(60),
]


def shown(path: Path, **how: float) -> list[float]:
    """Mean grey of each picture."""
    return [float(picture.mean()) for picture in Pictures(path, **how)]


def nearest(times_s: Sequence[float], end_s: float) -> list[int]:
    """Greys of the frames nearest to k / 10 s, of two as near that of the earlier."""
    moments_s = np.arange(0, end_s - 1e-6, 0.1)
    distances_s = np.abs(np.asarray(times_s)[None] - times_s[0] - moments_s[:, None])
    return [level(int(number)) for number in np.argmin(np.round(distances_s, 4), axis=1)]


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pictures_are_the_frames_nearest_in_time(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    times_s = np.arange(round(1.55 * rate)) / float(rate)
    path = grey_film(tmp_path / f"film{suffix}", times_s, rate=rate)
    assert shown(path) == pytest.approx(nearest(times_s, len(times_s) / float(rate)), abs=3)


@pytest.mark.parametrize("suffix", [".webm", ".avi", ".mpg", ".ts"])
def test_containers_without_frame_table_show_the_same(tmp_path: Path, suffix: str) -> None:
    times_s = np.arange(40) / 25
    path = grey_film(tmp_path / f"film{suffix}", times_s)
    assert shown(path) == pytest.approx(nearest(times_s, 1.6), abs=4)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_uneven_frames_that_begin_late(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    times_s = np.round(0.4 + np.cumsum(rng.choice([0.015, 0.03, 0.05, 0.11, 0.38], 40)), 3)
    path = grey_film(tmp_path / f"film{suffix}", times_s)
    pictures = shown(path)
    expected = nearest(times_s, times_s[-1] - times_s[0])
    assert pictures[: len(expected)] == pytest.approx(expected, abs=3)
    assert len(pictures) - len(expected) in (0, 1)  # how long the last frame lasts is for the encoder to say


def test_frames_that_an_edit_list_cuts_off_are_not_shown(tmp_path: Path) -> None:
    whole = grey_film(tmp_path / "whole.mp4", np.arange(50) / 25)
    path = tmp_path / "cut.mp4"
    with (
        av.open(str(whole)) as source,
        av.open(str(path), "w", options={"use_editlist": "1", "avoid_negative_ts": "disabled"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                late = round(Fraction(10, 25) / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - late, packet.dts - late, stream
                target.mux(packet)
    numbers = [10, 12, 15, 17, 20, 22, 25, 27, 30, 32, 35, 37, 40, 42, 45, 47]
    assert shown(path) == pytest.approx([level(number) for number in numbers], abs=3)


@pytest.mark.parametrize("rate", [15.0, 30.0])
def test_a_given_frame_rate_overrules_the_time_stamps(tmp_path: Path, rate: float) -> None:
    path = grey_film(tmp_path / "film.mp4", np.arange(45) / 25)
    assert shown(path, frame_rate=rate) == pytest.approx(nearest(np.arange(45) / rate, 45 / rate), abs=3)


@pytest.mark.parametrize("rate", [0.0, -25.0, float("nan"), float("inf")])
def test_an_impossible_frame_rate_is_refused(tmp_path: Path, rate: float) -> None:
    path = grey_film(tmp_path / "film.mp4", [0.0])
    with pytest.raises(ValueError, match="frame_rate"):
        Pictures(path, frame_rate=rate)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_are_upright(tmp_path: Path, degrees: int) -> None:
    corner = grey(0)
    corner[:16, :24] = 200
    path = turned(film(tmp_path / "film.mp4", [corner] * 3, [0, 0.04, 0.08]), degrees)
    (picture,) = islice(Pictures(path), 1)
    upright = np.rot90(corner, -degrees // 90)
    assert picture.shape == upright.shape
    assert np.abs(picture.astype(float) - upright).mean() < 4
    assert picture.flags.c_contiguous


def test_one_frame_is_one_picture(tmp_path: Path) -> None:
    assert shown(grey_film(tmp_path / "one.mp4", [0.0])) == pytest.approx([level(0)], abs=3)
    assert shown(grey_film(tmp_path / "late.mkv", [0.7])) == pytest.approx([level(0)], abs=3)


def test_grey_and_oblong_pixels_are_taken_as_they_are(tmp_path: Path) -> None:
    path = film(
        tmp_path / "film.mkv", [grey(number) for number in range(5)], np.arange(5) / 10, pix_fmt="gray"
    )
    pictures = list(Pictures(path))
    assert [picture.shape for picture in pictures] == [(32, 48, 3)] * 5
    assert all((picture == picture[..., :1]).all() for picture in pictures)
    wide = film(tmp_path / "wide.mp4", [grey(0)] * 2, [0.0, 0.04], pixel_shape=Fraction(4, 3))
    assert next(iter(Pictures(wide))).shape == (32, 48, 3)


def test_colours_are_those_that_were_filmed(tmp_path: Path) -> None:
    colours = np.array([(200, 40, 40), (40, 180, 60), (50, 60, 210), (220, 210, 60)], np.uint8)
    picture = np.repeat(colours, 16, axis=0)[None].repeat(32, axis=0)
    path = film(tmp_path / "film.mp4", [picture] * 2, [0.0, 0.04])
    found = next(iter(Pictures(path)))[:, 6::16]
    assert np.abs(found.astype(float) - colours).max() < 8


@pytest.mark.parametrize(("kept_bytes", "n_decoded"), [(0, 2), (2**30, 1)])
def test_short_films_are_decoded_once_and_long_ones_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_bytes: int, n_decoded: int
) -> None:
    monkeypatch.setattr(sample, "_KEPT_BYTES", kept_bytes)
    opened = []
    open_media = sample.open_media
    monkeypatch.setattr(sample, "open_media", lambda path: opened.append(path) or open_media(path))
    pictures = Pictures(grey_film(tmp_path / "film.mp4", np.arange(30) / 12))
    first, second = list(pictures), list(pictures)
    assert len(first) == 25
    assert np.array_equal(first, second)
    assert len(opened) == n_decoded


def test_who_stops_early_can_begin_again(tmp_path: Path) -> None:
    pictures = Pictures(grey_film(tmp_path / "film.mp4", np.arange(30) / 10))
    assert len(list(islice(pictures, 4))) == 4
    assert len(list(pictures)) == 30


def test_times_of_pictures() -> None:
    assert picture_times(4).tolist() == [0.0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi"])
def test_a_cut_off_film_is_never_silently_shorter(tmp_path: Path, suffix: str, share: float) -> None:
    options = {"movflags": "faststart"} if suffix == ".mp4" else {}
    noise = np.random.default_rng(0).integers(0, 255, (60, 64, 96, 3), np.uint8)
    whole = film(tmp_path / f"whole{suffix}", noise, np.arange(60) / 25, options=options)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole.read_bytes()[: round(share * whole.stat().st_size)])
    with pytest.raises(ClipError) as caught:
        list(Pictures(path))
    assert caught.value.kind == ErrorKind.CORRUPT


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_frames_that_cannot_be_decoded_are_not_left_out_in_silence(tmp_path: Path, suffix: str) -> None:
    path = grey_film(tmp_path / f"film{suffix}", np.arange(100) / 25)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as file:
        packets = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    for position, size in packets[40:70]:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(ClipError) as caught:
        list(Pictures(path))
    assert caught.value.kind == ErrorKind.CORRUPT


def test_films_one_after_the_other_in_one_stream_are_refused(tmp_path: Path) -> None:
    first = grey_film(tmp_path / "first.ts", np.arange(30) / 25)
    other = film(
        tmp_path / "other.ts", [grey(number, (64, 48)) for number in range(30)], 1.2 + np.arange(30) / 25
    )
    for second, words in ((first, "jump back"), (other, "48x32 to 64x48")):
        path = tmp_path / "both.ts"
        path.write_bytes(first.read_bytes() + second.read_bytes())
        with pytest.raises(ClipError, match=words) as caught:
            list(Pictures(path))
        assert caught.value.kind == ErrorKind.CORRUPT


def test_files_that_are_no_films_say_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "nothing.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello " * 99)
    (tmp_path / "page.mp4").write_text("<!doctype html>")
    kinds = {}
    for name in ("nothing.mp4", "text.mp4", "page.mp4", "absent.mp4"):
        with pytest.raises(ClipError) as caught:
            Pictures(tmp_path / name)
        kinds[name] = caught.value.kind
    assert list(kinds.values()) == ["corrupt", "not_media", "not_media", "not_found"]
