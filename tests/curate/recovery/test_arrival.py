"""A file that came whole is media of the length it claims, or it is told why not; its content names it."""

from pathlib import Path

import numpy as np
import pytest

from avfake.curate.recovery.arrival import EXTENSIONS, check_arrived
from avfake.curate.recovery.reasons import FetchError
from avfake.errors import ErrorKind
from tests.dummies import speech_like, write_clip


@pytest.mark.parametrize(
    ("written_as", "video", "audio", "extension"),
    [
        ("mp4", "libx264", "aac", "mp4"),
        ("webm", "libvpx-vp9", "libopus", "webm"),
        ("mkv", "libx264", "flac", "mkv"),
        ("ts", "libx264", "aac", "ts"),
        ("avi", "mpeg4", "libmp3lame", "avi"),
    ],
)
def test_content_names_the_file(
    tmp_path: Path, written_as: str, video: str, audio: str, extension: str
) -> None:
    path = tmp_path / f"x.{written_as}"
    write_clip(path, speech_like(1.0, 48_000), sample_rate=48_000, video_codec=video, audio_codec=audio)
    nameless = path.rename(tmp_path / "audio-0123")
    assert check_arrived(nameless, "audio") == extension
    assert check_arrived(nameless, "video") == extension
    assert extension in EXTENSIONS


def test_streams_alone_are_named_too(upload_streams: tuple[Path, ...]) -> None:
    kinds = ("audio", "audio", "video", "video", "video")
    names = [check_arrived(path, kind) for path, kind in zip(upload_streams, kinds, strict=True)]
    assert names == ["m4a", "webm", "mp4", "mp4", "mp4"]


@pytest.mark.parametrize("share", [0.1, 0.6, 0.9])
@pytest.mark.parametrize("number", [0, 1])
def test_a_file_cut_off_at_the_server_is_corrupt(
    upload_streams: tuple[Path, ...], tmp_path: Path, number: int, share: float
) -> None:
    data = upload_streams[number].read_bytes()
    assert kind_of(tmp_path, data[: int(share * len(data))]) is ErrorKind.CORRUPT


@pytest.mark.parametrize("number", [0, 1])
def test_noise_under_a_good_header_is_corrupt(
    upload_streams: tuple[Path, ...], tmp_path: Path, number: int
) -> None:
    data = bytearray(upload_streams[number].read_bytes())
    start, end = 1000, int(0.95 * len(data))
    data[start:end] = np.random.default_rng(0).bytes(end - start)
    assert kind_of(tmp_path, bytes(data)) is ErrorKind.CORRUPT


def test_other_things_have_their_kinds(upload_streams: tuple[Path, ...], tmp_path: Path) -> None:
    assert kind_of(tmp_path, b"") is ErrorKind.CORRUPT
    assert kind_of(tmp_path, b"\0" * 10_000) is ErrorKind.CORRUPT
    assert kind_of(tmp_path, b"#EXTM3U\n#EXTINF:5,\nfile:///etc/hostname\n") is ErrorKind.CORRUPT
    assert kind_of(tmp_path, b"\n <html><body>Sign in</body></html>") is ErrorKind.BOT_WALL
    assert kind_of(tmp_path, upload_streams[3].read_bytes()) is ErrorKind.NO_AUDIO
    with pytest.raises(FetchError, match="no pictures") as caught:
        check_arrived(upload_streams[0], "video")
    assert caught.value.kind is ErrorKind.CORRUPT


def kind_of(folder: Path, data: bytes) -> ErrorKind:
    path = folder / "audio-0123"
    path.write_bytes(data)
    with pytest.raises(FetchError) as caught:
        check_arrived(path, "audio")
    return caught.value.kind
