"""A copy stays a copy through any codec; a resynthesis, another voice or another sentence never is one."""

import csv
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import soxr

from avfake.audio.blur import Blur
from avfake.audio.decode import decode_sound
from avfake.audio.io import SAMPLE_RATE, Waveform, in_common_form, resample
from avfake.audio.match import match_sound
from avfake.audio.same import LARGEST_RESIDUAL_DB, UNKNOWN, Comparison, compare
from avfake.vocoders.registry import load_vocoder
from avfake.vocoders.resynthesis import resynthesize
from tests.dummies import speech_like

RATE = 44_100
SPEECH = speech_like(4.0, RATE)
OTHER = speech_like(4.0, RATE, seed=1)
# codec, container, Hz, layout, kbit/s
CODES = [
    ("aac", "mp4", 44_100, "mono", 32),
    ("aac", "mp4", 44_100, "mono", 64),
    ("aac", "mp4", 44_100, "stereo", 128),
    ("aac", "mp4", 48_000, "stereo", 64),
    ("aac", "mp4", 16_000, "mono", 32),
    ("aac", "aac", 44_100, "mono", 64),  # without an edit list, so it comes back late
    ("libmp3lame", "mp3", 44_100, "mono", 32),
    ("libmp3lame", "mp3", 44_100, "stereo", 128),
    ("libopus", "webm", 48_000, "mono", 24),
    ("libopus", "webm", 48_000, "stereo", 64),
    ("mp2", "mpg", 44_100, "stereo", 128),
]

Code = tuple[str, str, int, str, int]


def encoded(sound: Waveform, rate: int, code: Code, folder: Path) -> Waveform:
    """What comes back, at ``rate``, from a file that was written with a codec."""
    codec, suffix, new_rate, layout, kbits = code
    path = folder / f"sound.{suffix}"
    planes = np.tile(resample(sound, rate, new_rate), (2 if layout == "stereo" else 1, 1))
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = new_rate, 0, Fraction(1, new_rate)
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=new_rate, layout=layout)
        track.bit_rate = 1000 * kbits
        coder = track.codec_context
        cutter = av.AudioResampler(coder.format, layout, new_rate, frame_size=coder.frame_size or 1024)
        for piece in [*cutter.resample(frame), *cutter.resample(None)]:
            container.mux(track.encode(piece))
        container.mux(track.encode(None))
    decoded = decode_sound(path)
    return resample(decoded.waveform, decoded.sample_rate, rate)


def vocoded(sound: Waveform, rate: int, name: str) -> tuple[Waveform, Waveform]:
    """A resynthesis as ``avfake vocode`` keeps it, and its source, both at SAMPLE_RATE."""
    source = in_common_form(sound, rate)
    made = resynthesize(load_vocoder(name), source, Blur())
    return match_sound(made, source, SAMPLE_RATE).waveform, source


@pytest.mark.parametrize("code", CODES, ids=lambda code: "-".join(map(str, code)))
def test_any_codec_leaves_a_copy(tmp_path: Path, code: Code) -> None:
    assert compare(encoded(SPEECH, RATE, code, tmp_path), SPEECH, RATE).matches
    assert compare(encoded(OTHER, RATE, code, tmp_path), SPEECH, RATE).matches is False


@pytest.mark.parametrize(
    ("gain", "delay_s"), [(-1.0, -0.45), (0.001, -0.1), (20.0, 0.0), (0.1, 0.02317), (-0.5, 0.45)]
)
def test_gain_sign_and_delay_do_not_matter(gain: float, delay_s: float) -> None:
    found = compare(gain * delayed(SPEECH, delay_s), SPEECH, RATE)
    assert found.matches
    assert found.residual_db is not None
    assert found.residual_db < -25
    assert found.lag_s == pytest.approx(delay_s, abs=1 / 8_000)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_fraction_of_a_sample_does_not_matter(share: float) -> None:
    found = compare(delayed(SPEECH, share / 8_000), SPEECH, RATE)
    assert found.residual_db is not None
    assert found.residual_db < -20


