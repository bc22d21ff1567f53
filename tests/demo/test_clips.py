"""Clips are reproducible, complete, and alike in everything but the manipulation."""

import csv
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from avfake.audio.align import measure_lag
from avfake.audio.decode import decode_sound
from avfake.demo.clips import COLUMNS, make_clips, plan_clips
from avfake.demo.draws import draws_for
from avfake.demo.identity import draw_identity
from avfake.demo.sheet import contact_sheet
from avfake.demo.voice import SPEECH_RATE, speak
from avfake.errors import AvfakeError
from avfake.files import sha256_of


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "clips"
    make_clips(folder, n_identities=2, n_frames=12)
    return folder


def _hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256_of(path) for path in sorted(folder.rglob("*.*"))}


def _shape(path: Path) -> tuple[object, ...]:
    with av.open(str(path)) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        return (
            *(video.codec_context.name, video.width, video.height, video.average_rate, video.frames),
            *(audio.codec_context.name, audio.rate, audio.channels, float(audio.duration * audio.time_base)),
            *(video.start_time, video.pix_fmt),
        )


def test_same_seed_gives_same_bytes_in_any_number_of_processes(corpus: Path, tmp_path: Path) -> None:
    make_clips(tmp_path / "again", n_identities=2, n_frames=12, jobs=2)
    assert _hashes(tmp_path / "again") == _hashes(corpus)


def test_second_run_makes_only_what_is_missing(corpus: Path) -> None:
    before = _hashes(corpus)
    (corpus / "fake/warp/id00-1_id01-0.mp4").unlink()
    report = make_clips(corpus, n_identities=2, n_frames=12)
    assert (report.n_real, report.n_fake, report.n_made) == (4, 4, 1)
    assert _hashes(corpus) == before


def test_real_and_fake_clips_are_alike_in_format(corpus: Path) -> None:
    shapes = {_shape(path) for path in corpus.rglob("*.mp4")}
    assert len(shapes) == 1
    assert shapes.pop()[:5] == ("h264", 256, 256, 25, 12)


def test_sound_starts_with_the_first_frame(corpus: Path) -> None:
    person = draw_identity(0, 0)
    spoken = speak(person.voice, draws_for(0, "speech", 0, 0), n_frames=12).waveform
    heard = decode_sound(corpus / "real/id00/id00-0.mp4")
    assert heard.sample_rate == SPEECH_RATE
    assert len(heard.waveform) == len(spoken)
    lag_s = measure_lag(spoken, heard.waveform, SPEECH_RATE)
    assert lag_s is not None
    assert abs(lag_s) < 0.001


def test_labels_list_every_clip_once(corpus: Path) -> None:
    with (corpus / "labels.csv").open(newline="") as file:
        table = csv.DictReader(file)
        rows = list(table)
    assert tuple(table.fieldnames or ()) == COLUMNS
    assert sorted(row["path"] for row in rows) == sorted(
        path.relative_to(corpus).as_posix() for path in corpus.rglob("*.mp4")
    )
    for row in rows:
        fake = row["path"].startswith("fake/")
        assert row["video_label"] == ("fake" if fake else "real")
        assert row["audio_label"] == "real"
        assert row["method"] == (row["path"].split("/")[1] if fake else "")


def test_fakes_never_leave_their_pair() -> None:
    clips = plan_clips(n_identities=12, clips_per_identity=2)
    fakes = [clip for clip in clips if clip.source is not None]
    assert len(fakes) == len(clips) // 2
    assert {clip.method for clip in fakes} == {"blend", "warp"}
    assert all(clip.source == clip.target ^ 1 for clip in fakes)
    assert len({clip.pair for clip in clips}) == 6


@pytest.mark.parametrize("fake", ["blend/id00-0_id01-1", "warp/id00-1_id01-0"])
def test_manipulation_shows_in_the_face_alone(corpus: Path, fake: str) -> None:
    target = fake.split("/")[1].split("_")[0]
    changed = _brightness(corpus / f"fake/{fake}.mp4") - _brightness(corpus / f"real/id00/{target}.mp4")
    mouth, sky, side = changed[145:190, 100:156], changed[:30], changed[:, :30]
    assert np.abs(mouth).mean() > 3 * np.abs(sky).mean()
    assert np.abs(mouth).mean() > 3 * np.abs(side).mean()


def test_another_recipe_in_the_same_folder_is_refused(corpus: Path) -> None:
    with pytest.raises(AvfakeError, match="choose another folder"):
        make_clips(corpus, n_identities=2, n_frames=12, seed=1)


@pytest.mark.parametrize(("n_identities", "clips_per_identity"), [(3, 2), (0, 2), (2, 0)])
def test_numbers_that_make_no_pairs_are_refused(n_identities: int, clips_per_identity: int) -> None:
    with pytest.raises(AvfakeError, match="even number of identities"):
        plan_clips(n_identities=n_identities, clips_per_identity=clips_per_identity)


def test_contact_sheet_has_a_column_per_person_and_a_row_per_kind(corpus: Path, tmp_path: Path) -> None:
    clips = plan_clips(n_identities=2, clips_per_identity=2)
    contact_sheet(corpus, clips, tmp_path / "faces.png")
    head = (tmp_path / "faces.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", head[16:24]) == (230, 270)


def _brightness(path: Path) -> np.ndarray:
    """Mean frame, which hides the camera's noise, [height, width]."""
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    return np.mean(frames, axis=0)
