"""How a head moves while it talks: slow sway, nods with the voice, blinks and glances."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from avfake.demo.draws import wander
from avfake.demo.paint import bump


@dataclass(frozen=True)
class Motion:
    """One value per video frame, each [frames].

    Attributes:
        x: Of the head, pixels to the right.
        y: Of the head, pixels down.
        roll: Radians clockwise.
        yaw: Turn to the right, as a shift of the middle of the face in face units.
        pitch: Turn downward, likewise.
        lids: How open the eyes are, 0 to 1.
        gaze: Of the irises to the right, in face units.
    """

    x: np.ndarray
    y: np.ndarray
    roll: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    lids: np.ndarray
    gaze: np.ndarray


def draw_motion(rng: np.random.Generator, opening: np.ndarray) -> Motion:
    """Invent the movements of one clip.

    Args:
        rng: Decides them.
        opening: Of the mouth, [frames]; the head nods a little with it.
    """
    n = len(opening)
    nod = gaussian_filter1d(opening, 3.0) - opening.mean()
    curves = {
        "x": rng.uniform(-5, 5) + 2.2 * wander(rng, n, smoothness=12),
        "y": rng.uniform(-4, 4) + 1.4 * wander(rng, n, smoothness=12) + 3.0 * nod,
        "roll": rng.uniform(-0.03, 0.03) + 0.02 * wander(rng, n, smoothness=14),
        "yaw": rng.uniform(-0.03, 0.03) + 0.035 * wander(rng, n, smoothness=11),
        "pitch": 0.015 * wander(rng, n, smoothness=11) + 0.03 * nod,
        "lids": _blinks(rng, n),
        "gaze": 0.02 * np.sign(wander(rng, n, smoothness=9)),
    }
    return Motion(**{name: curve.astype(np.float32) for name, curve in curves.items()})


def face_coordinates(
    motion: Motion, x: np.ndarray, y: np.ndarray, *, center: tuple[float, float], scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where pixels lie on the face.

    Args:
        motion: Of the head.
        x: Columns of the pixels, [width].
        y: Rows of the pixels, [height].
        center: Column and row of the middle of the face when it does not move.
        scale: Pixels in half a face's width.

    Returns:
        Right and down in face units, both float32 [frames, height, width].
    """
    right = (x[None, None, :] - center[0] - motion.x[:, None, None]) / scale
    down = (y[None, :, None] - center[1] - motion.y[:, None, None]) / scale
    cosine, sine = np.cos(motion.roll)[:, None, None], np.sin(motion.roll)[:, None, None]
    u, v = right * cosine + down * sine, down * cosine - right * sine
    near = bump(u, v, at=(0, 0.1), size=(0.6, 0.75))  # the middle of a turning face moves most
    return u - motion.yaw[:, None, None] * near, v - motion.pitch[:, None, None] * near


def _blinks(rng: np.random.Generator, n_frames: int) -> np.ndarray:
    """Openness of the lids, [frames]: a blink of about a fifth of a second every two seconds or so."""
    lids = np.ones(n_frames)
    start = int(rng.integers(8, 45))
    while start < n_frames:
        lids *= 1 - np.exp(-0.5 * ((np.arange(n_frames) - start) / 1.3) ** 2)
        start += int(rng.integers(38, 75))
    return lids
