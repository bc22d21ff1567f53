"""Who appears in the demo: faces and voices drawn from a number."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from avfake.demo.draws import draws_for
from avfake.demo.voice import Voice

Colour = tuple[float, float, float]  # red, green, blue in [0, 1]
Hair = Literal["short", "long", "bob", "curly", "receding"]

_LOOKS: tuple[tuple[Colour, Colour], ...] = (  # skin and hair; partners in a fake are not too far apart
    ((0.95, 0.78, 0.68), (0.36, 0.22, 0.13)),
    ((0.87, 0.67, 0.53), (0.50, 0.25, 0.13)),
    ((0.55, 0.37, 0.27), (0.10, 0.08, 0.07)),
    ((0.42, 0.28, 0.21), (0.07, 0.06, 0.06)),
    ((0.91, 0.73, 0.60), (0.72, 0.55, 0.32)),
    ((0.82, 0.61, 0.46), (0.10, 0.09, 0.10)),
    ((0.93, 0.76, 0.67), (0.58, 0.57, 0.56)),
    ((0.89, 0.71, 0.57), (0.45, 0.23, 0.12)),
    ((0.60, 0.41, 0.30), (0.16, 0.10, 0.08)),
    ((0.48, 0.32, 0.24), (0.45, 0.44, 0.44)),
    ((0.73, 0.53, 0.40), (0.14, 0.10, 0.08)),
    ((0.66, 0.46, 0.35), (0.22, 0.13, 0.09)),
)
_EYE_COLOURS: tuple[Colour, ...] = (
    (0.30, 0.19, 0.11),
    (0.33, 0.50, 0.66),
    (0.36, 0.47, 0.30),
    (0.20, 0.13, 0.09),
    (0.45, 0.33, 0.17),
)
_HAIRS: tuple[Hair, ...] = ("short", "long", "curly", "bob", "receding")


@dataclass(frozen=True)
class Identity:
    """One invented person; lengths in units of half a face's width.

    Attributes:
        name: ``id00``, ``id01``, ...
        skin: Colour of the skin in full light.
        hair: Its style.
        hair_colour: Its colour.
        eye_colour: Of the iris.
        shirt: Colour of the clothes.
        backdrop: Colour of the wall.
        head_width: Half the width of the head.
        head_height: Half the height of the head.
        jaw: How much the face narrows towards the chin, 0 to 1.
        eye_distance: Of an eye from the middle of the face.
        eye_size: Half the width of an eye.
        brow: Thickness of the brows.
        nose: Half the width of the nose.
        lips: Thickness of the lips.
        mouth: Half the width of the mouth at rest.
        beard: Strength of the beard, 0 for none.
        freckles: Strength of the mottling of the skin.
        voice: How he or she sounds.
    """

    name: str
    skin: Colour
    hair: Hair
    hair_colour: Colour
    eye_colour: Colour
    shirt: Colour
    backdrop: Colour
    head_width: float
    head_height: float
    jaw: float
    eye_distance: float
    eye_size: float
    brow: float
    nose: float
    lips: float
    mouth: float
    beard: float
    freckles: float
    voice: Voice


def draw_identity(seed: int, number: int) -> Identity:
    """Invent person ``number``; neighbours differ in skin, hair and voice by design, the rest is drawn."""
    rng = draws_for(seed, "identity", number)
    low_voiced = number % 4 in (0, 3)
    pitch_hz = rng.uniform(92, 135) if low_voiced else rng.uniform(170, 235)
    scale = rng.uniform(0.92, 1.02) if low_voiced else rng.uniform(1.08, 1.2)
    hair = _HAIRS[number % len(_HAIRS)]
    skin, hair_colour = _LOOKS[number % len(_LOOKS)]
    return Identity(
        name=f"id{number:02d}",
        skin=_near(skin, 0.03, rng),
        hair=hair,
        hair_colour=_near(hair_colour, 0.02, rng),
        eye_colour=_near(_EYE_COLOURS[(number * 2 + 1) % len(_EYE_COLOURS)], 0.03, rng),
        shirt=_near((0.36, 0.40, 0.46), 0.22, rng),
        backdrop=_near((0.58, 0.60, 0.61), 0.1, rng),
        head_width=rng.uniform(0.94, 1.06),
        head_height=rng.uniform(1.26, 1.40),
        jaw=rng.uniform(0.1, 0.3),
        eye_distance=rng.uniform(0.40, 0.45),
        eye_size=rng.uniform(0.185, 0.215),
        brow=rng.uniform(0.045, 0.075) if low_voiced else rng.uniform(0.03, 0.045),
        nose=rng.uniform(0.16, 0.23),
        lips=rng.uniform(0.075, 0.115),
        mouth=rng.uniform(0.33, 0.39),
        beard=rng.uniform(0.15, 0.5) if low_voiced and hair != "long" else 0.0,
        freckles=rng.uniform(0.3, 1.0),
        voice=Voice(
            pitch_hz=pitch_hz,
            formant_scale=scale,
            rate=rng.uniform(0.9, 1.2),
            breath=rng.uniform(0.05, 0.2),
            melody=rng.uniform(0.03, 0.07),
        ),
    )


def _near(colour: Colour, spread: float, rng: np.random.Generator) -> Colour:
    red, green, blue = np.clip(np.array(colour) + rng.uniform(-spread, spread, 3), 0.03, 0.97).tolist()
    return red, green, blue
