"""A video is taken apart as a data set takes it apart, and what is missing of it is said."""

from pathlib import Path

import numpy as np
import pytest
import torch

from avfake.audio.decode import decode_sound
from avfake.audio.io import SAMPLE_RATE, load_flac, save_flac
from avfake.curate.sound_files import keep_sound
from avfake.curate.task import Task
from avfake.dataset.clips import ClipDataset
from avfake.errors import ClipError, ErrorKind
from avfake.evaluation import recording as module
from avfake.evaluation.recording import Recording, read_video
from avfake.faces.detect import FaceDetector, load_detector
from avfake.faces.extract import extract_face
from avfake.models.config import DetectorConfig
from avfake.video.lossless import write_pictures
from tests.dataset.making import make_row, make_table
from tests.dummies import speech_like
from tests.evaluation.filming import SOUND_RATE, film, film_face
from tests.faces.painted import paint_faces

SECOND = DetectorConfig(window_s=1.0)


@pytest.fixture(scope="module")
def faces() -> FaceDetector:
    return load_detector("retinaface")


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_face(tmp_path_factory.mktemp("talk") / "a talk.mp4", 16, speech_like(1.6, SOUND_RATE))


def empty_pictures(n_frames: int) -> np.ndarray:
    return np.full((n_frames, 128, 128, 3), 90, np.uint8)


def test_windows_are_those_of_the_data_sets_row(talking: Path, tmp_path: Path, faces: FaceDetector) -> None:
    recording = read_video(talking, faces)
    kept = keep_sound(tmp_path, Task("made", "talk", "0", {}), decode_sound(talking))
    write_pictures(tmp_path / "talk.avi", extract_face(talking, faces).crops, fps=10)
    row = make_row(
        "talk", "real-real", faces_path="talk.avi", audio_path=kept["audio_path"], n_samples=kept["n_samples"]
    )
    dataset = ClipDataset(make_table([row]), tmp_path, window_frames=10, hop_s=0.5)
    windows = recording.windows(dataset.windows[:, 1], SECOND)
    assert len(dataset) == 3
    for number in range(3):
        clip = dataset[number]
        assert torch.equal(windows.video[number], clip.video)
        assert torch.equal(windows.audio[number], clip.audio)
    assert np.array_equal(recording.waveform, load_flac(tmp_path / kept["audio_path"])[0])
    assert recording.duration_s == kept["n_samples"] / SAMPLE_RATE
    assert recording.notes == ()


def test_behind_the_end_a_window_is_black_and_silent() -> None:
    crops = np.full((7, 112, 112, 3), 200, np.uint8)
    recording = Recording(crops, np.full(round(0.7 * SAMPLE_RATE), 0.5, np.float32))
    windows = recording.windows(np.array([0]), SECOND)
    assert windows.video.shape == (1, 3, 10, 112, 112)
    assert windows.video[0, :, :7].unique().tolist() == [200]
    assert windows.video[0, :, 7:].unique().tolist() == [0]
    assert windows.audio.shape == (1, 22_050)
    assert windows.audio[0, : len(recording.waveform)].unique().tolist() == [0.5]
    assert windows.audio[0, len(recording.waveform) :].unique().tolist() == [0]


def test_a_video_without_sound_has_pictures_alone(tmp_path: Path, faces: FaceDetector) -> None:
    recording = read_video(film_face(tmp_path / "mute.mp4", 6, None), faces)
    assert recording.waveform is None
    assert len(recording.crops) == recording.n_frames == 6
    assert recording.duration_s == 0.6
    assert recording.notes == ("The sound is not judged: it has no sound track.",)
    windows = recording.windows(np.array([0]), SECOND)
    assert windows.audio is None
    assert len(windows.video) == 1


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (np.zeros(26_460, np.float32), "digital silence"),
        (np.full(26_460, 4e-6, np.float32), "digital silence"),
        (speech_like(0.1, SOUND_RATE), "lasts 0.1"),
    ],
)
def test_a_sound_that_says_nothing_is_none(
    tmp_path: Path, faces: FaceDetector, sound: np.ndarray, why: str
) -> None:
    recording = read_video(film_face(tmp_path / "still.mp4", 6, sound), faces)
    assert recording.waveform is None
    assert why in recording.notes[0]


