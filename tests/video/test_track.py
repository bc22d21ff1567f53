"""A track shows what its video shows, at any size and quality, and comes back from disk as it was."""

from pathlib import Path

import numpy as np
import pytest

from avfake.errors import ClipError, ErrorKind
from avfake.video.thumbnails import HEIGHT, WIDTH
from avfake.video.track import load_track, save_track, track_frames
from tests.ffpp_world import Take
from tests.ffpp_world.files import STREAMS
from tests.ffpp_world.footage import Planes
from tests.video.shooting import RATES, Film, grey_film, shoot, track_of


def test_pictures_are_means_of_equal_cells(tmp_path: Path) -> None:
    def ramp(planes: Planes, _tick: int) -> Planes:
        changed = np.full_like(planes, 128)
        height = len(planes) * 2 // 3
        changed[:height] = np.linspace(30, 220, height)[:, None]
        changed[:height, planes.shape[1] // 2 :] = 60
        return changed

    takes = [Take("any", 10, np.zeros(0, np.float32), lambda: [np.zeros((405, 480), np.uint8)] * 10)]
    size = (WIDTH * 20, HEIGHT * 20)
    film = shoot(tmp_path / "ramp.mp4", takes, np.arange(3) / 25, size=size, crf=1, change=ramp)
    cells = np.linspace(30, 220, HEIGHT * 20).reshape(HEIGHT, 20).mean(axis=1)
    full = (np.linspace(cells[0], cells[-1], HEIGHT) - 16) * 255 / 219  # of video's range that of pictures
    picture = film.track.pictures[1].astype(float)
    assert np.abs(picture[:, 0] - full.clip(0, 255)).max() < 2
    assert np.abs(picture[:, -1] - (60 - 16) * 255 / 219).max() < 2


def test_every_frame_has_its_number_and_time(uploads: dict[str, Film]) -> None:
    for film in uploads.values():
        numbers, times_s, pictures = film.track
        assert numbers.tolist() == list(range(len(film.times_s)))
        assert times_s == pytest.approx(film.times_s, abs=1e-5)
        assert pictures.shape == (len(film.times_s), HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("size", "crf", "worst"), [((256, 144), 26, 3), ((640, 360), 23, 2), ((160, 120), 40, 8)]
)
def test_size_and_quality_leave_the_pictures_alike(
    takes: list[Take], tmp_path: Path, size: tuple[int, int], crf: int, worst: float
) -> None:
    true = track_of(takes[:1]).pictures.astype(float)
    film = shoot(tmp_path / "film.mp4", takes, np.arange(len(true)) / 25, size=size, crf=crf)
    assert np.abs(film.track.pictures - true).mean() < worst


def test_a_webm_shows_the_same(takes: list[Take], uploads: dict[str, Film], tmp_path: Path) -> None:
    film = shoot(
        tmp_path / "film.webm", takes, uploads["29.97"].times_s[:90], size=STREAMS["pictures.webm"].size
    )
    assert film.track.times_s == pytest.approx(uploads["29.97"].times_s[:90], abs=0.00051)
    difference = film.track.pictures.astype(float) - uploads["29.97"].track.pictures[:90]
    assert np.abs(difference).mean() < 4


@pytest.mark.parametrize("rate", RATES)
def test_spans_are_parts_of_the_whole(uploads: dict[str, Film], rate: str) -> None:
    film = uploads[rate]
    spans = [(300, 311), (0, 0), (130, 140), (141, 150)]
    wanted = [0, *range(130, 151), *range(300, 312)]
    part = track_frames(film.path, spans)
    assert part.numbers.tolist() == wanted
    for found, whole in zip(part, film.track, strict=True):
        assert np.array_equal(found, whole[wanted])


def test_spans_that_the_video_does_not_hold_are_refused(uploads: dict[str, Film]) -> None:
    path = uploads["25"].path
    with pytest.raises(ClipError) as caught:
        track_frames(path, [(10, len(uploads["25"].times_s))])
    assert caught.value.kind == ErrorKind.TOO_SHORT
    for wrong in ([], [(5, 4)], [(-1, 3)]):
        with pytest.raises(ValueError, match="span"):
            track_frames(path, wrong)


def test_a_cut_off_file_is_refused_or_gives_what_is_whole(takes: list[Take], tmp_path: Path) -> None:
    whole = shoot(tmp_path / "whole.webm", takes, np.arange(60) / 25)
    part = tmp_path / "part.webm"
    part.write_bytes(whole.path.read_bytes()[: whole.path.stat().st_size // 2])
    try:
        track = track_frames(part)
    except ClipError as error:
        kind = error.kind
    else:
        kind = ErrorKind.CORRUPT
        assert 0 < len(track.numbers) < 60
        assert np.array_equal(track.pictures, whole.track.pictures[track.numbers])
    assert kind == ErrorKind.CORRUPT


def test_one_black_frame_is_a_track(tmp_path: Path) -> None:
    track = track_frames(grey_film(tmp_path / "one.mp4", [0]))
    assert track.pictures.shape == (1, HEIGHT, WIDTH)
    assert track.pictures.max() <= 1


def test_a_saved_track_comes_back_and_is_the_same_bytes_twice(
    uploads: dict[str, Film], tmp_path: Path
) -> None:
    track = uploads["uneven"].track
    for name in ("once.npz", "again.npz"):
        save_track(tmp_path / name, track)
    for found, saved in zip(load_track(tmp_path / "once.npz"), track, strict=True):
        assert np.array_equal(found, saved)
        assert found.dtype == saved.dtype
    assert (tmp_path / "once.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.npz", "once.npz"]


def test_what_is_no_track_is_refused(uploads: dict[str, Film], tmp_path: Path) -> None:
    track = uploads["25"].track
    path = tmp_path / "track.npz"
    save_track(path, track)
    content = path.read_bytes()
    others = {
        "cut off": content[:-200],
        "spoilt": content[:900] + bytes(80) + content[980:],
        "no archive": b"frames",
        "empty": b"",
    }
    for name, wrong in others.items():
        (tmp_path / name).write_bytes(wrong)
    np.savez(tmp_path / "of a kind.npz", numbers=track.numbers, times_s=track.times_s)
    np.savez(tmp_path / "pickled.npz", **track._replace(times_s=np.array([object()]))._asdict())
    np.savez(tmp_path / "shorter.npz", **track._replace(times_s=track.times_s[1:])._asdict())
    np.savez(tmp_path / "floats.npz", **track._replace(pictures=track.pictures / 255)._asdict())
    path.unlink()
    for wrong in tmp_path.iterdir():
        with pytest.raises(ClipError) as caught:
            load_track(wrong)
        assert caught.value.kind == ErrorKind.CORRUPT
    with pytest.raises(ClipError) as caught:
        load_track(tmp_path / "absent.npz")
    assert caught.value.kind == ErrorKind.NOT_FOUND