def test_cut_copy_matches() -> None:
    assert compare(SPEECH[: 3 * RATE], SPEECH, RATE).matches
    assert compare(SPEECH[RATE // 3 :], SPEECH, RATE).matches
    assert compare(SPEECH, SPEECH[: -RATE // 3], RATE).matches


def test_speech_beyond_the_end_of_the_original_is_unexplained() -> None:
    assert compare(SPEECH, SPEECH[: 2 * RATE], RATE).matches is False
    silent_rest = np.append(SPEECH, np.zeros(2 * RATE, np.float32))
    assert compare(silent_rest, SPEECH, RATE).matches


@pytest.mark.parametrize("noise_db", [-5.0, -10.0, -20.0])
def test_residual_is_the_share_of_what_was_added(noise_db: float) -> None:
    rng = np.random.default_rng(3)
    original, noise = rng.normal(0, 0.1, (2, 5 * RATE)).astype(np.float32)
    power = 10 ** (noise_db / 10)
    found = compare(original + np.sqrt(power).astype(np.float32) * noise, original, RATE)
    assert found.residual_db == pytest.approx(10 * np.log10(power / (1 + power)), abs=0.5)


@pytest.mark.parametrize("name", ["griffin-lim", "world"])
def test_resynthesis_of_the_same_sentence_is_no_copy(name: str) -> None:
    made, source = vocoded(SPEECH, RATE, name)
    found = compare(made, source, SAMPLE_RATE)
    assert found.matches is False
    assert found.residual_db is not None
    assert found.residual_db > LARGEST_RESIDUAL_DB + 2


@pytest.mark.parametrize("stretch", [0.98, 0.995, 1.005, 1.02])
def test_another_speed_and_pitch_is_no_copy(stretch: float) -> None:
    assert compare(soxr.resample(SPEECH, RATE, RATE * stretch), SPEECH, RATE).matches is False


def test_half_of_something_else_is_no_copy() -> None:
    assert compare(SPEECH + OTHER, SPEECH, RATE).matches is False


@pytest.mark.parametrize("start_s", [0.4, 1.7, 3.0])
def test_one_other_second_is_found(start_s: float) -> None:
    sound = SPEECH.copy()
    place = slice(round(start_s * RATE), round((start_s + 1) * RATE))
    sound[place] = OTHER[place]
    assert compare(sound, SPEECH, RATE).matches is False


def test_silence_and_sound_differ() -> None:
    silence = np.zeros_like(SPEECH)
    assert compare(silence, SPEECH, RATE) == Comparison(False, 0.0, pytest.approx(0, abs=0.5))
    assert compare(SPEECH, silence, RATE).matches is False


def test_too_little_sound_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    hiss, other_hiss = rng.normal(0, 1e-5, (2, RATE)).astype(np.float32)
    assert compare(hiss, other_hiss, RATE).matches is None
    assert compare(np.zeros(RATE, np.float32), np.zeros(RATE, np.float32), RATE).matches is None
    for sound in (SPEECH[:0], SPEECH[: RATE // 3]):
        assert compare(sound, SPEECH, RATE) == compare(SPEECH, sound, RATE) == UNKNOWN


def test_a_long_recording_is_compared_in_blocks() -> None:
    long = np.concatenate([speech_like(15.0, 8_000, seed=seed) for seed in range(3)])
    assert compare(delayed(long, 0.2, 8_000), long, 8_000).matches
    altered = np.concatenate([long[: 43 * 8_000], OTHER[: 2 * 8_000]])
    assert compare(altered, long, 8_000).matches is False


@pytest.mark.shared
def test_files_of_one_recording_are_told_from_their_neighbours(shared: Path) -> None:
    """Some real clips came from two places, once as Opus at 48 kHz and once as AAC at 16 kHz."""
    sounds = {path: resample(sound, rate, 16_000) for path, sound, rate in talking(shared)}
    n_twice = 0
    for one, other in pairwise(sorted(sounds, key=lambda path: Path(path).stem)):
        twice = Path(one).stem == Path(other).stem
        assert compare(sounds[one], sounds[other], 16_000).matches is twice, (one, other)
        n_twice += twice
    assert n_twice


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("code", CODES, ids=lambda code: "-".join(map(str, code)))
def test_any_codec_leaves_a_copy_of_real_speech(shared: Path, tmp_path: Path, code: Code) -> None:
    wrong = [
        path
        for path, sound, rate in talking(shared)
        if not compare(encoded(sound, rate, code, tmp_path), sound, rate).matches
    ]
    assert not wrong


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", ["griffin-lim", "world"])
def test_resynthesis_of_real_speech_is_no_copy(shared: Path, tmp_path: Path, name: str) -> None:
    for path, sound, rate in talking(shared):
        made, source = vocoded(sound, rate, name)
        again = encoded(made, SAMPLE_RATE, ("aac", "mp4", 44_100, "mono", 96), tmp_path)
        assert compare(made, source, SAMPLE_RATE).matches is False, path
        assert compare(again, source, SAMPLE_RATE).matches is False, path


@pytest.mark.shared
def test_resynthesis_by_neural_vocoders_is_no_copy(shared: Path) -> None:
    """Vocoded files that carry the name of the sentence they were made from."""
    rows = list(csv.DictReader((shared / "data" / "index.csv").open()))
    recorded = {Path(row["path"]).stem: row["path"] for row in rows if row["kind"] == "speech"}
    pairs = [
        (row["path"], recorded[name])
        for row in rows
        if row["kind"] == "vocoded" and (name := Path(row["path"]).stem.split("_")[0]) in recorded
    ]
    assert len(pairs) > 5
    for made, source in pairs:
        sounds = [decode_sound(shared / "data" / path) for path in (made, source)]
        found = compare(
            *(resample(one.waveform, one.sample_rate, SAMPLE_RATE) for one in sounds), SAMPLE_RATE
        )
        assert found.matches is False, made


def delayed(sound: Waveform, delay_s: float, rate: int = RATE) -> Waveform:
    """As long as it was; what is moved beyond either end is gone."""
    size = 2 * len(sound)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(size) * rate * delay_s)
    moved = np.fft.irfft(np.fft.rfft(sound, size) * turn, size)[: len(sound)]
    return moved.astype(np.float32)


def talking(shared: Path) -> Iterator[tuple[str, Waveform, int]]:
    for row in csv.DictReader((shared / "data" / "index.csv").open()):
        if row["kind"] == "talking":
            sound = decode_sound(shared / "data" / row["path"])
            yield row["path"], sound.waveform, sound.sample_rate
