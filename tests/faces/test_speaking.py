"""Who speaks: of drawn heads, and of real people side by side."""

import csv
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.audio.activity import speech_bands
from avfake.audio.decode import decode_sound
from avfake.audio.io import SAMPLE_RATE, in_common_form
from avfake.faces.detect import load_detector
from avfake.faces.extract import FaceClip, extract_face
from avfake.faces.speaking import follow_sound
from avfake.faces.track import FaceTrack
from avfake.video.sample import Pictures, picture_times
from tests.talking_heads import talk

Picture = NDArray[np.uint8]


def shown(crops: NDArray[np.uint8]) -> FaceClip:
    n = len(crops)
    track = FaceTrack(picture_times(n), *(np.zeros((n, *shape), np.float32) for shape in ((4,), (5, 2), ())))
    return FaceClip(track, np.zeros((n, 2, 3), np.float32), crops, (512, 256), 2, "sound")


def bands_of(number: int) -> NDArray[np.float32]:
    return speech_bands(talk(number).waveform, SAMPLE_RATE)


def test_the_head_that_talks_is_told_from_one_that_listens() -> None:
    for number in (0, 2):
        choose = follow_sound(bands_of(number))
        talker, listener = shown(talk(number).crops), shown(talk(1, silent_mouth=True).crops)
        assert choose([talker, listener]) == 0
        assert choose([listener, talker]) == 1


def test_the_head_that_talks_to_the_sound_is_told_from_one_that_talks_to_another() -> None:
    first, second = shown(talk(0).crops), shown(talk(2).crops)
    assert follow_sound(bands_of(0))([second, first]) == 1
    assert follow_sound(bands_of(2))([second, first]) == 0


def test_louder_sound_tells_the_same() -> None:
    faces = [shown(talk(0).crops), shown(talk(2).crops)]
    assert follow_sound(speech_bands(talk(0).waveform / 8, SAMPLE_RATE))(faces) == 0


def test_nothing_is_told_where_nobody_moves_or_nothing_sounds() -> None:
    still = shown(np.repeat(talk(0).crops[:1], 32, axis=0))
    assert follow_sound(bands_of(0))([still, still]) is None
    silence = speech_bands(np.zeros(3 * SAMPLE_RATE, np.float32), SAMPLE_RATE)
    assert follow_sound(silence)([shown(talk(0).crops), shown(talk(2).crops)]) is None


def test_a_second_tells_too_little() -> None:
    faces = [shown(talk(0).crops[:10]), shown(talk(2).crops[:10])]
    assert follow_sound(bands_of(0)[:20])(faces) is None


def test_who_is_alone_speaks() -> None:
    assert follow_sound(bands_of(0))([shown(talk(1, silent_mouth=True).crops)]) == 0


@pytest.mark.slow
@pytest.mark.shared
def test_of_real_people_side_by_side_the_speaker_is_told(shared: Path, tmp_path: Path) -> None:
    """Both talk, one of them to the sound; the other one is half as large again."""
    clips = _portraits(shared)[:12]
    detector = load_detector("retinaface")
    right = []
    for number, (speaker, other) in enumerate(zip(clips, clips[1:] + clips[:1], strict=True)):
        sound = decode_sound(speaker)
        bands = speech_bands(in_common_form(sound.waveform, sound.sample_rate), SAMPLE_RATE)
        video, speaker_is_left = tmp_path / f"{number}.mp4", number % 2 == 0
        _write(video, _beside(list(Pictures(speaker)), list(Pictures(other)), first_is_left=speaker_is_left))
        told: list[tuple[list[FaceClip], int | None]] = []

        def choose(faces: list[FaceClip], bands=bands, told=told) -> int:  # type: ignore[no-untyped-def]
            told.append((faces, follow_sound(bands)(faces)))
            return 0

        extract_face(video, detector, choose=choose)
        for faces, chosen in told:
            if chosen is not None:
                x = faces[chosen].track.landmarks[..., 0].mean()
                right.append(
                    (x < faces[0].picture_size[0] * (0.4 if speaker_is_left else 0.6)) == speaker_is_left
                )
    assert len(right) >= 5
    assert np.mean(right) >= 0.8


def _portraits(shared: Path) -> list[Path]:
    """Talking people, one clip of each, whose face fills a square picture."""
    with (shared / "data" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "talking"]
    square = [
        row for row in rows if row["width"] == row["height"] == "224" and float(row["duration_s"]) >= 2.4
    ]
    one_of_each = {
        row["speaker"]: shared / "data" / row["path"] for row in square if float(row["face_frac"]) > 0.9
    }
    return [one_of_each[speaker] for speaker in sorted(one_of_each)]


def _beside(first: list[Picture], second: list[Picture], *, first_is_left: bool) -> list[Picture]:
    """Two people in one picture; the second is half as large again."""
    from PIL import Image

    pairs = []
    for small, large in zip(first, second, strict=False):
        grown = np.asarray(Image.fromarray(large).resize((336, 336)))
        padded = np.pad(small, ((0, 112), (0, 0), (0, 0)), mode="edge")
        pairs.append(np.hstack([padded, grown] if first_is_left else [grown, padded]))
    return pairs


def _write(path: Path, pictures: list[Picture]) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=10, options={"crf": "15"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
