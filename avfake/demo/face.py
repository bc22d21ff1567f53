"""Frames of a talking face: the painted head, moved and stretched, with eyes and mouth drawn on it."""

from dataclasses import dataclass

import numpy as np

from avfake.demo.features import CHIN_DROP, EYE_V, MOUTH_V, paint_eyes, paint_mouth
from avfake.demo.head import REACH, RESOLUTION, paint_head
from avfake.demo.identity import Identity
from avfake.demo.motion import Motion, face_coordinates
from avfake.demo.paint import inside, lay, mottle, ramp

SIZE = 256  # pixels, both ways
CENTER = (128.0, 124.0)  # column and row of the middle of a face at rest
SCALE = 60.0  # pixels in half a face's width
_MARGIN = 15  # pixels a face may move


Rectangle = tuple[tuple[float, float], tuple[float, float]]  # (right, down) of two corners, in face units


@dataclass(frozen=True)
class Performance:
    """What a face does in one clip.

    Attributes:
        opening: Of the mouth, [frames], 0 closed to 1.
        width: Of the mouth, [frames], 1 at rest.
        motion: Of head and eyes.
        light: Where the light comes from: right and down, each in -1 to 1.
    """

    opening: np.ndarray
    width: np.ndarray
    motion: Motion
    light: tuple[float, float]


def render(person: Identity, performance: Performance, rng: np.random.Generator) -> np.ndarray:
    """Draw a clip as it is before the camera.

    Args:
        person: Who talks.
        performance: What he or she does.
        rng: Decides the texture of skin, hair and wall.

    Returns:
        float32 [frames, ``SIZE``, ``SIZE``, 3] in [0, 1].
    """
    backdrop = _backdrop(person, rng)
    frames = np.repeat(backdrop[None], len(performance.opening), axis=0)
    paste_head(frames, paint_head(person, rng, light=performance.light), performance)
    draw_eyes(frames, person, performance)
    draw_mouth(frames, person, performance)
    return frames


def paste_head(
    frames: np.ndarray, head: np.ndarray, performance: Performance, *, within: Rectangle | None = None
) -> None:
    """Put a painted head over the frames, moved and with the jaw lowered; in place.

    Args:
        frames: [frames, ``SIZE``, ``SIZE``, 3].
        head: From :func:`avfake.demo.head.paint_head`.
        performance: Says how the head moves.
        within: Part of the face to draw; all of it by default.
    """
    if within is None:
        (top, left), (bottom, right) = _extent(head[..., 3] > 0) / RESOLUTION
        within = (left - REACH[0], top - REACH[1]), (right - REACH[0], bottom - REACH[1] + CHIN_DROP)
    picture, u, v = face_patch(frames, performance.motion, within)
    jaw = ramp(v, 0.45, 1.1) * (1 - ramp(np.abs(u), 0.7, 1.15))
    v -= (CHIN_DROP * performance.opening)[:, None, None] * jaw
    u, v = (u + REACH[0]) * RESOLUTION, (v + REACH[1]) * RESOLUTION
    for frame, columns, rows in zip(picture, u, v, strict=True):
        layer = bilinear(head, columns, rows)
        lay(frame, layer[..., :3], layer[..., 3])


def draw_eyes(frames: np.ndarray, person: Identity, performance: Performance) -> None:
    """Draw the eyes of each frame, in place."""
    motion = performance.motion
    picture, u, v = face_patch(frames, motion, ((-0.7, EYE_V - 0.2), (0.7, EYE_V + 0.15)))
    paint_eyes(picture, person, u, v, motion.lids, motion.gaze)


def draw_mouth(frames: np.ndarray, person: Identity, performance: Performance) -> None:
    """Draw the mouth of each frame, in place."""
    picture, u, v = face_patch(frames, performance.motion, ((-0.55, MOUTH_V - 0.2), (0.55, MOUTH_V + 0.5)))
    paint_mouth(picture, person, u, v, performance.opening, performance.width)


def shoot(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a camera makes of a scene: a little noise, eight bits.

    Args:
        frames: float32 [frames, height, width, 3], black 0, white 1; changed.
        rng: Decides the noise.
    """
    frames += 0.012 * rng.standard_normal(frames.shape[:3], np.float32)[..., None]
    frames *= 255
    frames += 0.5
    return np.clip(frames, 0, 255, out=frames).astype(np.uint8)


def face_patch(
    frames: np.ndarray, motion: Motion, within: Rectangle
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """View of the frames that holds a rectangle of the face however it moves, and its face coordinates."""
    first, last = within
    columns, rows = (
        slice(
            max(0, int(CENTER[axis] + first[axis] * SCALE - _MARGIN)),
            min(SIZE, int(CENTER[axis] + last[axis] * SCALE + _MARGIN)),
        )
        for axis in (0, 1)
    )
    grid = np.arange(SIZE, dtype=np.float32)
    u, v = face_coordinates(motion, grid[columns], grid[rows], center=CENTER, scale=SCALE)
    return frames[:, rows, columns], u, v


def bilinear(layer: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of a layer [height, width, channels] between its pixels; its border continues outside."""
    height, width = layer.shape[:2]
    columns, rows = np.clip(columns, 0, width - 1.001), np.clip(rows, 0, height - 1.001)
    column, row = columns.astype(np.int32), rows.astype(np.int32)
    right, down = (columns - column)[..., None], (rows - row)[..., None]
    pixels: np.ndarray = layer.reshape(-1, layer.shape[-1])
    first = row * width + column
    above: np.ndarray = pixels.take(first, axis=0)
    above += (pixels.take(first + 1, axis=0) - above) * right
    below = pixels.take(first + width, axis=0)
    below += (pixels.take(first + width + 1, axis=0) - below) * right
    above += (below - above) * down
    return above


def _extent(mask: np.ndarray) -> np.ndarray:
    """First and last row and column of a mask, [[row, column], [row, column]]."""
    where = np.argwhere(mask)
    return np.stack([where.min(axis=0), where.max(axis=0)])


def _backdrop(person: Identity, rng: np.random.Generator) -> np.ndarray:
    """Wall, neck and shoulders, which do not move, [``SIZE``, ``SIZE``, 3]."""
    columns, rows = np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32)
    u, v = np.meshgrid((columns - CENTER[0]) / SCALE, (rows - CENTER[1]) / SCALE)
    wall = 1.0 + 0.05 * mottle(rng, u.shape, 28) + 0.12 * (-v / 2) + 0.01 * mottle(rng, u.shape, 2)
    picture: np.ndarray = np.array(person.backdrop, np.float32) * wall[..., None]
    slope = 1.42 + 0.33 * np.abs(u) ** 1.8
    cloth = 0.9 - 0.15 * np.abs(u) + 0.04 * mottle(rng, u.shape, (9, 3))
    lay(picture, np.array(person.shirt, np.float32) * cloth[..., None], inside(v - slope, 0.04))
    flare = 0.52 + 0.25 * ramp(v, 1.25, 1.75)
    neck = (
        inside(flare - np.abs(u), 0.04)
        * inside(1.62 + 0.22 * (1 - (u / 0.7) ** 2) - v, 0.04)
        * inside(v - 0.6, 0.1)
    )
    shade = 0.60 + 0.14 * ramp(v, 1.1, 1.7) - 0.12 * u**2
    lay(picture, np.array(person.skin, np.float32) * shade[..., None], neck)
    return picture
