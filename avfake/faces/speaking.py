"""Which of several faces speaks: the one whose mouth goes with the sound, if one clearly does."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from avfake.faces.extract import FaceClip
from avfake.faces.mouth import mouth_shapes
from avfake.faces.sync import (
    SOUNDS_PER_PICTURE,
    Signal,
    closeness,
    learn,
    level_mouth,
    level_sound,
    no_evidence,
)
from avfake.video.sample import PICTURES_PER_S

# By how much a mouth must be closer to the sound than the next. Of pairs of real people who both talk, one of
# them to the sound, 7 in 10 are as clear, and 19 in 20 of these are right.
CLEAR_MARGIN = 0.25
_LONGEST_LAG = 2  # steps of 50 ms; in one file sound is hardly ever farther off
_N_SHIFTED = 16
_LONGEST = 60 * PICTURES_PER_S  # pictures that are looked at, the clip's first
_LEAST_SHIFT = PICTURES_PER_S * SOUNDS_PER_PICTURE // 2  # half a second, by which speech forgets itself


def follow_sound(bands: NDArray[np.floating]) -> Callable[[Sequence[FaceClip]], int | None]:
    """Make a function that tells which face speaks.

    Args:
        bands: The sound as ``avfake.audio.activity.speech_bands`` hears it, from the clip's first frame on.

    Returns:
        A function from the faces of the clip to the index of the one that speaks, or to None where no mouth
        goes with the sound clearly better than the others.
    """
    sound = level_sound(bands[: _LONGEST * SOUNDS_PER_PICTURE]).values

    def choose(faces: Sequence[FaceClip]) -> int | None:
        mouths = [level_mouth(mouth_shapes(face.crops[:_LONGEST])).values for face in faces]
        found = np.array([_excess(mouth, sound) for mouth in mouths])
        if len(found) == 1:
            return 0
        second, first = np.argsort(found, kind="stable")[-2:]
        return int(first) if found[first] - found[second] >= CLEAR_MARGIN else None

    return choose


def _excess(mouth: Signal, sound: Signal) -> float:
    """How much closer a mouth is to the sound than to the same sound turned by half a second or more."""
    n_moments = min(len(sound), len(mouth) * SOUNDS_PER_PICTURE)
    if n_moments <= 2 * _LEAST_SHIFT:
        return 0.0
    shifts = np.linspace(_LEAST_SHIFT, n_moments - _LEAST_SHIFT, _N_SHIFTED).astype(int)
    sounds = np.stack([np.roll(sound[:n_moments], shift, axis=0) for shift in (0, *shifts)])
    found = closeness(learn(no_evidence()), mouth, sounds, longest_lag=_LONGEST_LAG).max(axis=1)
    return float(found[0] - found[1:].mean())
