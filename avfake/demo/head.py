"""The head without eyes and mouth: lit skin, nose, brows, ears and hair, painted once per clip."""

import numpy as np
from scipy.ndimage import gaussian_filter

from avfake.demo.identity import Identity
from avfake.demo.paint import bump, inside, lay, mottle, ramp

REACH = (1.65, 1.85, 1.9)  # the layer spans this far to either side, up, and down, in face units
RESOLUTION = 84  # pixels per face unit; finer than any frame
_EDGE = 0.035  # softness of outlines


def paint_head(person: Identity, rng: np.random.Generator, *, light: tuple[float, float]) -> np.ndarray:
    """Paint the head.

    Args:
        person: Whose.
        rng: Decides freckles and strands of hair.
        light: Where it comes from: right and down, each in -1 to 1.

    Returns:
        Red, green, blue and opacity, float32 [height, width, 4]; pixel (row, column) lies at
        ``column / RESOLUTION - REACH[0]`` to the right and ``row / RESOLUTION - REACH[1]`` down.
    """
    u, v = _grid()
    strands = mottle(rng, u.shape, (3.5, 3.0) if person.hair == "curly" else (14, 0.9))
    picture = np.empty((*u.shape, 3), np.float32)
    picture[:] = np.array(person.hair_colour) * 0.55
    _paint_hair(picture, person, strands * 0.7, light, u)
    back = _hair_behind(person, u, v, strands)
    face = face_mask(person, u, v)
    ears = _ears(person, u, v)
    lay(picture, np.array(person.skin) * 0.80, ears)
    lay(
        picture,
        np.array(person.skin) * 0.62,
        ears * bump(np.abs(u), v, at=(_ear_u(person), 0.0), size=(0.05, 0.13)),
    )
    lay(picture, _skin(person, rng, light, u, v), face)
    _paint_brows(picture, person, u, v, strands)
    front = _hair_in_front(person, u, v, strands)
    lay(picture, picture * 0.72, gaussian_filter(front, 7) * (1 - front) * face)
    hair = np.empty_like(picture)
    _paint_hair(hair, person, strands, light, u)
    lay(picture, hair, front)
    opacity = np.maximum.reduce([back, face, ears, front])
    return np.concatenate([picture, opacity[..., None]], axis=-1).astype(np.float32)


