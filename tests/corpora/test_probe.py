import csv
import os
import struct
from dataclasses import fields
from pathlib import Path

import av
import pytest

from avfake.corpora.probe import Probe, probe
from avfake.errors import ClipError, ErrorKind
from avfake.manifest.schema import PROBE_FIELDS
from tests.dummies import speech_like, write_clip


def failure(path: Path) -> ClipError:
    with pytest.raises(ClipError) as caught:
        probe(path)
    assert "\n" not in str(caught.value)
    return caught.value


def remux(source: Path, target: Path, **options: str) -> Path:
    """Copy the packets into another container."""
    with av.open(str(source)) as old, av.open(str(target), "w", options=options) as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return target


def test_probe_has_the_columns_of_the_schema() -> None:
    assert [field.name for field in fields(Probe)] == [field.name for field in PROBE_FIELDS]


def test_clip_is_described(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", speech_like(2.0, 44_100), duration_s=2.0)
    found = probe(path)
    assert (found.video_fps, found.n_frames, found.width, found.height) == (25.0, 50, 64, 64)
    assert (found.video_codec, found.has_audio, found.audio_codec) == ("h264", True, "aac")
    assert (found.audio_rate, found.audio_channels, found.rotation) == (44_100, 1, 0)
    assert found.duration_s == pytest.approx(2.0)
    assert found.size_bytes == path.stat().st_size


def test_clip_without_sound_is_described(tmp_path: Path) -> None:
    found = probe(write_clip(tmp_path / "späße 1.mp4", None))
    assert (found.has_audio, found.audio_codec, found.audio_rate, found.audio_channels) == (
        False,
        None,
        None,
        None,
    )


@pytest.mark.parametrize("suffix", ["mkv", "mpg", "avi"])
def test_frames_are_counted_where_the_container_does_not_say(tmp_path: Path, suffix: str) -> None:
    codecs = {"mpg": ("mpeg1video", "mp2"), "mkv": ("libx264", "aac"), "avi": ("mpeg4", "mp2")}
    video_codec, audio_codec = codecs[suffix]
    path = write_clip(
        tmp_path / f"a.{suffix}",
        speech_like(1.6, 44_100),
        duration_s=1.6,
        video_codec=video_codec,
        audio_codec=audio_codec,
    )
    found = probe(path)
    assert found.n_frames == 40
    assert found.duration_s == pytest.approx(1.6, abs=0.002)


def test_rotation_is_clockwise(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", None)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    one = 1 << 16
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)  # the matrix of a telephone held upright: shown after a quarter turn clockwise
    assert probe(path).rotation == 90


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        track = container.add_stream("aac", rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(speech_like(1.0, 44_100)[None], format="fltp", layout="mono")
        frame.sample_rate = 44_100
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    assert failure(path).kind == ErrorKind.NO_VIDEO


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", ErrorKind.CORRUPT),
        (b"<!DOCTYPE html><html><body>404</body></html>", ErrorKind.NOT_MEDIA),
        (b"\n <HTML>", ErrorKind.NOT_MEDIA),
        (b"lorem ipsum\n" * 50, ErrorKind.NOT_MEDIA),
        (bytes(range(256)) * 100, ErrorKind.NOT_MEDIA),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), ErrorKind.NOT_MEDIA),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n", ErrorKind.NOT_MEDIA),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", ErrorKind.NOT_MEDIA),
        (b"\0\0\0\x20ftypisom" + bytes(200), ErrorKind.CORRUPT),
    ],
)
def test_file_that_is_no_video_fails_with_its_reason(tmp_path: Path, data: bytes, kind: ErrorKind) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    assert failure(path).kind == kind


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("layout", ["header last", "header first", "mkv"])
def test_cut_off_file_is_corrupt(tmp_path: Path, layout: str, share: float) -> None:
    path = write_clip(tmp_path / "a.mp4", speech_like(4.0, 44_100), duration_s=4.0)
    if layout == "header first":
        path = remux(path, tmp_path / "b.mp4", movflags="faststart")
    elif layout == "mkv":
        path = remux(path, tmp_path / "b.mkv")
    data = path.read_bytes()
    assert probe(path).n_frames == 100
    path.write_bytes(data[: int(share * len(data))])
    assert failure(path).kind == ErrorKind.CORRUPT


def test_absent_file_and_pipe_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert failure(tmp_path / "absent.mp4").kind == ErrorKind.NOT_FOUND
    assert failure(tmp_path / "pipe.mp4").kind == ErrorKind.NOT_MEDIA


@pytest.mark.shared
def test_real_clips_agree_with_their_table(shared: Path) -> None:
    with (shared / "data/index.csv").open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["path"].endswith((".mp4", ".webm", ".mpg"))]
    for line in lines[::3]:
        found = probe(shared / "data" / line["path"])
        assert found.size_bytes == int(line["bytes"])
        assert found.video_fps == pytest.approx(float(line["fps"]), abs=0.001)
        assert (found.width, found.height) == (int(line["width"]), int(line["height"]))
        assert found.duration_s == pytest.approx(float(line["duration_s"]), abs=0.1)
        assert found.has_audio == bool(line["audio_rate"])
