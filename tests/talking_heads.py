"""Crops of drawn heads that talk, and the sound they make; no detector is needed to cut them out."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.audio.io import in_common_form
from avfake.demo.draws import draws_for
from avfake.demo.face import CENTER, SCALE, Performance, render
from avfake.demo.features import EYE_V, MOUTH_V
from avfake.demo.identity import Identity, draw_identity
from avfake.demo.motion import Motion, draw_motion
from avfake.demo.voice import SPEECH_RATE, VIDEO_FPS, speak
from avfake.faces.crop import crop_face
from avfake.faces.template import align
from avfake.video.sample import PICTURES_PER_S

NOSE_V = 0.38


class Head(NamedTuple):
    crops: NDArray[np.uint8]  # [pictures, 112, 112, 3]
    waveform: NDArray[np.float32]  # as fetch-audio stores it


@lru_cache(maxsize=64)
def talk(number: int, *, take: int = 0, duration_s: float = 3.2, silent_mouth: bool = False) -> Head:
    """One drawn person's clip; with a silent mouth only the head moves."""
    person = draw_identity(0, number)
    n_frames = round(duration_s * VIDEO_FPS)
    speech = speak(person.voice, draws_for(0, "speech", number, take), n_frames=n_frames)
    rng = draws_for(0, "take", number, take)
    shown = np.rint(np.arange(round(duration_s * PICTURES_PER_S)) * VIDEO_FPS / PICTURES_PER_S).astype(int)
    motion = draw_motion(rng, speech.opening)
    motion = Motion(**{name: curve[shown] for name, curve in vars(motion).items()})
    opening, width = speech.opening[shown], speech.width[shown]
    if silent_mouth:
        opening, width = np.zeros_like(opening), np.ones_like(width)
    frames = render(person, Performance(opening, width, motion, (0.3, -0.4)), rng)
    pictures = np.clip(np.rint(frames * 255), 0, 255).astype(np.uint8)
    transforms = align(_landmarks(person, motion))
    crops = np.stack([crop_face(*pair) for pair in zip(pictures, transforms, strict=True)])
    return Head(crops, in_common_form(speech.waveform, SPEECH_RATE))


def _landmarks(person: Identity, motion: Motion) -> NDArray[np.float32]:
    """Eyes, nose and corners of the mouth, [pictures, 5, 2]; that the head also turns is left out."""
    eye, mouth = person.eye_distance, person.mouth
    face = np.array([(-eye, EYE_V), (eye, EYE_V), (0, NOSE_V), (-mouth, MOUTH_V), (mouth, MOUTH_V)])
    cosine, sine = np.cos(motion.roll), np.sin(motion.roll)
    turn = np.moveaxis(np.array([[cosine, -sine], [sine, cosine]]), -1, 0)
    moved = np.einsum("pij,kj->pki", turn, face) * SCALE
    return (moved + CENTER + np.stack([motion.x, motion.y], axis=-1)[:, None]).astype(np.float32)