def face_mask(person: Identity, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Where the skin of the face is, in [0, 1]; an ellipse that narrows towards the chin."""
    width = person.head_width * (1 - person.jaw * ramp(v, 0.15, 1.45))
    radius = np.sqrt((u / width) ** 2 + (v / person.head_height) ** 2)
    return inside(1 - radius, _EDGE)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    columns = np.arange(int(2 * REACH[0] * RESOLUTION), dtype=np.float32)
    rows = np.arange(int((REACH[1] + REACH[2]) * RESOLUTION), dtype=np.float32)
    u, v = np.meshgrid(columns / RESOLUTION - REACH[0], rows / RESOLUTION - REACH[1])
    return u, v


def _skin(
    person: Identity, rng: np.random.Generator, light: tuple[float, float], u: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """Skin lit from one side, [height, width, 3]."""
    skin: np.ndarray = np.array(person.skin, np.float32) * _shading(person, light, u, v)[..., None]
    side = np.abs(u)
    blush = bump(side, v, at=(0.52, 0.36), size=(0.2, 0.17)) + 0.6 * bump(
        side, v, at=(0, 0.33), size=(0.16, 0.1)
    )
    skin *= 1 + blush[..., None] * np.array([0.04, -0.05, -0.04], np.float32)
    sockets = bump(side, v, at=(person.eye_distance, -0.12), size=(0.2, 0.13))
    skin *= 1 - 0.16 * sockets[..., None]
    nostrils = bump(side, v, at=(person.nose * 0.5, 0.405), size=(0.05, 0.022))
    skin *= 1 - 0.62 * nostrils[..., None]
    wings = bump(side, v, at=(person.nose * 1.02, 0.33), size=(0.025, 0.07))
    skin *= 1 - 0.14 * wings[..., None]
    folds = np.exp(-(((side - 0.30 - 0.22 * (v - 0.4)) / 0.03) ** 2)) * bump(
        v, v, at=(0.52, 0.52), size=(0.14, 0.14)
    )
    skin *= 1 - 0.07 * folds[..., None]
    if person.beard:
        lay(skin, np.array(person.hair_colour) * 0.8, _beard(person, rng, u, v))
    texture = 0.018 * mottle(rng, u.shape, 1.2) + 0.015 * mottle(rng, u.shape, 6)
    skin *= 1 + person.freckles * texture[..., None]
    return skin


def _shading(person: Identity, light: tuple[float, float], u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Brightness of the lit relief, [height, width], about 1 where the light falls straight."""
    side = np.abs(u)
    dome = 1.0 - (u / (1.12 * person.head_width)) ** 2 - (v / (1.1 * person.head_height)) ** 2
    relief = 0.95 * np.sqrt(np.maximum(dome, 0.02))
    ridge = ramp(v, -0.3, 0.3) * (1 - ramp(v, 0.36, 0.46))
    relief += 0.17 * ridge * np.exp(-0.5 * (u / (0.5 * person.nose)) ** 2)
    relief += 0.08 * bump(u, v, at=(0, 0.32), size=(person.nose * 0.6, 0.09))
    relief += 0.05 * bump(side, v, at=(person.nose * 0.8, 0.35), size=(0.07, 0.06))
    relief += 0.05 * bump(side, v, at=(0.5, 0.28), size=(0.2, 0.17))
    relief -= 0.06 * bump(side, v, at=(person.eye_distance, -0.1), size=(0.2, 0.12))
    relief += 0.05 * bump(side, v, at=(0.32, -0.34), size=(0.3, 0.08))
    relief += 0.06 * bump(u, v, at=(0, 1.1), size=(0.2, 0.13))
    relief -= 0.03 * bump(u, v, at=(0, 0.92), size=(0.22, 0.05))
    slope_v, slope_u = np.gradient(gaussian_filter(relief, 2.0), 1 / RESOLUTION)
    length = np.sqrt(slope_u**2 + slope_v**2 + 1)
    toward = np.array([light[0], light[1], 1.2]) / np.linalg.norm([light[0], light[1], 1.2])
    lit = np.maximum((-slope_u * toward[0] - slope_v * toward[1] + toward[2]) / length, 0)
    shading: np.ndarray = 0.38 + 0.58 * lit + 0.10 * lit**24
    return shading


def _beard(person: Identity, rng: np.random.Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    around = ramp(v, 0.42, 0.62) * (1 - 0.85 * bump(u, v, at=(0, 0.72), size=(0.26, 0.1)))
    cheeks = ramp(np.abs(u) + 0.55 * v, 0.55, 0.95)
    lip = bump(u, v, at=(0, 0.53), size=(0.2, 0.05))
    stubble = np.clip(0.8 + 0.25 * mottle(rng, u.shape, 0.8), 0, 1)
    beard: np.ndarray = person.beard * stubble * np.clip(around * cheeks + 0.7 * lip, 0, 1)
    return beard


def _paint_brows(
    picture: np.ndarray, person: Identity, u: np.ndarray, v: np.ndarray, strands: np.ndarray
) -> None:
    along = (np.abs(u) - person.eye_distance) / 0.27
    arch = -0.335 + 0.06 * (along + 0.1) ** 2
    thickness = person.brow * np.clip(1.15 - 0.4 * (along + 0.4), 0.3, 1.3)
    brows = inside(thickness - np.abs(v - arch), 0.03) * inside(1 - np.abs(along), 0.25)
    lay(picture, np.array(person.hair_colour) * 0.75, brows * np.clip(0.78 + 0.12 * strands, 0, 1))


def _paint_hair(
    picture: np.ndarray, person: Identity, strands: np.ndarray, light: tuple[float, float], u: np.ndarray
) -> None:
    """Fill with hair: strands, and a sheen on the side of the light."""
    shine = 0.85 + 0.13 * strands + 0.25 * np.exp(-0.5 * ((u - 0.5 * light[0]) / 0.35) ** 2)
    picture[:] = np.array(person.hair_colour, np.float32) * np.maximum(shine, 0.25)[..., None]


def _shell(person: Identity, u: np.ndarray, v: np.ndarray, thickness: float, edge: np.ndarray) -> np.ndarray:
    """The mass of hair around the skull, positive inside."""
    radius = np.sqrt(
        (u / (person.head_width + thickness)) ** 2 + ((v + 0.12) / (person.head_height + thickness)) ** 2
    )
    shell: np.ndarray = 1 - radius + edge
    return shell


def _edge(person: Identity, strands: np.ndarray) -> np.ndarray:
    if person.hair == "curly":
        return 0.022 * strands
    return 0.006 * strands


def _hair_behind(person: Identity, u: np.ndarray, v: np.ndarray, strands: np.ndarray) -> np.ndarray:
    """Hair behind the face, in [0, 1]: falls to the shoulders where it is long."""
    thickness = {"short": 0.10, "long": 0.22, "bob": 0.24, "curly": 0.28, "receding": 0.05}[person.hair]
    ends = {"short": 0.1, "long": 1.75, "bob": 1.0, "curly": 0.45, "receding": 0.1}[person.hair]
    shell = inside(_shell(person, u, v, thickness, _edge(person, strands)), _EDGE)
    if person.hair in ("long", "bob"):
        side = person.head_width + thickness - 0.06 * ramp(v, 0.6, 1.7)
        shell = np.maximum(shell * (v < 0), inside(side - np.abs(u) + 0.01 * strands, _EDGE) * (v >= -0.12))
    beside_neck = 1 - inside(0.62 - np.abs(u), 0.1) * ramp(v, 0.6, 0.9)
    hair: np.ndarray = shell * beside_neck * inside(ends + 0.02 * strands - v, 0.12)
    return hair


def _hair_in_front(person: Identity, u: np.ndarray, v: np.ndarray, strands: np.ndarray) -> np.ndarray:
    """Hair over the forehead and temples, in [0, 1]."""
    line = {"short": -0.80, "long": -0.86, "bob": -0.62, "curly": -0.74, "receding": -1.08}[person.hair]
    falls = {"short": 0.55, "long": 0.75, "bob": 0.30, "curly": 0.5, "receding": 0.75}[person.hair]
    parting = 0.12 * np.sin(3 * u + 0.6) if person.hair in ("short", "long") else 0.0
    hairline = line + falls * (np.abs(u) / person.head_width) ** 3 + parting + 0.02 * strands
    thickness = {"short": 0.10, "long": 0.22, "bob": 0.24, "curly": 0.28, "receding": 0.05}[person.hair]
    shell = inside(_shell(person, u, v, thickness, _edge(person, strands)), _EDGE)
    front: np.ndarray = shell * inside(hairline - v, 0.09)
    if person.hair in ("long", "bob"):
        locks = inside(np.abs(u) - 0.86 * person.head_width + 0.02 * strands, 0.08)
        front = np.maximum(front, locks * _hair_behind(person, u, v, strands) * (v > -0.8))
    return front


def _ear_u(person: Identity) -> float:
    return person.head_width * 1.01


def _ears(person: Identity, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    radius = np.sqrt(((np.abs(u) - _ear_u(person)) / 0.14) ** 2 + ((v - 0.02) / 0.27) ** 2)
    return inside(1 - radius, 0.2)
