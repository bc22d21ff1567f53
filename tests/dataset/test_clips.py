from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from avfake.audio.io import SAMPLE_RATE, load_flac, save_flac
from avfake.dataset.augment import Augmentation
from avfake.dataset.clips import ClipDataset, Draw
from avfake.errors import AvfakeError, ClipError, ErrorKind
from avfake.video.lossless import read_pictures, write_pictures
from tests.dataset.making import make_media, make_row, make_split, make_table, moving_square
from tests.dummies import tone


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def table(root: Path) -> pa.Table:
    return make_split(root)


@pytest.fixture(scope="module")
def long_clip(root: Path) -> dict[str, object]:
    """Columns of a clip of 5.25 s whose sound tells its time: sample k is k / 2^18."""
    facts = make_media(root, "long", seconds=5.3)
    ramp = (np.arange(round(5.25 * SAMPLE_RATE)) / 2**18).astype(np.float32)
    save_flac(root / str(facts["audio_path"]), ramp, SAMPLE_RATE)
    return {**facts, "n_samples": len(ramp), "duration_s": len(ramp) / SAMPLE_RATE}


def one_row(root: Path, **facts: object) -> ClipDataset:
    return ClipDataset(make_table([make_row("x", "real-real", **facts)]), root)


def test_clip_is_what_its_files_hold_and_padding_behind_it(root: Path, table: pa.Table) -> None:
    for row, clip in enumerate(ClipDataset(table, root)):
        pictures = read_pictures(root / table["faces_path"][row].as_py())
        waveform, _ = load_flac(root / table["audio_path"][row].as_py())
        assert clip.video.shape == (3, 30, 112, 112)
        assert clip.video.dtype == torch.uint8
        assert clip.audio.shape == (66_150,)
        assert clip.audio.dtype == torch.float32
        np.testing.assert_array_equal(clip.video[:, :20].numpy().transpose(1, 2, 3, 0), pictures)
        np.testing.assert_array_equal(clip.audio[:44_100], waveform)
        assert not clip.video[:, 20:].any()
        assert not clip.audio[44_100:].any()
        assert (clip.pad_frames, clip.pad_samples, clip.first_frame) == (10, 22_050, 0)


def test_labels_are_those_of_the_row(root: Path, table: pa.Table) -> None:
    for row, clip in zip(table.to_pylist(), ClipDataset(table, root), strict=True):
        assert clip.sample_id == row["sample_id"]
        assert tuple(map(int, clip.labels)) == (row["video_label"], row["audio_label"], row["label"])
        assert clip.labels.video.dtype == torch.int64


@pytest.mark.parametrize("start_s", [0.0, 0.5, 1.04, 2.2])
def test_window_starts_at_one_moment_in_pictures_and_sound(
    root: Path, long_clip: dict[str, object], start_s: float
) -> None:
    first = round(10 * start_s)
    clip = one_row(root, **{**long_clip, "start_s": start_s, "n_samples": 66_150})[0]
    shown = moving_square(53)[first : first + 30]
    np.testing.assert_array_equal(clip.video.numpy().transpose(1, 2, 3, 0), shown)
    heard = clip.audio.numpy() * 2**18
    np.testing.assert_allclose(heard, first * 2205 + np.arange(66_150), atol=8)  # FLAC steps of 2^-15
    assert (clip.pad_frames, clip.pad_samples, clip.first_frame) == (0, 0, first)


def test_row_shorter_than_its_files_is_cut_to_the_row(root: Path, long_clip: dict[str, object]) -> None:
    clip = one_row(root, **{**long_clip, "n_samples": 5 * 2205 + 100})[0]
    assert (clip.pad_frames, clip.pad_samples) == (25, 66_150 - 5 * 2205 - 100)


def test_hop_cuts_a_long_row_into_windows(root: Path, long_clip: dict[str, object]) -> None:
    rows = [make_row("x", "real-real", **long_clip), make_row("y", "real-real", **make_media(root, "y"))]
    dataset = ClipDataset(make_table(rows), root, hop_s=1.0)
    assert dataset.windows.tolist() == [[0, 0], [0, 10], [0, 20], [0, 22], [1, 0]]
    last = dataset[3]
    assert last.first_frame == 22
    np.testing.assert_array_equal(last.video.numpy().transpose(1, 2, 3, 0), moving_square(53)[22:52])
    np.testing.assert_allclose(last.audio[0] * 2**18, 22 * 2205, atol=8)
    assert last.pad_frames == 0
    assert last.pad_samples == 0