def test_a_video_without_a_face_has_sound_alone(tmp_path: Path, faces: FaceDetector) -> None:
    path = film(tmp_path / "wall.mp4", empty_pictures(8), speech_like(0.8, SOUND_RATE))
    recording = read_video(path, faces)
    assert recording.crops is None
    assert recording.duration_s == pytest.approx(0.8, abs=0.05)
    assert recording.notes[0].startswith("The pictures are not judged: no face")


def test_where_the_face_is_lost_its_windows_have_sound_alone(tmp_path: Path, faces: FaceDetector) -> None:
    pictures = paint_faces(np.zeros(28)).pictures.copy()
    pictures[12:20] = 90
    path = film(tmp_path / "gap.mp4", pictures, speech_like(2.8, SOUND_RATE))
    recording = read_video(path, faces)
    assert recording.lost == ((12, 20),)
    assert recording.crops[12:20].max() == 0
    assert recording.crops[:12].mean(axis=(1, 2, 3)).min() > 20
    assert recording.notes == (
        "The face is lost from 1.2 to 2.0 s; windows that do not show it throughout are judged by their "
        "sound alone.",
    )
    starts = np.array([0, 2, 3, 10, 18, 20])
    assert recording.show_face(starts, 10).tolist() == [True, True, False, False, False, True]
    assert recording.windows(starts, SECOND, faces=False).video is None
    mute = read_video(film(tmp_path / "mute.mp4", pictures, None), faces)
    assert mute.notes[1].endswith("windows that do not show it throughout are not judged.")


def test_a_sound_file_has_sound_alone(tmp_path: Path, faces: FaceDetector) -> None:
    save_flac(tmp_path / "voice.flac", speech_like(1.0), SAMPLE_RATE)
    recording = read_video(tmp_path / "voice.flac", faces)
    assert recording.crops is None
    assert recording.n_frames == 10
    assert "no video stream" in recording.notes[0]


def test_what_lasts_longer_than_the_sound_is_left_out(tmp_path: Path, faces: FaceDetector) -> None:
    recording = read_video(film_face(tmp_path / "long.mp4", 14, speech_like(0.9, SOUND_RATE)), faces)
    assert len(recording.crops) == recording.n_frames == 9
    assert recording.notes == ("The last 0.5 s are not judged: they are pictures alone.",)


@pytest.mark.parametrize(
    ("chosen_by", "text"), [("sound", "mouth follows the sound"), ("size", "most prominent")]
)
def test_which_of_several_faces_is_judged_is_said(
    tmp_path: Path, faces: FaceDetector, monkeypatch: pytest.MonkeyPatch, chosen_by: str, text: str
) -> None:
    path = film_face(tmp_path / "two.mp4", 4, speech_like(0.4, SOUND_RATE))
    clip = extract_face(path, faces)._replace(n_faces=2, chosen_by=chosen_by)
    monkeypatch.setattr(module, "extract_face", lambda *_, **__: clip)
    (note,) = read_video(path, faces).notes
    assert note.startswith("It shows 2 faces")
    assert text in note


def test_neither_face_nor_sound_fails(tmp_path: Path, faces: FaceDetector) -> None:
    with pytest.raises(ClipError, match="nothing to judge: no face.*no sound track") as caught:
        read_video(film(tmp_path / "wall.mp4", empty_pictures(4), None), faces)
    assert caught.value.kind is ErrorKind.NO_FACE


def test_a_broken_video_fails_rather_than_being_half_judged(
    talking: Path, tmp_path: Path, faces: FaceDetector
) -> None:
    data = talking.read_bytes()
    for name, content in {
        "cut.mp4": data[: len(data) // 2],
        "empty.mp4": b"",
        "page.mp4": b"<html>Sign in</html>",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ClipError) as caught:
            read_video(tmp_path / name, faces)
        assert caught.value.kind in (ErrorKind.CORRUPT, ErrorKind.NOT_MEDIA)
