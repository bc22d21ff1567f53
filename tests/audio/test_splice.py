"""Every frame gets the sound of its time in the upload, and a joint is not heard."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from avfake.audio.splice import LARGEST_ERROR_FRAMES, LARGEST_ERROR_S, Cut, Piece, plan_cut, splice
from avfake.errors import ClipError, ErrorKind
from tests.dummies import Waveform, clicks, speech_like, tone, write_clip

RATES = [24 / 1.001, 24.0, 25.0, 30 / 1.001, 30.0, 50.0, 60 / 1.001, 60.0]
RATE = 48_000


@given(
    steps_s=st.lists(st.floats(0.002, 1.0) | st.sampled_from([0.0, 0.04, 1 / 30]), min_size=1, max_size=300)
)
def test_whatever_the_times_no_frame_is_far_from_its_own(steps_s: list[float]) -> None:
    times_s = 3.0 + np.cumsum([0.0, *steps_s])
    if times_s[-1] == times_s[0]:
        return
    cut = plan_cut(times_s)
    assert_pieces_tile(cut, len(times_s))
    allowed_s = min(LARGEST_ERROR_S, LARGEST_ERROR_FRAMES / cut.frame_rate)
    assert allowed_s < 0.5 / cut.frame_rate
    assert np.abs(planned_times(cut, len(times_s)) - times_s).max() <= allowed_s + 1e-9


@pytest.mark.parametrize("rate", RATES)
@settings(max_examples=20)
@given(start_s=st.floats(0, 7200), digits=st.sampled_from([3, 6, 12]), n_frames=st.integers(60, 2000))
def test_a_steady_video_is_one_piece_at_its_exact_rate(
    rate: float, start_s: float, digits: int, n_frames: int
) -> None:
    times_s = np.round(start_s + np.arange(n_frames) / rate, digits)
    cut = plan_cut(times_s)
    assert cut.frame_rate == pytest.approx(rate, rel=1e-12)
    assert len(cut.pieces) == 1
    assert np.abs(planned_times(cut, n_frames) - times_s).max() < 0.0011


@settings(max_examples=40)
@given(rate=st.floats(10, 120), n_frames=st.integers(100, 1000), start_s=st.floats(0, 7200))
def test_an_odd_rate_is_off_by_less_than_time_stamps_tell(rate: float, n_frames: int, start_s: float) -> None:
    cut = plan_cut(np.round(start_s + np.arange(n_frames) / rate, 3))
    drift_s = n_frames * abs(1 / cut.frame_rate - 1 / rate)
    assert drift_s < 0.0015
    assert len(cut.pieces) == 1


def test_the_rate_of_a_thousand_frames_is_within_20_ppm() -> None:
    for rate in (14.985, 15.0, 23.9, 27.3, 29.5, 48.0, 90.0):
        cut = plan_cut(np.round(1.23 + np.arange(1000) / rate, 3))
        assert cut.frame_rate == pytest.approx(rate, rel=20e-6)


@settings(max_examples=40)
@given(
    rate=st.sampled_from(RATES),
    lengths=st.lists(st.integers(30, 200), min_size=2, max_size=4),
    left_out=st.integers(1, 500),
    data=st.data(),
)
def test_frames_left_out_or_shown_twice_begin_a_piece(
    rate: float, lengths: list[int], left_out: int, data: st.DataObject
) -> None:
    jumps = data.draw(
        st.lists(st.sampled_from([left_out, 1, -1]), min_size=len(lengths), max_size=len(lengths))
    )
    numbers = np.arange(sum(lengths)) + np.repeat(np.cumsum(jumps), lengths) + 2
    cut = plan_cut(np.round(numbers / rate, 3))
    assert cut.frame_rate == pytest.approx(rate, rel=1e-12)
    starts = [piece.clip_start_s * cut.frame_rate for piece in cut.pieces]
    assert np.rint(starts).astype(int).tolist() == [0, *np.cumsum(lengths)[:-1].tolist()]
    uploads = np.array([piece.upload_start_s for piece in cut.pieces])
    assert np.abs(uploads - numbers[np.rint(starts).astype(int)] / rate).max() < 0.001


def test_a_slower_part_does_not_disturb_the_rate_of_the_rest() -> None:
    times_s = np.concatenate([np.arange(300) / 30, 10 + np.arange(200) / 25])
    cut = plan_cut(times_s)
    assert cut.frame_rate == 30
    assert cut.pieces[0].upload_start_s == pytest.approx(0, abs=1e-9)
    assert cut.pieces[0].length_s > 9.9


def test_uneven_time_stamps_need_no_joint() -> None:
    rng = np.random.default_rng(0)
    times_s = np.arange(600) / 29.97 + rng.uniform(-0.004, 0.004, 600)
    assert len(plan_cut(times_s).pieces) == 1


@pytest.mark.parametrize("times_s", [[], [1.0], [2.0, 2.0, 2.0]])
def test_one_time_is_too_few(times_s: list[float]) -> None:
    with pytest.raises(ClipError) as caught:
        plan_cut(np.array(times_s))
    assert caught.value.kind is ErrorKind.TOO_SHORT


@pytest.mark.parametrize("step_s", [0.0001, 5.0])
def test_steps_of_no_video_are_refused(step_s: float) -> None:
    with pytest.raises(ClipError) as caught:
        plan_cut(np.arange(10) * step_s)
    assert caught.value.kind is ErrorKind.MISALIGNED


@pytest.mark.parametrize("times_s", [[0.0, np.nan], [0.0, np.inf], [1.0, 0.96], [[0.0, 0.04]]])
def test_what_are_no_times_is_a_mistake_of_the_caller(times_s: list[float]) -> None:
    with pytest.raises(ValueError, match="times_s"):
        plan_cut(np.array(times_s))


@pytest.mark.parametrize("rate", [25.0, 30 / 1.001])
def test_every_frame_hears_its_own_time(tmp_path: Path, rate: float) -> None:
    """In a sound whose pitch rises steadily, pitch tells the time."""
    chirp = chirp_of(20.0)
    soundfile.write(tmp_path / "x.wav", chirp, RATE, subtype="FLOAT")
    numbers = np.r_[60:110, 150:200, 199:230, 420:450]
    times_s = numbers / rate
    cut = plan_cut(times_s)
    assert len(cut.pieces) == 4
    decoded = splice(tmp_path / "x.wav", cut)
    assert len(decoded.waveform) == round(len(times_s) / cut.frame_rate * RATE)
    for frame in range(1, len(times_s) - 1, 2):
        heard_s = time_of_pitch(decoded.waveform, (frame + 0.5) / rate)
        assert heard_s == pytest.approx(times_s[frame] + 0.5 / rate, abs=0.001)


def test_a_joint_lies_within_a_millisecond_of_the_plan(tmp_path: Path) -> None:
    loud = np.zeros(8 * RATE, np.float32)
    loud[4 * RATE :] = tone(1000, 4.0, RATE)
    soundfile.write(tmp_path / "x.wav", loud, RATE, subtype="FLOAT")
    cut = plan_cut(np.concatenate([1 + np.arange(37) / 25, 5 + np.arange(40) / 25]))
    joined = splice(tmp_path / "x.wav", cut).waveform
    level = np.sqrt(np.convolve(joined.astype(float) ** 2, np.ones(48) / 48, "same"))
    half_s = np.argmax(level > level.max() / 2) / RATE
    assert half_s == pytest.approx(37 / 25, abs=0.001)


def test_one_piece_is_the_sound_itself(tmp_path: Path) -> None:
    sound = speech_like(6.0, RATE)
    soundfile.write(tmp_path / "x.wav", sound, RATE, subtype="FLOAT")
    decoded = splice(tmp_path / "x.wav", plan_cut(1.0 + np.arange(100) / 25))
    assert np.array_equal(decoded.waveform, sound[RATE : 5 * RATE])
    assert decoded.offset_ms == pytest.approx(-1000, abs=0.05)


def test_a_joint_in_a_tone_makes_no_click(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", tone(440, 10.0, RATE), RATE, subtype="FLOAT")
    for phase in range(8):
        times_s = np.concatenate([1 + np.arange(50) / 25, 5 + phase / 440 / 8 + np.arange(50) / 25])
        joined = splice(tmp_path / "x.wav", plan_cut(times_s)).waveform
        assert splash_db(joined, 2.0) < -70  # a bare cut: -20
    bare = joined.copy()
    bare[2 * RATE :] *= -1
    assert splash_db(bare, 2.0) > -30


def test_joints_in_speech_are_no_more_sudden_than_speech(tmp_path: Path) -> None:
    sound = speech_like(20.0, 16_000)
    soundfile.write(tmp_path / "x.wav", sound, 16_000, subtype="FLOAT")
    numbers = np.concatenate([start + np.arange(20) for start in range(10, 450, 40)])
    joined = splice(tmp_path / "x.wav", plan_cut(numbers / 25)).waveform
    slopes = [np.abs(np.diff(waveform)).max() for waveform in (sound, joined)]
    assert slopes[1] <= slopes[0] * 1.01


def test_pieces_shorter_than_a_fade_still_add_up(tmp_path: Path) -> None:
    """Of a constant, any joining with shares that add up to one is that constant."""
    soundfile.write(tmp_path / "x.wav", np.full(10 * RATE, 0.5, np.float32), RATE, subtype="FLOAT")
    cut = Cut(400.0, tuple(Piece(k * 0.0025, 1 + 0.1 * k, 0.0025) for k in range(50)))
    assert splice(tmp_path / "x.wav", cut).waveform == pytest.approx(0.5, abs=1e-4)


def test_a_cut_from_an_upload_with_pictures_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "x.webm"
    sound = clicks([3.0], 6.0, RATE)
    write_clip(path, sound, duration_s=6.0, sample_rate=RATE, video_codec="libvpx-vp9", audio_codec="libopus")
    cut = plan_cut(np.round(2.0 + np.arange(60) / (30 / 1.001), 3))
    joined = splice(path, cut).waveform
    power = joined.astype(float) ** 2
    assert np.sum(np.arange(len(power)) * power) / power.sum() / RATE == pytest.approx(1.0, abs=0.0007)


def test_sound_an_upload_lacks_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", tone(440, 3.0, RATE), RATE)
    cut = plan_cut(np.arange(100) / 25)
    with pytest.raises(ClipError, match=r"lacks 1\.0\d s"):
        splice(tmp_path / "x.wav", cut)


def planned_times(cut: Cut, n_frames: int) -> NDArray[np.float64]:
    """Time in the upload that each frame hears, [frames]."""
    places_s = np.arange(n_frames) / cut.frame_rate
    starts_s = np.array([piece.clip_start_s for piece in cut.pieces])
    which = np.searchsorted(starts_s, places_s + 1e-9, side="right") - 1
    return places_s - starts_s[which] + np.array([piece.upload_start_s for piece in cut.pieces])[which]


def assert_pieces_tile(cut: Cut, n_frames: int) -> None:
    ends_s = [0.0, *(piece.clip_start_s + piece.length_s for piece in cut.pieces)]
    assert [piece.clip_start_s for piece in cut.pieces] == pytest.approx(ends_s[:-1], abs=1e-9)
    assert ends_s[-1] == pytest.approx(n_frames / cut.frame_rate, abs=1e-9)
    assert all(piece.length_s > 0 for piece in cut.pieces)


def chirp_of(duration_s: float) -> Waveform:
    """A tone that rises by 1 kHz per second, from 500 Hz on."""
    time_s = np.arange(round(duration_s * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * (500 * time_s + 500 * time_s**2))).astype(np.float32)


def time_of_pitch(waveform: Waveform, centre_s: float) -> float:
    """When the chirp had the pitch it has at some moment of a waveform."""
    n_samples = 960
    first = round(centre_s * RATE) - n_samples // 2
    n_bins = 1 << 17
    spectrum = np.abs(np.fft.rfft(waveform[first : first + n_samples] * np.hanning(n_samples), n_bins))
    return (int(np.argmax(spectrum)) * RATE / n_bins - 500) / 1000


def splash_db(waveform: Waveform, joint_s: float) -> float:
    """Power further than 1 kHz from 440 Hz, in 20 ms around a joint, against all."""
    n_samples = round(0.02 * RATE)
    first = round(joint_s * RATE) - n_samples // 2
    power = np.abs(np.fft.rfft(waveform[first : first + n_samples] * np.blackman(n_samples))) ** 2
    away = np.abs(np.fft.rfftfreq(n_samples, 1 / RATE) - 440) > 1000
    return float(10 * np.log10(power[away].sum() / power.sum()))
