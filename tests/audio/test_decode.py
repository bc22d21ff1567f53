"""Sound keeps its place on the time axis of its video, whatever the container; broken files say why."""

import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from avfake.audio.decode import DecodedSound, decode_sound, decode_spans
from avfake.errors import ClipError, ErrorKind
from tests.dummies import Waveform, clicks, speech_like, tone, write_clip

CONTAINERS = [
    ("mp4", "libx264", "aac", 44_100),
    ("mp4", "mpeg4", "libmp3lame", 44_100),
    ("webm", "libvpx-vp9", "libopus", 48_000),
    ("mkv", "libx264", "flac", 48_000),
    ("mpg", "mpeg1video", "mp2", 44_100),
]

SOUND_FILES = [
    ("m4a", "aac", 44_100, {}),
    ("m4a", "aac", 48_000, {}),
    ("m4a", "aac", 44_100, {"movflags": "delay_moov+frag_keyframe", "frag_duration": "500000"}),
    ("mp4", "libopus", 48_000, {}),
    ("webm", "libopus", 48_000, {}),
    ("opus", "libopus", 48_000, {}),
    ("mkv", "flac", 44_100, {}),
    ("mkv", "aac", 44_100, {}),
    ("flac", "flac", 48_000, {}),
    ("mp3", "libmp3lame", 44_100, {}),
    ("wav", "pcm_s16le", 44_100, {}),
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
        around = decoded._replace(waveform=decoded.waveform[start : start + round(0.1 * rate)])
        assert abs(start / rate + centre_s(around) - time_s) < 1 / 3000


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


@pytest.mark.parametrize(("suffix", "codec", "rate", "options"), SOUND_FILES)
def test_clicks_of_a_span_lie_within_a_fifth_of_a_millisecond(
    tmp_path: Path, suffix: str, codec: str, rate: int, options: dict[str, str]
) -> None:
    times_s = [0.4, 1.9, 3.6]
    path = tmp_path / f"x.{suffix}"
    write_sound(path, clicks(times_s, 4.0, rate), rate, codec, options=options)
    for time_s, decoded in zip(times_s, decode_spans(path, around(times_s)), strict=True):
        assert len(decoded.waveform) == round(0.1234 * rate)
        assert abs(centre_s(decoded) - 0.0507) < 0.0002, time_s


def test_sound_that_starts_late_keeps_its_container_s_clock(tmp_path: Path) -> None:
    path = tmp_path / "x.mka"
    write_sound(path, clicks([0.5], 1.0, 48_000), 48_000, "flac", start_s=7.25)
    (decoded,) = decode_spans(path, around([7.75]))
    assert abs(centre_s(decoded) - 0.0507) < 0.0002
    assert decoded.offset_ms == pytest.approx(1000 * (7.25 - (7.75 - 0.0507)), abs=0.02)


@pytest.mark.parametrize(
    ("suffix", "video", "audio"), [("mp4", "libx264", "aac"), ("webm", "libvpx-vp9", "libopus")]
)
def test_sound_and_pictures_apart_keep_the_clock_they_had_together(
    tmp_path: Path, suffix: str, video: str, audio: str
) -> None:
    sound = clicks([1.2], 2.0, 48_000)
    together = tmp_path / f"both.{suffix}"
    write_clip(together, sound, duration_s=2.0, sample_rate=48_000, video_codec=video, audio_codec=audio)
    pictures = write_clip(tmp_path / f"pictures.{suffix}", None, duration_s=2.0, video_codec=video)
    alone = write_sound(tmp_path / f"sound.{suffix}", sound, 48_000, audio)
    assert picture_times(pictures) == picture_times(together)
    assert picture_times(pictures)[:2] == [0.0, 0.04]
    both, apart = (decode_spans(path, around([1.2]))[0] for path in (together, alone))
    assert abs(centre_s(both) - 0.0507) < 0.0002
    assert abs(centre_s(both) - centre_s(apart)) < 0.00005


def test_spans_are_what_the_whole_sound_holds_there(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "x.m4a", speech_like(6.0, 44_100), 44_100, "aac")
    whole = decode_sound(path).waveform
    spans = [(4.0, 5.5), (0.0, 0.25), (4.9, 5.0), (1.23456, 2.0)]  # in any order, one in another
    for (start_s, end_s), decoded in zip(spans, decode_spans(path, spans), strict=True):
        first = round(start_s * 44_100)
        assert np.array_equal(decoded.waveform, whole[first : first + round((end_s - start_s) * 44_100)])


def test_nothing_but_the_spans_is_held_in_memory(tmp_path: Path) -> None:
    n_samples = 240 * 48_000
    soundfile.write(tmp_path / "long.wav", np.full(n_samples, 0.25, np.float32), 48_000, subtype="PCM_16")
    tracemalloc.start()
    first, last = decode_spans(tmp_path / "long.wav", [(1.0, 2.0), (238.0, 239.0)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert first.waveform.mean() == last.waveform.mean() == pytest.approx(0.25, abs=1e-3)
    assert peak < 0.1 * 4 * n_samples


def test_a_little_sound_may_be_missing_at_the_ends(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "x.mkv", np.full(48_000, 0.5, np.float32), 48_000, "flac", start_s=1.0)
    early, late = decode_spans(path, [(0.95, 1.5), (1.5, 2.05)])
    for decoded, zeros in ((early, slice(0, 2400)), (late, slice(-2400, None))):
        assert len(decoded.waveform) == 26_400
        assert np.flatnonzero(decoded.waveform == 0).tolist() == list(range(26_400)[zeros])


@pytest.mark.parametrize(
    ("span_s", "missing"),
    [((0.5, 1.5), "0.50"), ((1.5, 2.5), "0.50"), ((0.95, 2.06), "0.11"), ((8, 9), "1.00")],
)
def test_more_than_a_little_is_named(tmp_path: Path, span_s: tuple[float, float], missing: str) -> None:
    path = write_sound(tmp_path / "x.mkv", tone(440, 1.0, 48_000), 48_000, "flac", start_s=1.0)
    with pytest.raises(ClipError, match=f"lacks {missing} s") as caught:
        decode_spans(path, [(1.2, 1.8), span_s])
    assert caught.value.kind is ErrorKind.NO_AUDIO


@pytest.mark.parametrize(("suffix", "codec"), [("m4a", "aac"), ("webm", "libopus")])
def test_a_download_that_broke_off_is_corrupt_not_mute(tmp_path: Path, suffix: str, codec: str) -> None:
    path = tmp_path / f"x.{suffix}"
    write_sound(path, speech_like(8.0, 48_000), 48_000, codec, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: round(0.6 * path.stat().st_size)])
    assert np.abs(decode_spans(path, [(1.0, 2.0)])[0].waveform).max() > 0.05
    assert kind_of(path, lambda path: decode_spans(path, [(6.0, 7.0)])) is ErrorKind.CORRUPT


def test_small_holes_are_silent_and_what_follows_stays_in_place(tmp_path: Path) -> None:
    whole = write_sound(tmp_path / "whole.webm", clicks([0.5, 3.0], 4.0, 48_000), 48_000, "libopus")
    path = without(whole, tmp_path / "x.webm", lambda time_s: 1.5 < time_s < 1.515)  # one packet of 20 ms
    (decoded,) = decode_spans(path, around([3.0]))
    assert abs(centre_s(decoded) - 0.0507) < 0.001  # by a time stamp that is rounded to milliseconds


def test_large_holes_are_refused_where_they_matter(tmp_path: Path) -> None:
    whole = write_sound(tmp_path / "whole.mkv", tone(440, 6.0, 48_000), 48_000, "flac")
    path = without(whole, tmp_path / "x.mkv", lambda time_s: 2.0 < time_s < 2.4)
    assert np.abs(decode_spans(path, [(3.0, 4.0)])[0].waveform).max() > 0.4
    assert kind_of(path, lambda path: decode_spans(path, [(1.5, 3.0)])) is ErrorKind.CORRUPT
    assert kind_of(path) is ErrorKind.CORRUPT


def test_time_stamps_that_start_over_are_refused(tmp_path: Path) -> None:
    once = write_clip(tmp_path / "x.ts", tone(440, 2.0, 48_000), duration_s=2.0, sample_rate=48_000)
    once.write_bytes(2 * once.read_bytes())
    assert kind_of(once) is ErrorKind.CORRUPT


def test_a_file_without_sound_has_none_in_any_span(tmp_path: Path) -> None:
    write_clip(tmp_path / "mute.mp4", None)
    assert kind_of(tmp_path / "mute.mp4", lambda path: decode_spans(path, [(0, 1)])) is ErrorKind.NO_AUDIO


@pytest.mark.parametrize("span_s", [(1.0, 1.0), (2.0, 1.0), (0.0, np.inf), (np.nan, 1.0)])
def test_a_span_must_be_one(tmp_path: Path, span_s: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="span"):
        decode_spans(tmp_path / "x.wav", [span_s])


def kind_of(path: Path, decode: Callable[[Path], Any] = decode_sound) -> ErrorKind:
    with pytest.raises(ClipError) as caught:
        decode(path)
    assert "\n" not in str(caught.value)
    return caught.value.kind


def around(times_s: list[float]) -> list[tuple[float, float]]:
    """Spans in which the clicks lie 0.0507 s after the start."""
    return [(time_s - 0.0507, time_s + 0.0727) for time_s in times_s]


def centre_s(decoded: DecodedSound) -> float:
    power = decoded.waveform.astype(float) ** 2
    return float(np.sum(np.arange(len(power)) * power) / power.sum()) / decoded.sample_rate


def picture_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        packets = container.demux(video=0)
        return sorted(float(packet.pts * packet.time_base) for packet in packets if packet.size)


def write_sound(
    path: Path,
    sound: Waveform,
    rate: int,
    codec: str,
    *,
    start_s: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a file of sound alone."""
    with av.open(str(path), "w", options=options or {}) as container:
        track = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, round(start_s * rate), Fraction(1, rate)
        encoder = track.codec_context
        cutter = av.AudioResampler(encoder.format, "mono", rate, frame_size=encoder.frame_size or 1024)
        for piece in [*cutter.resample(frame), *cutter.resample(None), None]:
            container.mux(track.encode(piece))
    return path


def without(whole: Path, path: Path, lost: Callable[[float], bool]) -> Path:
    """Copy a file of sound, leaving out the packets at some times."""
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        track = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None and not lost(float(packet.pts * packet.time_base)):
                packet.stream = track
                target.mux(packet)
    return path
