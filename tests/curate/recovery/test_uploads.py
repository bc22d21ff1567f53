"""Uploads are found under every usual name, by their ids alone, and the best files of each are chosen."""

from pathlib import Path

import av
import numpy as np
import pytest

from avfake.curate.recovery.uploads import Upload, find_uploads
from avfake.errors import AvfakeError
from avfake.manifest.splits import ffpp_sequences
from tests.dummies import tone, write_clip

ONE, TWO = "--b1Ua-kWJE", "_3qHd5fF2SQ"  # an id may begin like an option, or with an underscore


@pytest.mark.parametrize(
    ("names", "sound", "pictures"),
    [
        # the crawl's own
        (["{}.sound.webm", "{}.pictures.mp4"], "{}.sound.webm", "{}.pictures.mp4"),
        (["{}.sound.mp4"], "{}.sound.mp4", None),
        # a user's
        (["{}.mp4"], "{}.mp4", None),
        (["{}.WEBM"], "{}.WEBM", None),
        (["{0}/{0}.mp4", "{0}/{0}.json", "{0}/extracted_sequences/0.json"], "{0}/{0}.mp4", None),
        (["Kermit [live] é\n.mp4 [{}].webm"], "Kermit [live] é\n.mp4 [{}].webm", None),
        (["{0}/Title [{0}].mkv"], "{0}/Title [{0}].mkv", None),
        (["{}.m4a"], "{}.m4a", None),
        (["{}.m4a", "{}.mp4"], "{}.m4a", "{}.mp4"),
        (["{}.f140.m4a", "{}.f160.mp4"], "{}.f140.m4a", "{}.f160.mp4"),
        (["A [{}].f251-drc.m4a", "A [{}].f160.mp4"], "A [{}].f251-drc.m4a", "A [{}].f160.mp4"),
        # several
        (["{}.mp3", "{}.m4a", "{}.opus"], "{}.opus", None),
        (["{}.f140.m4a", "{}.m4a", "{}.sound.mp3"], "{}.sound.mp3", None),
        (["{}.f140.m4a", "{}.mp3"], "{}.mp3", None),
        (["{0}/{0}.m4a", "{0}.m4a"], "{0}.m4a", None),
        (["b [{}].m4a", "a [{}].m4a"], "a [{}].m4a", None),
        (["{}.m4a", "{}.pictures.mkv", "{}.mp4"], "{}.m4a", "{}.pictures.mkv"),
        (["{}.webm", "{}.pictures.mp4"], "{}.webm", "{}.pictures.mp4"),
    ],
)
def test_names_tell_what_is_what(tmp_path: Path, names: list[str], sound: str, pictures: str | None) -> None:
    for name in names:
        touch(tmp_path / name.format(ONE))
    expected = Upload(tmp_path / sound.format(ONE), pictures and tmp_path / pictures.format(ONE))
    assert find_uploads(tmp_path) == {ONE: expected}


@pytest.mark.parametrize(
    "name",
    [
        "{}.mp4.part",
        "{}.f140.m4a.ytdl",
        "{}.temp.mp4",
        ".{}.mp4",
        ".{}.sound.m4a.tmp",
        ".partial/{}/audio-1",
        "{}.json",
        "{}.aac",
        "{}.jpg",
        "{}",
        "{}x.mp4",
        "x{}.mp4",
        "Title ({}).mp4",
        "other/{}.mp4",
        "-C5sgroT610/{}.mp4",  # under another upload's name
        "{0}/{0}/{0}.mp4",
        "{0}/video.mp4",
    ],
)
def test_whatever_else_lies_there_is_left_alone(tmp_path: Path, name: str) -> None:
    touch(tmp_path / f"{TWO}.mp4")
    touch(tmp_path / name.format(ONE))
    assert list(find_uploads(tmp_path)) == [TWO]


def test_ids_are_those_of_faceforensics_case_and_all(tmp_path: Path) -> None:
    touch(tmp_path / f"{ONE.swapcase()}.mp4")
    touch(tmp_path / "dQw4w9WgXcQ.mp4")
    touch(tmp_path / "holiday.mp4")
    with pytest.raises(AvfakeError, match=r"<id>/<id>\.mp4") as caught:
        find_uploads(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_of_all_uploads_is_found_whole_and_in_order(tmp_path: Path) -> None:
    ids = sorted({sequence.youtube_id for sequence in ffpp_sequences().values()})
    for youtube_id in reversed(ids):
        touch(tmp_path / f"{youtube_id}.m4a")
        touch(tmp_path / youtube_id / f"{youtube_id}.mp4")
    found = find_uploads(tmp_path)
    assert list(found) == ids
    assert len(ids) == 977
    for youtube_id, upload in found.items():
        assert upload == (tmp_path / f"{youtube_id}.m4a", tmp_path / youtube_id / f"{youtube_id}.mp4")


def test_headers_decide_where_names_cannot(tmp_path: Path) -> None:
    sound, pictures, both, broken = (
        tmp_path / f"{ONE}.{rest}" for rest in ("f251.webm", "f278.webm", "mkv", "mp4")
    )
    write_clip(pictures, None, video_codec="libvpx-vp9")
    write_sound_alone(sound)
    assert find_uploads(tmp_path) == {ONE: Upload(sound, pictures)}
    touch(broken)
    assert find_uploads(tmp_path) == {ONE: Upload(sound, pictures)}
    write_clip(both, tone(440, 1.0, 48_000), sample_rate=48_000)
    assert find_uploads(tmp_path) == {ONE: Upload(both, None)}
    apart = touch(tmp_path / f"{ONE}.m4a")
    assert find_uploads(tmp_path) == {ONE: Upload(apart, both)}


def test_files_without_sound_are_left_for_the_next_stage_to_refuse(tmp_path: Path) -> None:
    for name in (f"{ONE}.mp4", f"{ONE}.webm"):
        touch(tmp_path / name)
    touch(tmp_path / f"{TWO}.pictures.mp4")
    assert find_uploads(tmp_path) == {
        ONE: Upload(tmp_path / f"{ONE}.mp4", None),
        TWO: Upload(tmp_path / f"{TWO}.pictures.mp4", None),
    }


def test_links_are_followed_and_dead_ones_are_not_files(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "disk", tmp_path / "uploads"
    touch(elsewhere / "kermit.mp4")
    touch(elsewhere / "deep" / f"{TWO}.mp4")
    folder.mkdir()
    (folder / f"{ONE}.mp4").symlink_to(elsewhere / "kermit.mp4")
    (folder / TWO).symlink_to(elsewhere / "deep")
    (folder / f"{ONE}.m4a").symlink_to(tmp_path / "gone")
    assert find_uploads(folder) == {
        ONE: Upload(folder / f"{ONE}.mp4", None),
        TWO: Upload(folder / TWO / f"{TWO}.mp4", None),
    }


def test_no_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="No such file"):
        find_uploads(tmp_path / "absent")
    with pytest.raises(AvfakeError, match="Not a directory"):
        find_uploads(touch(tmp_path / "file"))


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def write_sound_alone(path: Path) -> None:
    with av.open(str(path), "w") as container:
        track = container.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), format="flt", layout="mono")
        frame.sample_rate = 48_000
        container.mux([*track.encode(frame), *track.encode(None)])
