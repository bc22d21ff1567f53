"""Sound keeps its place on the time axis of its video, whatever the container; broken files say why."""

from pathlib import Path

import av
import numpy as np
import pytest

from avfake.audio.decode import decode_sound
from avfake.errors import ClipError, ErrorKind
from tests.dummies import clicks, speech_like, tone, write_clip

CONTAINERS = [
    ("mp4", "libx264", "aac", 44_100),
    ("mp4", "mpeg4", "libmp3lame", 44_100),
    ("webm", "libvpx-vp9", "libopus", 48_000),
    ("mkv", "libx264", "flac", 48_000),
    ("mpg", "mpeg1video", "mp2", 44_100),
]


@pytest.mark.parametrize(("suffix", "video", "audio", "rate"), CONTAINERS)
def test_clicks_stay_within_a_third_of_a_millisecond(
    tmp_path: Path, suffix: str, video: str, audio: str, rate: int
) -> None:
    times_s = [0.4, 0.9, 1.6]
    path = tmp_path / f"clip.{suffix}"
    sound = clicks(times_s, 2.0, rate)
    write_clip(path, sound, duration_s=2.0, sample_rate=rate, video_codec=video, audio_codec=audio)
    decoded = decode_sound(path)
    for time_s in times_s:
        start = round((time_s - 0.05) * rate)
        power = decoded.waveform[start : start + round(0.1 * rate)].astype(float) ** 2
        centre_s = (start + np.sum(np.arange(len(power)) * power) / power.sum()) / rate
        assert abs(centre_s - time_s) < 1 / 3000


def test_sound_ends_with_its_video(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.mp4", tone(440, 3.0, 44_100), duration_s=2.0)
    assert len(decode_sound(path).waveform) == 2 * 44_100


@pytest.mark.parametrize(("layout", "channels"), [("stereo", 2), ("5.1", 6)])
def test_full_scale_in_all_channels_stays_full_scale(tmp_path: Path, layout: str, channels: int) -> None:
    sound = np.tile(tone(440, 1.0, 48_000, peak=0.9), (channels, 1))
    path = write_clip(tmp_path / "x.mkv", sound, sample_rate=48_000, audio_codec="flac", layout=layout)
    decoded = decode_sound(path)
    assert decoded.channels == channels
    assert np.abs(decoded.waveform).max() == pytest.approx(0.9, abs=0.01)


def test_stereo_is_the_mean_of_both(tmp_path: Path) -> None:
    left, right = speech_like(1.0, 48_000, seed=1), speech_like(1.0, 48_000, seed=2)
    sound = np.stack([left, right])
    path = write_clip(tmp_path / "x.mkv", sound, sample_rate=48_000, audio_codec="flac", layout="stereo")
    assert np.abs(decode_sound(path).waveform - (left + right) / 2).max() < 1e-3


def test_8_khz_sound_is_decoded(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.mkv", tone(440, 1.0, 8_000), sample_rate=8_000, audio_codec="pcm_s16le")
    assert decode_sound(path).sample_rate == 8_000


def test_samples_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    sound = tone(440, 1.0, 48_000)
    sound[100] = np.nan
    path = write_clip(tmp_path / "x.mkv", sound, sample_rate=48_000, audio_codec="pcm_f32le")
    assert kind_of(path) is ErrorKind.NOT_FINITE


def test_bad_files_say_why(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", speech_like(8.0, 44_100), duration_s=8.0)
    data = whole.read_bytes()
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "page.mp4").write_bytes(b"<!DOCTYPE html><html><body>Sign in</body></html>" * 50)
    (tmp_path / "text.mp4").write_bytes(b"not a video at all")
    (tmp_path / "no-index.mp4").write_bytes(data[: len(data) // 2])
    write_clip(tmp_path / "mute.mp4", None)
    assert kind_of(tmp_path / "absent.mp4") is ErrorKind.NOT_FOUND
    assert kind_of(tmp_path / "empty.mp4") is ErrorKind.CORRUPT
    assert kind_of(tmp_path / "page.mp4") is ErrorKind.NOT_MEDIA
    assert kind_of(tmp_path / "text.mp4") is ErrorKind.NOT_MEDIA
    assert kind_of(tmp_path / "no-index.mp4") is ErrorKind.CORRUPT
    assert kind_of(tmp_path / "mute.mp4") is ErrorKind.NO_AUDIO


def test_a_truncated_file_whose_header_is_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    write_clip(path, speech_like(8.0, 44_100), duration_s=8.0)
    moved = tmp_path / "front.mp4"
    with av.open(str(path)) as source, av.open(str(moved), "w", options={"movflags": "faststart"}) as target:
        streams = {stream: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                target.mux(packet)
    data = moved.read_bytes()
    moved.write_bytes(data[: int(len(data) * 0.6)])
    assert kind_of(moved) is ErrorKind.CORRUPT


def kind_of(path: Path) -> ErrorKind:
    with pytest.raises(ClipError) as caught:
        decode_sound(path)
    assert "\n" not in str(caught.value)
    return caught.value.kind
