"""A picture of what was cut out of a video: some frames with the face marked, and their crops."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from avfake.faces.extract import FaceClip
from avfake.faces.template import CROP_SIZE
from avfake.files import whole_file
from avfake.video.sample import Pictures

_WIDTH = 168  # pixels of a column
_GAP, _TEXT = 6, 16
_FACE, _LOST, _INK, _PAPER = (30, 200, 90), (230, 120, 20), (40, 40, 40), (255, 255, 255)


def save_preview(
    path: Path, video: Path, clip: FaceClip, *, frame_rate: float | None = None, n_frames: int = 8
) -> None:
    """Write a PNG; the same clip gives the same bytes.

    Args:
        path: Of the PNG; it appears whole or not at all.
        video: What the clip was cut out of.
        clip: From :func:`avfake.faces.extract.extract_face` or ``crop_track``.
        frame_rate: As it was given there.
        n_frames: Frames to show, evenly spaced from the first to the last; fewer where the clip is shorter.

    Raises:
        ClipError: The video cannot be used any more.
        StorageError: The disk is full or the folder cannot be written.
    """
    last = len(clip.crops) - 1
    numbers = np.unique(np.linspace(0, last, n_frames).round().astype(int)).tolist()
    height = round(_WIDTH * clip.picture_size[1] / clip.picture_size[0])
    columns = []
    for number, picture in enumerate(Pictures(video, frame_rate=frame_rate)):
        if number in numbers:
            columns.append(_column(clip, number, picture, height))
        if number == last:
            break
    sheet = Image.new("RGB", (len(columns) * (_WIDTH + _GAP) + _GAP, columns[0].height), _PAPER)
    for place, column in enumerate(columns):
        sheet.paste(column, (_GAP + place * (_WIDTH + _GAP), 0))
    with whole_file(path) as temporary:
        sheet.save(temporary, format="PNG")


def _column(clip: FaceClip, number: int, picture: NDArray[np.uint8], height: int) -> Image.Image:
    """Time, picture with the face marked, and crop, one below the other."""
    column = Image.new("RGB", (_WIDTH, _TEXT + height + _GAP + _WIDTH + _GAP), _PAPER)
    draw = ImageDraw.Draw(column)
    score = clip.track.scores[number]
    found = f"{score:.2f}" if score else "interpolated"
    draw.text((0, 2), f"{clip.track.time_s[number]:.1f} s", _INK, ImageFont.load_default())
    draw.text((_WIDTH, 2), found, _INK, ImageFont.load_default(), anchor="ra")
    column.paste(_marked(clip, number, picture, height), (0, _TEXT))
    crop = Image.fromarray(clip.crops[number]).resize((_WIDTH, _WIDTH), Image.Resampling.BICUBIC)
    column.paste(crop, (0, _TEXT + height + _GAP))
    return column


def _marked(clip: FaceClip, number: int, picture: NDArray[np.uint8], height: int) -> Image.Image:
    """The picture, small, with box, landmarks and the outline of the crop."""
    marked = Image.fromarray(picture).resize((_WIDTH, height), Image.Resampling.BOX)
    draw = ImageDraw.Draw(marked)
    scale = _WIDTH / clip.picture_size[0]
    colour = _FACE if clip.track.scores[number] else _LOST
    to_picture = np.linalg.inv(np.vstack([clip.transforms[number], [0, 0, 1]]))[:2]
    corners = np.array([[0, CROP_SIZE, CROP_SIZE, 0], [0, 0, CROP_SIZE, CROP_SIZE], [1, 1, 1, 1]])
    draw.polygon((scale * (to_picture @ corners)).T.ravel().tolist(), outline=_PAPER)
    draw.rectangle((scale * clip.track.boxes[number]).tolist(), outline=colour, width=2)
    for x, y in (scale * clip.track.landmarks[number]).tolist():
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=colour)
    return marked
