"""Packets alone tell when each frame is shown: what a decoder gives, in every container."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avfake.errors import ClipError, ErrorKind
from avfake.media import open_media
from avfake.video.frames import frame_times, picture_stream
from tests.dummies import tone, write_clip
from tests.video.shooting import RATES, Film, grey_film

FILES = [("mp4", "libx264"), ("mkv", "libx264"), ("webm", "libvpx-vp9"), ("mpg", "mpeg1video")]


@pytest.mark.parametrize(("suffix", "codec"), FILES)
def test_times_are_those_of_the_decoded_frames(tmp_path: Path, suffix: str, codec: str) -> None:
    sound = {"webm": "libopus", "mpg": "mp2"}.get(suffix, "aac")
    path = tmp_path / f"clip.{suffix}"
    write_clip(
        path, tone(200, 1.6, 48_000), duration_s=1.6, sample_rate=48_000, video_codec=codec, audio_codec=sound
    )
    with open_media(path) as container:
        decoded_s = [frame.time for frame in container.decode(video=0)]
    times_s = frame_times(path)
    assert len(times_s) == len(decoded_s) == 40
    assert np.diff(times_s) == pytest.approx(0.04, abs=0.001)
    if None not in decoded_s:
        assert times_s == pytest.approx(np.array(decoded_s), abs=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_reordered_and_uneven_frames_have_the_times_they_were_given(
    uploads: dict[str, Film], rate: str
) -> None:
    film = uploads[rate]
    times_s = frame_times(film.path)
    assert times_s == pytest.approx(film.times_s, abs=1e-5)  # half a tick of 1/90000 s
    assert (np.diff(times_s) > 0).all()


def test_what_an_edit_list_cuts_off_is_not_counted(tmp_path: Path) -> None:
    whole = grey_film(tmp_path / "whole.mp4", range(40, 100))
    cut = tmp_path / "cut.mp4"
    with av.open(str(whole)) as source:
        options = {"use_editlist": "1", "avoid_negative_ts": "disabled"}
        with av.open(str(cut), "w", options=options) as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            late = round(10 * Fraction(1, 25) / source.streams.video[0].time_base)
            for packet in source.demux(video=0):
                if packet.size:
                    packet.pts, packet.dts, packet.stream = packet.pts - late, packet.dts - late, stream
                    target.mux(packet)
    with open_media(cut) as container:
        n_shown = sum(1 for _ in container.decode(video=0))
    assert n_shown == 50
    assert frame_times(cut) == pytest.approx(np.arange(50) / 25, abs=1e-6)


def test_sound_has_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        track = container.add_stream("aac", rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(440, 0.5, 44_100)[None], format="fltp", layout="mono")
        frame.sample_rate = 44_100
        for packet in [*track.encode(frame), *track.encode(None)]:
            container.mux(packet)
    with pytest.raises(ClipError) as caught:
        frame_times(path)
    assert caught.value.kind == ErrorKind.NO_VIDEO


def test_a_video_without_a_frame_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "empty.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    with pytest.raises(ClipError) as caught:
        frame_times(path)
    assert caught.value.kind == ErrorKind.CORRUPT


def test_files_that_are_no_video_say_what_they_are(tmp_path: Path) -> None:
    page = tmp_path / "page.mp4"
    page.write_text("<!DOCTYPE html><html>Not found</html>")
    nothing = tmp_path / "nothing.mp4"
    nothing.touch()
    beginning = tmp_path / "beginning.mp4"
    beginning.write_bytes(grey_film(tmp_path / "whole.mp4", range(40, 60)).read_bytes()[:300])
    kinds = {}
    for path in (page, nothing, beginning, tmp_path / "absent.mp4", tmp_path):
        with pytest.raises(ClipError) as caught:
            frame_times(path)
        kinds[path.name] = caught.value.kind
    assert list(kinds.values()) == [
        ErrorKind.NOT_MEDIA,
        ErrorKind.CORRUPT,
        ErrorKind.CORRUPT,
        ErrorKind.NOT_FOUND,
        ErrorKind.NOT_MEDIA,
    ]


def test_one_frame_has_one_time(tmp_path: Path) -> None:
    path = grey_film(tmp_path / "one.mp4", [90])
    assert frame_times(path).tolist() == [0.0]
    with open_media(path) as container:
        assert picture_stream(container).width == 64
