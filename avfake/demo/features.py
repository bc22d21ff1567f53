"""What moves in a face: eyes that blink and glance, a mouth with lips, teeth and tongue."""

import numpy as np

from avfake.demo.identity import Identity
from avfake.demo.paint import bump, inside, lay, ramp

MOUTH_V = 0.70  # where the lips meet, face units below the middle of the face
EYE_V = -0.10
CHIN_DROP = 0.17  # how far the chin sinks when the mouth is wide open
_GAP = 0.30  # how far the lips part then
_SOFT = 0.022


def paint_eyes(
    picture: np.ndarray, person: Identity, u: np.ndarray, v: np.ndarray, lids: np.ndarray, gaze: np.ndarray
) -> None:
    """Paint both eyes, in place.

    Args:
        picture: Frames, [frames, height, width, 3].
        person: Whose.
        u: Right in face units, [frames, height, width].
        v: Down in face units, likewise.
        lids: How open, [frames].
        gaze: Of the irises to the right, [frames].
    """
    width, height = person.eye_size, 0.105 * person.eye_size / 0.2
    side = np.sign(u)
    x = np.abs(u) - person.eye_distance
    y = v - EYE_V
    open_ = lids[:, None, None]
    arch = np.maximum(1 - (x / width) ** 2, 0)
    upper, lower = -height * arch * (1.75 * open_ - 0.75), height * 0.75 * arch
    within = inside(np.minimum(y - upper, lower - y), _SOFT) * inside(width - np.abs(x), _SOFT)
    crease = np.exp(-(((y + height * (0.55 + 0.75 * arch)) / 0.014) ** 2)) * inside(width - np.abs(x), 0.05)
    lay(picture, picture * 0.72, 0.7 * crease)
    iris_x = x - gaze[:, None, None] * side
    radius = np.hypot(iris_x, y)
    ball = np.ones((*u.shape, 3), np.float32) * np.array([0.93, 0.92, 0.90], np.float32)
    ball *= (1 - 0.25 * ramp(-y, -0.02, height))[..., None]  # shadow of the upper lid
    lay(ball, (0.80, 0.60, 0.56), 0.5 * bump(x, y, at=(-width, 0.01), size=(0.03, 0.03)))
    iris = np.array(person.eye_colour, np.float32) * (0.75 + 4.0 * np.clip(radius, 0, 0.1))[..., None]
    lay(ball, iris, inside(0.088 - radius, _SOFT))
    lay(ball, np.array(person.eye_colour) * 0.35, np.exp(-(((radius - 0.085) / 0.012) ** 2)))
    lay(ball, (0.02, 0.02, 0.02), inside(0.040 - radius, _SOFT))
    lay(ball, (1.0, 1.0, 1.0), inside(0.017 - np.hypot(iris_x * side - 0.03, y + 0.03), _SOFT))
    lay(picture, ball, within)
    lashes = np.exp(-(((y - upper) / 0.017) ** 2)) * inside(width * 1.05 - np.abs(x), 0.03)
    lay(picture, np.array(person.hair_colour) * 0.3, 0.85 * lashes)
    rim = np.exp(-(((y - lower) / 0.012) ** 2)) * inside(width - np.abs(x), 0.04)
    lay(picture, np.array(person.skin) * 0.55, 0.5 * rim)


def paint_mouth(
    picture: np.ndarray,
    person: Identity,
    u: np.ndarray,
    v: np.ndarray,
    opening: np.ndarray,
    width: np.ndarray,
) -> None:
    """Paint the mouth, in place.

    Args:
        picture: Frames, [frames, height, width, 3].
        person: Whose.
        u: Right in face units, [frames, height, width].
        v: Down in face units, likewise.
        opening: 0 closed to 1 wide open, [frames].
        width: 1 at rest, [frames].
    """
    half = (person.mouth * width * (1 - 0.10 * opening))[:, None, None]
    x = u / half
    y = v - MOUTH_V + 0.03 * np.minimum(x**2, 2.0)  # corners a little higher, or everybody looks sad
    arch = np.maximum(1 - x**2, 0)
    gap = (_GAP * opening)[:, None, None]
    top = -0.16 * gap * arch  # the upper lip rises a little, the jaw does the rest
    bottom = 0.84 * gap * arch**0.8
    bow = 1 - 0.30 * np.exp(-((x / 0.16) ** 2)) + 0.12 * np.exp(-(((np.abs(x) - 0.3) / 0.2) ** 2))
    lip_top = top - 0.80 * person.lips * bow * arch**0.75
    lip_bottom = bottom + 1.15 * person.lips * arch**0.65
    sides = inside(1 - np.abs(x), 0.08)
    inner = inside(np.minimum(y - top, bottom - y), _SOFT) * ramp(gap, 0.004, 0.03) * sides
    lips = inside(np.minimum(y - lip_top, lip_bottom - y), _SOFT) * sides
    shadow = bump(x, y - lip_bottom, at=(0, 0.035), size=(0.5, 0.03))
    lay(picture, picture * 0.80, 0.8 * shadow * (1 - lips))
    lay(picture, _lip_colour(person, y, top, bottom), lips)
    lay(picture, _cavity(x, y, top, bottom, gap), inner)
    line = np.exp(-(((y - 0.5 * (top + bottom)) / 0.014) ** 2)) * inside(1.04 - np.abs(x), 0.08)
    lay(picture, np.array(person.skin) * 0.28, 0.85 * line * (1 - ramp(gap, 0.01, 0.05)))


def _lip_colour(person: Identity, y: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Lips: a redder skin, the upper one in shade, a highlight on the lower one."""
    base = np.array(person.skin, np.float32) * np.array([0.86, 0.60, 0.62], np.float32)
    upper = 1 - 0.22 * inside(0.5 * (top + bottom) - y, _SOFT)
    shine = np.exp(-(((y - bottom - 0.5 * person.lips) / 0.03) ** 2))
    colour: np.ndarray = base * (upper + 0.16 * shine)[..., None]
    return colour


def _cavity(x: np.ndarray, y: np.ndarray, top: np.ndarray, bottom: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Inside of the mouth: dark, a tongue, both rows of teeth, [frames, height, width, 3]."""
    cavity = np.empty((*x.shape, 3), np.float32)
    cavity[:] = (0.20, 0.07, 0.07)
    lay(cavity, (0.62, 0.28, 0.28), 0.9 * inside(y - bottom + 0.32 * gap + 0.10 * gap * x**2, 0.05))
    seams = 1 - 0.10 * np.exp(-(((x * 6.5 + 0.5) % 1 - 0.5) ** 2) / 0.01)
    enamel = np.array([0.90, 0.88, 0.82], np.float32) * (seams * (1 - 0.35 * x**2))[..., None]
    lay(cavity, enamel, inside(top + 0.068 - y, _SOFT) * inside(0.86 - np.abs(x), 0.1))
    lay(
        cavity,
        enamel * 0.78,
        inside(y - bottom + 0.035, _SOFT) * ramp(gap, 0.12, 0.2) * inside(0.7 - np.abs(x), 0.1),
    )
    return cavity
