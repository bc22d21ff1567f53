"""From a video file to the aligned crops of the face that speaks in it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.faces.crop import crop_face
from avfake.faces.cuts import Sight, see
from avfake.faces.detect import FaceDetector
from avfake.faces.smooth import smooth
from avfake.faces.template import CROP_SIZE, align
from avfake.faces.track import FaceTrack, find_tracks
from avfake.video.sample import PICTURES_PER_S, Pictures

_BATCH_BYTES = 64 * 2**20  # of pictures given to the detector at once,
_BATCH = 16  # and how many at most

Picture = NDArray[np.uint8]
ChosenBy = Literal["alone", "sound", "size"]


class FaceClip(NamedTuple):
    """One face of a clip, cut out.

    Attributes:
        track: Where it is, one entry per crop.
        transforms: From pixels of the upright picture to those of the crop, float32 [frames, 2, 3].
        crops: RGB, uint8 [frames, 112, 112, 3]; crop k belongs to k / 10 s.
        picture_size: Width and height of the upright picture.
        n_faces: How many could have been the speaker's.
        chosen_by: Whether there was but one, or which of them it is was told by the sound or by size.
    """

    track: FaceTrack
    transforms: NDArray[np.float32]
    crops: Picture
    picture_size: tuple[int, int]
    n_faces: int
    chosen_by: ChosenBy


Choose = Callable[[Sequence[FaceClip]], int | None]  # which of several faces speaks, if one clearly does


def extract_face(
    path: Path,
    detector: FaceDetector,
    *,
    choose: Choose | None = None,
    frame_rate: float | None = None,
    with_gaps: bool = False,
) -> FaceClip:
    """Find the face that speaks in a video, follow it and cut it out, ten times a second.

    Args:
        path: Of a media file.
        detector: Finds the faces of single pictures.
        choose: Tells which of several faces speaks; where it cannot, or without it, the largest that lasts
            is taken.
        frame_rate: Where given, frame i belongs to i / frame_rate seconds whatever its time stamp.
        with_gaps: Where no face lasts, take the most prominent one; ``track.lost`` says where it is not.

    Raises:
        ClipError: The file is missing, no media, broken, without video or without a face, or the face is
            lost for more than half a second.
    """
    pictures = Pictures(path, frame_rate=frame_rate)
    found = find_tracks(list(_sights(pictures, detector)), with_gaps=with_gaps)
    tracks = [smooth(track) for track in found]
    if len(tracks) == 1:
        return _cut_out(pictures, tracks, n_faces=1, chosen_by="alone")[0]
    if choose is None:
        return _cut_out(pictures, tracks[:1], n_faces=len(tracks), chosen_by="size")[0]
    clips = _cut_out(pictures, tracks, n_faces=len(tracks), chosen_by="sound")
    speaker = choose(clips)
    return clips[0]._replace(chosen_by="size") if speaker is None else clips[speaker]


def crop_track(path: Path, track: FaceTrack, *, frame_rate: float | None = None) -> FaceClip:
    """Cut a face out of a video at the places where it was in another one of the same scene.

    A video that is shorter than the track gives a shorter clip.

    Args:
        path: Of a media file.
        track: Of the other video.
        frame_rate: Where given, frame i belongs to i / frame_rate seconds whatever its time stamp.

    Returns:
        The clip; that it is this face was settled with the track, so it counts as alone.

    Raises:
        ClipError: The file cannot be used, lasts longer than the track, or has smaller pictures than the
            track was made in.
    """
    (clip,) = _cut_out(Pictures(path, frame_rate=frame_rate), [track], n_faces=1, chosen_by="alone")
    middles, size = clip.track.landmarks.mean(axis=1), clip.picture_size
    if outside := np.flatnonzero(((middles < 0) | (middles > size)).any(axis=1)).tolist():
        x, y = middles[outside[0]]
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"its pictures have {size[0]}x{size[1]} pixels and the face is looked for at ({x:.0f}, {y:.0f}); "
            "share tracks between videos of one size only",
        )
    return clip


def _sights(pictures: Pictures, detector: FaceDetector) -> Iterator[Sight]:
    """Find the faces of all pictures, some pictures at a time."""
    batch: list[Picture] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == _BATCH or len(batch) * picture.nbytes >= _BATCH_BYTES:
            yield from map(see, batch, detector(batch))
            batch.clear()
    if batch:
        yield from map(see, batch, detector(batch))


def _cut_out(
    pictures: Pictures, tracks: Sequence[FaceTrack], *, n_faces: int, chosen_by: ChosenBy
) -> list[FaceClip]:
    """Cut several faces out in one go, each as long as its track and the video last."""
    transforms = [align(track.landmarks) for track in tracks]
    crops = [np.empty((len(track.time_s), CROP_SIZE, CROP_SIZE, 3), np.uint8) for track in tracks]
    n_followed = min(map(len, crops))
    number, size = 0, (0, 0)
    for number, picture in enumerate(pictures, start=1):
        if number > n_followed:
            raise ClipError(
                ErrorKind.MISALIGNED,
                f"it lasts longer than its face is followed, {n_followed / PICTURES_PER_S:.1f} s; "
                "share tracks between videos of one scene only",
            )
        size = picture.shape[1], picture.shape[0]
        for face, transform in zip(crops, transforms, strict=True):
            face[number - 1] = crop_face(picture, transform[number - 1])
    return [
        FaceClip(_first(track, number), transform[:number], face[:number], size, n_faces, chosen_by)
        for track, transform, face in zip(tracks, transforms, crops, strict=True)
    ]


def _first(track: FaceTrack, n_frames: int) -> FaceTrack:
    """The beginning of a track."""
    return FaceTrack(
        track.time_s[:n_frames], track.boxes[:n_frames], track.landmarks[:n_frames], track.scores[:n_frames]
    )
