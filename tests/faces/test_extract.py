"""From files to crops: of one person, many, none; turned, uneven, grey, huge, tiny and broken ones."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.faces import extract
from avfake.faces.detect import FaceDetector, load_detector
from avfake.faces.extract import FaceClip, crop_track, extract_face
from avfake.faces.template import CROP_SIZE, template
from avfake.video import sample
from tests.faces.painted import FEATURES, Painted, paint_faces
from tests.video.filming import film, grey_film, turned

N_FRAMES = 20
TIMES_S = np.arange(N_FRAMES) / 12.5  # 1.6 s
SWAY = np.linspace(-14, 14, N_FRAMES)  # pixels to the right

Pictures = NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return load_detector("retinaface")


@pytest.fixture(scope="module")
def person() -> Painted:
    return paint_faces(SWAY, number=0)


@pytest.fixture(scope="module")
def other() -> Painted:
    return paint_faces(-SWAY, number=1)


@pytest.fixture(scope="module")
def path(person: Painted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "person.mp4", person.pictures, TIMES_S)


@pytest.fixture(scope="module")
def clip(path: Path, detector: FaceDetector) -> FaceClip:
    return extract_face(path, detector)


def refusal(path: Path, detector: FaceDetector) -> ClipError:
    with pytest.raises(ClipError) as caught:
        extract_face(path, detector)
    assert "\n" not in str(caught.value)
    return caught.value


def beside(*people: Pictures) -> Pictures:
    return np.concatenate(people, axis=2)


def in_crop(clip: FaceClip, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where painted features, of the frame that each crop shows, lie in the crops, [frames, 4, 2]."""
    numbers = np.clip(np.ceil(clip.track.time_s * 12.5 - 0.5).astype(int), 0, N_FRAMES - 1)
    turn, shift = clip.transforms[:, :, :2], clip.transforms[:, None, :, 2]
    return np.einsum("fij,fpj->fpi", turn, features[numbers]) + shift


def test_a_face_is_followed_and_brought_to_the_template(clip: FaceClip, person: Painted) -> None:
    assert clip.crops.shape == (16, CROP_SIZE, CROP_SIZE, 3)
    assert clip.crops.dtype == np.uint8
    assert clip.transforms.shape == (16, 2, 3)
    assert clip.track.time_s == pytest.approx(np.arange(16) / 10)
    assert (clip.picture_size, clip.n_faces, clip.chosen_by) == ((256, 256), 1, "alone")
    features = in_crop(clip, person.features)
    assert np.abs(features.mean(axis=0) - template()[FEATURES]).max() < 5  # a painting is no average face
    assert features.std(axis=0).max() < 1  # and stays where it is, though the head moves by 28 pixels


def test_the_same_file_gives_the_same_bytes(clip: FaceClip, path: Path, detector: FaceDetector) -> None:
    again = extract_face(path, detector)
    assert np.array_equal(again.crops, clip.crops)
    assert np.array_equal(again.transforms, clip.transforms)


def test_a_film_too_long_to_be_kept_gives_the_same(
    clip: FaceClip, path: Path, detector: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "_KEPT_BYTES", 0)
    assert np.array_equal(extract_face(path, detector).crops, clip.crops)


