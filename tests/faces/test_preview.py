"""A preview shows frames with the face marked above their crops, and is the same each time."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avfake.errors import StorageError
from avfake.faces.extract import FaceClip, crop_track
from avfake.faces.preview import save_preview
from avfake.faces.track import FaceTrack
from tests.faces.sightings import face
from tests.video.filming import grey_film

N_PICTURES = 12


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grey_film(
        tmp_path_factory.mktemp("films") / "film.mp4", np.arange(N_PICTURES) / 10, size=(320, 240)
    )


@pytest.fixture(scope="module")
def clip(video: Path) -> FaceClip:
    """A face that walks from left to right and is not found in one picture."""
    faces = [face(80 + 12 * number, 120, size=90) for number in range(N_PICTURES)]
    scores = np.full(N_PICTURES, 0.97, np.float32)
    scores[-1] = 0
    return crop_track(
        video,
        FaceTrack(
            np.arange(N_PICTURES) / 10,
            np.stack([one.box for one in faces]),
            np.stack([one.landmarks for one in faces]),
            scores,
        ),
    )


def saved(path: Path, video: Path, clip: FaceClip, **how: int) -> np.ndarray:
    save_preview(path, video, clip, **how)
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image).astype(int)


def coloured(sheet: np.ndarray) -> np.ndarray:
    """Pixels that are neither grey nor paper."""
    return np.ptp(sheet, axis=2) > 60


def test_each_column_shows_the_face_where_it_is(tmp_path: Path, video: Path, clip: FaceClip) -> None:
    sheet = saved(tmp_path / "sheets" / "film.png", video, clip, n_frames=4)
    columns = [sheet[:, 6 + 174 * place :][:, :168] for place in range(4)]
    middles = [np.flatnonzero(coloured(column).any(axis=0)).mean() for column in columns]
    steps = 12 * np.diff([0, 4, 7, 11])  # pixels from one shown picture to the next
    assert np.diff(middles) == pytest.approx(steps * 168 / 320, abs=2)


def test_where_the_face_was_not_found_it_has_another_colour(
    tmp_path: Path, video: Path, clip: FaceClip
) -> None:
    first, last = np.array_split(saved(tmp_path / "film.png", video, clip, n_frames=2), 2, axis=1)
    hues = [column[coloured(column)].mean(axis=0).argmax() for column in (first, last)]
    assert hues == [1, 0]  # green and orange


def test_crops_are_shown(tmp_path: Path, video: Path, clip: FaceClip) -> None:
    painted = clip._replace(crops=np.full_like(clip.crops, (20, 40, 220)))
    sheet = saved(tmp_path / "film.png", video, painted, n_frames=3)
    assert (sheet == [20, 40, 220]).all(axis=2).sum() == 3 * 168 * 168


@pytest.mark.parametrize(("n_frames", "n_columns"), [(1, 1), (8, 8), (50, N_PICTURES)])
def test_short_clips_have_few_columns(
    tmp_path: Path, video: Path, clip: FaceClip, n_frames: int, n_columns: int
) -> None:
    assert saved(tmp_path / "film.png", video, clip, n_frames=n_frames).shape[1] == 6 + 174 * n_columns


def test_the_same_clip_gives_the_same_bytes(tmp_path: Path, video: Path, clip: FaceClip) -> None:
    for name in ("once.png", "again.png"):
        save_preview(tmp_path / name, video, clip)
    assert (tmp_path / "once.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.png", "once.png"]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, video: Path, clip: FaceClip) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        save_preview(tmp_path / "file" / "film.png", video, clip)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
