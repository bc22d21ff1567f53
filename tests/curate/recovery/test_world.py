"""The world the recovery is tested in is what it says: its clocks, its clips, and its measure of error."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from avfake.audio.decode import decode_sound
from avfake.audio.io import SAMPLE_RATE, resample
from avfake.corpora.base import Labelling
from avfake.corpora.faceforensics import rows
from avfake.manifest.schema import Row
from avfake.media import open_media
from tests.dummies import Waveform, speech_like
from tests.ffpp_world import (
    FILM,
    NTSC,
    QUICK,
    Case,
    Truth,
    World,
    build_world,
    generated_takes,
    lag_ms,
    real_takes,
)

FADED = Case("-C5sgroT610", FILM, gaps=True, methods=("FaceSwap",), late=2, length_s=9)
TWICE = Case("zPdvu-SUnbg", NTSC, rounded=True, methods=("NeuralTextures",), length_s=9)
SOUNDS = ("low.m4a", "sound.webm", "sound.m4a")
PICTURES = ("half.mp4", "pictures.webm", "pictures.mp4")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    return build_world(folder, list(generated_takes(16, 0)), (FADED, TWICE), streams=[*SOUNDS, *PICTURES])


def test_data_set_is_read_as_the_official_one(world: World) -> None:
    found = {row.clip_id: row for row in rows(world.root, corpus="ffpp", labelling=Labelling())}
    assert all(isinstance(row, Row) for row in found.values())
    assert {clip_id: row.video_path for clip_id, row in found.items()} == {
        truth.clip_id: truth.path for truth in world.clips.values()
    }


def test_clips_are_silent_and_claim_the_rates_the_data_set_gives_them(world: World) -> None:
    claimed = {}
    for clip_id, truth in world.clips.items():
        with open_media(world.root / truth.path) as container:
            assert [stream.type for stream in container.streams] == ["video"]
            claimed[clip_id] = container.streams.video[0].average_rate
    assert claimed == {
        "youtube-c23-004": FILM,
        "FaceSwap-c23-004_982": Fraction(30),  # rate of its source, rounded as that is
        "youtube-c23-982": Fraction(30),
        "youtube-c23-983": Fraction(30),
        "NeuralTextures-c23-982_004": FILM,
        "NeuralTextures-c23-983_113": Fraction(25),
    }


def test_frame_lists_name_the_frames_and_have_gaps(world: World) -> None:
    folder = world.root / "downloaded_videos_info"
    for clip_id, (youtube_id, sequence) in {
        "youtube-c23-004": ("-C5sgroT610", 0),
        "youtube-c23-982": ("zPdvu-SUnbg", 0),
        "youtube-c23-983": ("zPdvu-SUnbg", 1),
    }.items():
        listed = json.loads((folder / youtube_id / "extracted_sequences" / f"{sequence}.json").read_text())
        assert listed == world.clips[clip_id].numbers.tolist()
    assert len(world.clips["youtube-c23-004"].runs) > 1
    assert json.loads((folder / "zPdvu-SUnbg" / "zPdvu-SUnbg.json").read_text())["fps"] == 30


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_shown_when_the_truth_says(world: World, name: str) -> None:
    every = 2 if name == "half.mp4" else 1
    for truth in world.clips.values():
        shown_s = shown(world.streams[truth.youtube_id][name])
        kept = truth.numbers % every == 0
        error_s = shown_s[truth.numbers[kept] // every] - truth.times_s[kept]
        assert np.abs(error_s).max() < (0.00051 if name.endswith("webm") else 1e-6)


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_is_heard_when_the_truth_says(world: World, name: str) -> None:
    for truth in {truth.youtube_id: truth for truth in world.clips.values()}.values():
        decoded = decode_sound(world.streams[truth.youtube_id][name])
        rate = decoded.sample_rate
        sound = resample(truth.upload_sound, 48_000, rate)
        found = lag_ms(decoded.waveform[5 * rate : 7 * rate], sound[5 * rate : 7 * rate], rate)
        assert abs(found.ms) < 0.01
        assert found.similarity > 0.95


def test_clips_show_the_frames_of_their_upload(world: World) -> None:
    uploads = {youtube_id: luma(streams["pictures.mp4"]) for youtube_id, streams in world.streams.items()}
    for clip_id, truth in world.clips.items():
        clip, upload = luma(world.root / truth.path), uploads[truth.youtube_id]
        assert len(clip) == len(truth.numbers)
        if clip_id.startswith("youtube"):
            differences = [np.abs(clip - upload[truth.numbers + shift]).mean() for shift in (-1, 0, 1)]
            assert np.argmin(differences) == 1


def test_fakes_differ_from_their_original_in_the_face_alone(world: World) -> None:
    for fake, original in [("FaceSwap-c23-004_982", "004"), ("NeuralTextures-c23-982_004", "982")]:
        first, second = (
            luma(world.root / world.clips[name].path) for name in (fake, f"youtube-c23-{original}")
        )
        change = np.abs(first - second[: len(first)]).mean(axis=0)
        assert change[90:110, 110:145].mean() > 4 * change[:, :60].mean()
    assert len(world.clips["FaceSwap-c23-004_982"].numbers) < len(world.clips["youtube-c23-004"].numbers)


@pytest.mark.parametrize("late_ms", [-130.0, -0.3, 0.0, 0.07, 12.0])
def test_lag_is_measured_to_a_hundredth_of_a_millisecond(late_ms: float) -> None:
    sound = speech_like(3.0)
    noise = np.random.default_rng(0).normal(0, 0.01, len(sound))
    late = delayed(sound, late_ms) + noise.astype(np.float32)
    assert lag_ms(late, sound, SAMPLE_RATE).ms == pytest.approx(late_ms, abs=0.01)
    assert lag_ms(late[22_050:], sound, SAMPLE_RATE).ms == pytest.approx(late_ms - 1000, abs=0.01)


def test_other_speech_is_not_alike() -> None:
    assert lag_ms(speech_like(2.0, seed=1), speech_like(3.0, seed=2), SAMPLE_RATE).similarity < 0.5


def test_true_sound_has_no_error(world: World) -> None:
    for truth in world.clips.values():
        errors = truth.errors_ms(truth.sound())
        assert len(errors) >= 2
        assert np.abs(errors).max() < 0.05


def test_late_sound_is_late_by_so_much_in_each_second(world: World) -> None:
    for truth in world.clips.values():
        assert truth.errors_ms(delayed(truth.sound(), 20.0)) == pytest.approx(20.0, abs=0.5)


def test_wrong_rate_shows_as_drift(world: World) -> None:
    truth = world.clips["youtube-c23-982"]
    too_fast = resample(truth.sound(), 1001, 1000)  # as if 30 pictures a second had been shown
    assert truth.errors_ms(too_fast) == pytest.approx(-np.arange(3) - 0.6, abs=0.4)


def test_a_gap_left_in_the_sound_shows_behind_it(world: World) -> None:
    truth = world.clips["youtube-c23-004"]
    start = round(truth.times_s[0] * 48_000)
    n_samples = round(len(truth.numbers) / truth.frame_rate * 48_000)
    through = resample(truth.upload_sound[start : start + n_samples], 48_000, SAMPLE_RATE)
    n_missing = np.diff(truth.numbers).max() - 1
    errors = truth.errors_ms(through)
    assert abs(errors[0]) < 0.05
    assert errors.max() > 1000 * n_missing / truth.frame_rate - 1


def test_swapped_uploads_are_other_videos(world: World, tmp_path: Path) -> None:
    right, wrong = world.lay_out(tmp_path / "right"), world.lay_out(tmp_path / "wrong", swap=True)
    names = {f"{youtube_id}.{role}" for youtube_id in world.streams for role in ("sound.m4a", "pictures.mp4")}
    assert {path.name for path in right.iterdir()} == {path.name for path in wrong.iterdir()} == names
    for truth in world.clips.values():
        assert np.abs(recut(truth, right)).max() < 0.1
        assert np.isinf(recut(truth, wrong)).all()


def test_a_seed_decides_everything(tmp_path: Path) -> None:
    cases = [Case("--b1Ua-kWJE", None, length_s=5)]
    for name in ("once", "again"):
        build_world(tmp_path / name, list(generated_takes(4, 0)), cases)
    contents = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in files(tmp_path / name)}
        for name in ("once", "again")
    ]
    assert contents[0] == contents[1]


@pytest.mark.slow
@pytest.mark.shared
def test_real_takes_make_uploads_with_every_kind_of_clip(shared: Path, tmp_path: Path) -> None:
    world = build_world(tmp_path, real_takes(shared), QUICK)
    assert len(world.clips) == 9
    for truth in world.clips.values():
        assert len(truth.upload_sound) > 20 * 48_000
        assert len(luma(world.root / truth.path)) == len(truth.numbers) > 2 * truth.frame_rate
        uneven_ms = 0.1 if truth.case.rate else 3.0  # a run is as late as its frames are on average
        assert np.abs(truth.errors_ms(truth.sound())).max() < uneven_ms


def recut(truth: Truth, folder: Path) -> NDArray[np.float64]:
    """Errors of a clip whose sound is cut, at the right times, from what a folder holds for it."""
    decoded = decode_sound(folder / f"{truth.youtube_id}.sound.m4a")
    rate = decoded.sample_rate
    pieces = [
        decoded.waveform[round(truth.times_s[first] * rate) :][
            : round((last - first) / truth.frame_rate * rate)
        ]
        for first, last in truth.runs
    ]
    return truth.errors_ms(np.concatenate(pieces), rate)


def shown(path: Path) -> NDArray[np.float64]:
    """Times of all pictures of a file, [frames], in seconds."""
    with open_media(path) as container:
        return np.sort([float(p.pts * p.time_base) for p in container.demux(video=0) if p.pts is not None])


def luma(path: Path) -> NDArray[np.float32]:
    """Pictures of a file, [frames, 144, 256]."""
    scaler = VideoReformatter()
    with open_media(path) as container:
        pictures = [scaler.reformat(frame, 256, 144, "gray") for frame in container.decode(video=0)]
    return np.stack([picture.to_ndarray() for picture in pictures]).astype(np.float32)


def delayed(sound: Waveform, late_ms: float) -> Waveform:
    """The same sound, late by any part of a sample; what comes in or goes out at the ends is silence."""
    padded = np.pad(sound, SAMPLE_RATE)
    hz = np.fft.rfftfreq(len(padded), 1 / SAMPLE_RATE)
    shifted = np.fft.irfft(np.fft.rfft(padded) * np.exp(-2j * np.pi * hz * late_ms / 1000), len(padded))
    return shifted[SAMPLE_RATE:-SAMPLE_RATE].astype(np.float32)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