def test_few_pictures_are_held_at_once(
    path: Path, detector: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def counting(pictures: list[Pictures]) -> list:
        sizes.append(len(pictures))
        return detector(pictures)

    monkeypatch.setattr(extract, "_BATCH_BYTES", 3 * 256 * 256 * 3)
    extract_face(path, counting)
    assert sizes == [3, 3, 3, 3, 3, 1]


def test_a_telephone_held_upright_gives_the_same_crops(
    clip: FaceClip, person: Painted, tmp_path: Path, detector: FaceDetector
) -> None:
    wide = np.pad(person.pictures, [(0, 0), (0, 0), (0, 64), (0, 0)], mode="edge")
    lying = np.rot90(wide, 1, axes=(1, 2))
    found = extract_face(turned(film(tmp_path / "film.mp4", lying, TIMES_S), 90), detector)
    assert found.picture_size == (320, 256)
    assert np.abs(found.crops.astype(float) - clip.crops).mean() < 4
    assert found.transforms == pytest.approx(clip.transforms, abs=2)


def test_grey_films_have_faces(
    clip: FaceClip, person: Painted, tmp_path: Path, detector: FaceDetector
) -> None:
    found = extract_face(film(tmp_path / "film.mkv", person.pictures, TIMES_S, pix_fmt="gray"), detector)
    assert (found.crops == found.crops[..., :1]).all()
    assert found.transforms == pytest.approx(clip.transforms, abs=3)


def test_crops_of_uneven_films_belong_to_their_times(tmp_path: Path, detector: FaceDetector) -> None:
    times_s = np.round(np.cumsum(np.random.default_rng(0).choice([0.02, 0.05, 0.12], 24)), 3)
    steady = paint_faces(20 * (times_s - times_s[0]) - 14)
    found = extract_face(film(tmp_path / "film.mkv", steady.pictures, times_s), detector)
    x = found.track.landmarks.mean(axis=1)[:, 0]
    speed, _ = np.polyfit(found.track.time_s, x, 1)
    assert speed == pytest.approx(20, rel=0.1)
    assert np.abs(x - np.polyval(np.polyfit(found.track.time_s, x, 1), found.track.time_s)).max() < 1.5


def test_a_given_frame_rate_counts(path: Path, detector: FaceDetector) -> None:
    assert len(extract_face(path, detector, frame_rate=25).crops) == 8


def test_one_frame_is_one_crop(person: Painted, tmp_path: Path, detector: FaceDetector) -> None:
    found = extract_face(film(tmp_path / "film.mp4", person.pictures[:1], [0.0]), detector)
    assert found.crops.shape == (1, CROP_SIZE, CROP_SIZE, 3)


def test_faces_in_4k_are_cut_out_alike(
    clip: FaceClip, person: Painted, tmp_path: Path, detector: FaceDetector
) -> None:
    large = np.kron(person.pictures[:2], np.ones((1, 8, 8, 1), np.uint8))
    canvas = np.pad(large, [(0, 0), (56, 56), (900, 892), (0, 0)], mode="edge")
    found = extract_face(film(tmp_path / "film.mp4", canvas, [0.0, 0.5]), detector)
    assert (found.picture_size, len(found.crops)) == ((3840, 2160), 6)
    assert np.abs(found.crops[0].astype(float) - clip.crops[0]).mean() < 6


def test_the_sound_chooses_between_two(
    person: Painted, other: Painted, tmp_path: Path, detector: FaceDetector
) -> None:
    path = film(tmp_path / "film.mp4", beside(person.pictures, other.pictures), TIMES_S)
    offered = []

    def right_one(clips: list[FaceClip]) -> int:
        offered.extend(clips)
        return int(np.argmax([clip.track.boxes[0, 0] for clip in clips]))

    chosen = extract_face(path, detector, choose=right_one)
    assert (chosen.n_faces, chosen.chosen_by, len(offered)) == (2, "sound", 2)
    assert chosen.track.boxes[:, 0].min() > 256
    assert all(len(clip.crops) == 16 for clip in offered)
    areas = [np.prod(clip.track.boxes[:, 2:] - clip.track.boxes[:, :2], axis=1).mean() for clip in offered]
    for undecided in (None, lambda clips: None):
        largest = extract_face(path, detector, choose=undecided)
        assert (largest.n_faces, largest.chosen_by) == (2, "size")
        assert np.array_equal(largest.crops, offered[int(np.argmax(areas))].crops)


def test_two_in_turn_are_not_one(
    person: Painted, other: Painted, tmp_path: Path, detector: FaceDetector
) -> None:
    halves = np.concatenate([person.pictures[:10], other.pictures[10:]])
    error = refusal(film(tmp_path / "film.mp4", halves, TIMES_S), detector)
    assert error.kind == ErrorKind.FACE_LOST
    assert "the scene changes at 0.8 s" in str(error)


def test_who_leaves_the_picture_is_lost(tmp_path: Path, detector: FaceDetector) -> None:
    leaving = paint_faces(np.zeros(N_FRAMES)).pictures.copy()
    for number, picture in enumerate(leaving):
        picture[:] = np.roll(np.pad(picture, [(0, 0), (0, 256), (0, 0)], mode="edge"), 16 * number, axis=1)[
            :, :256
        ]
    error = refusal(film(tmp_path / "film.mp4", leaving, TIMES_S), detector)
    assert error.kind == ErrorKind.FACE_LOST
    assert "to 1.6 s" in str(error)


def test_films_without_a_face_say_so(tmp_path: Path, detector: FaceDetector) -> None:
    for name, size in (("tiny.avi", (8, 8)), ("plain.mp4", (320, 240))):
        pictures = [np.full((size[1], size[0], 3), 40 + 9 * number, np.uint8) for number in range(8)]
        assert refusal(film(tmp_path / name, pictures, np.arange(8) / 25), detector).kind == ErrorKind.NO_FACE


def test_broken_files_say_so(path: Path, tmp_path: Path, detector: FaceDetector) -> None:
    content = path.read_bytes()
    files = {"empty.mp4": b"", "page.mp4": b"<!doctype html>", "cut.mp4": content[: len(content) // 2]}
    kinds = []
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        kinds.append(refusal(tmp_path / name, detector).kind)
    assert kinds == [ErrorKind.CORRUPT, ErrorKind.NOT_MEDIA, ErrorKind.CORRUPT]


def test_a_shared_track_cuts_at_the_same_places(
    clip: FaceClip, path: Path, person: Painted, tmp_path: Path
) -> None:
    shared = crop_track(path, clip.track)
    assert np.array_equal(shared.crops, clip.crops)
    fake = film(tmp_path / "fake.mp4", person.pictures // 2, np.arange(N_FRAMES) / 25)
    darker = crop_track(fake, clip.track, frame_rate=12.5)
    assert np.array_equal(darker.transforms, clip.transforms)
    assert np.abs(darker.crops * 2.0 - clip.crops).mean() < 6
    shorter = crop_track(fake, clip.track)
    assert len(shorter.crops) == len(shorter.track.time_s) == len(shorter.transforms) == 8


def test_a_track_of_another_video_is_refused(clip: FaceClip, tmp_path: Path) -> None:
    longer = grey_film(tmp_path / "longer.mp4", np.arange(len(clip.crops) + 1) / 10)
    smaller = grey_film(tmp_path / "smaller.mp4", TIMES_S)
    for path, words in ((longer, "lasts longer"), (smaller, "48x32")):
        with pytest.raises(ClipError, match=words) as caught:
            crop_track(path, clip.track)
        assert caught.value.kind == ErrorKind.MISALIGNED


def rows_of(shared: Path, *kinds: str) -> list[dict[str, str]]:
    with (shared / "data" / "index.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["kind"] in kinds]


@pytest.mark.shared
def test_features_of_real_faces_stay_where_they_are(shared: Path, detector: FaceDetector) -> None:
    grid = [row["path"] for row in rows_of(shared, "talking") if "/grid_" in row["path"]]
    for name in (grid[0], grid[-1]):
        clip = extract_face(shared / "data" / name, detector)
        steps = np.diff([found[0].landmarks[:3] for found in detector(list(clip.crops))], axis=0)
        assert np.sqrt((steps**2).sum(axis=-1).mean()) < 0.6  # pixels: eyes and nose


@pytest.mark.shared
@pytest.mark.slow
def test_hardly_any_real_clip_is_without_a_usable_face(shared: Path, detector: FaceDetector) -> None:
    rows = rows_of(shared, "talking", "dubbed", "videofake", "mismatch", "ffpp", "dfdc")
    refused = {}
    for row in rows:
        try:
            clip = extract_face(shared / "data" / row["path"], detector)
        except ClipError as error:
            refused[row["path"]] = str(error)
        else:
            assert (clip.track.scores > 0).mean() > 0.9
    assert len(refused) <= 0.01 * len(rows), refused