def test_augmentation_depends_on_epoch_and_seed_alone(root: Path, table: pa.Table) -> None:
    change = Augmentation(grain=1, noise=1)
    dataset = ClipDataset(table, root, augmentation=change, seed=3)
    first, again = (
        dataset[Draw(2, epoch=5)],
        ClipDataset(table, root, augmentation=change, seed=3)[Draw(2, 5)],
    )
    assert torch.equal(first.video, again.video)
    assert torch.equal(first.audio, again.audio)
    for other in (dataset[Draw(2, 6)], ClipDataset(table, root, augmentation=change, seed=4)[Draw(2, 5)]):
        assert not torch.equal(first.video, other.video)
        assert not torch.equal(first.audio, other.audio)
    assert not first.video[:, 20:].any()  # what is padded stays black
    assert not first.audio[44_100:].any()


def broken(root: Path, kind: str) -> dict[str, object]:
    facts = make_media(root, kind)
    faces, audio = root / str(facts["faces_path"]), root / str(facts["audio_path"])
    if kind == "no faces":
        facts["faces_path"] = None
    elif kind == "gone":
        faces.unlink()
    elif kind == "cut off":
        faces.write_bytes(faces.read_bytes()[:3000])
    elif kind == "page":
        faces.write_bytes(b"<!doctype html>")
    elif kind == "other size":
        write_pictures(faces, moving_square(20, size=96), fps=10)
    elif kind == "silent file":
        audio.write_bytes(b"")
    elif kind == "other rate":
        save_flac(audio, tone(440, 2, 16_000), 16_000)
    elif kind == "few pictures":
        write_pictures(faces, moving_square(18), fps=10)
    elif kind == "little sound":
        save_flac(audio, tone(440, 1.85), SAMPLE_RATE)
    elif kind == "both short":
        write_pictures(faces, moving_square(18), fps=10)
        save_flac(audio, tone(440, 1.8), SAMPLE_RATE)
    return facts


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("no faces", ErrorKind.NOT_FOUND, "faces_path is empty; run avfake faces"),
        ("gone", ErrorKind.NOT_FOUND, "faces/made/gone.avi: "),
        ("cut off", ErrorKind.CORRUPT, "faces/made/cut off.avi: "),
        ("page", ErrorKind.NOT_MEDIA, "faces/made/page.avi: it is a web page"),
        (
            "other size",
            ErrorKind.CORRUPT,
            "faces/made/other size.avi: pictures of 96x96, wanted face crops of 112x112",
        ),
        ("silent file", ErrorKind.CORRUPT, "audio/made/silent file.flac: not a readable sound file"),
        (
            "other rate",
            ErrorKind.CORRUPT,
            "audio/made/other rate.flac: 1 channels of 16000 Hz, wanted 1 of 22050 Hz",
        ),
        ("few pictures", ErrorKind.MISALIGNED, "hold 18 of 20 pictures and 44100 of 44100 samples"),
        ("little sound", ErrorKind.MISALIGNED, "hold 20 of 20 pictures and 40792 of 44100 samples"),
        ("both short", ErrorKind.MISALIGNED, "hold 18 of 20 pictures and 39690 of 44100 samples"),
    ],
)
def test_broken_row_is_named_in_one_line(root: Path, kind: str, error: ErrorKind, message: str) -> None:
    dataset = one_row(root, **broken(root, kind))
    with pytest.raises(ClipError) as caught:
        dataset[0]
    assert caught.value.kind == error
    assert str(caught.value).startswith("sample made/x/real of corpus made: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_picture_less_is_padded(root: Path) -> None:
    facts = make_media(root, "nearly")
    write_pictures(root / str(facts["faces_path"]), moving_square(19), fps=10)
    assert one_row(root, **facts)[0].pad_frames == 11


def test_other_sample_rate_is_refused_before_reading(root: Path) -> None:
    with pytest.raises(AvfakeError, match="sample made/x/real has sound of 16000 Hz, wanted 22050 Hz"):
        one_row(root, sample_rate=16_000)
