"""Which of several faces speaks: the one whose mouth follows the sound, if one clearly does."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from avfake.faces.extract import FaceClip
from avfake.faces.mouth import mouth_shapes
from avfake.faces.sync import (
    SOUNDS_PER_PICTURE,
    Signal,
    agreement,
    learn,
    level_mouth,
    level_sound,
    no_evidence,
)

# By how much a mouth must follow the sound better than the next, in units of what chance gives. Of pairs of
# real people who both talk, one of them to the sound, 6 in 10 are as clear, and 6 in 7 of these are right.
CLEAR_MARGIN = 1.0
_LONGEST_LAG = 2  # steps of 50 ms; sound that is farther off is hardly ever


def follow_sound(bands: NDArray[np.floating]) -> Callable[[Sequence[FaceClip]], int | None]:
    """Make a function that tells which face speaks.

    Args:
        bands: The sound as ``avfake.audio.activity.speech_bands`` hears it, from the clip's first frame on.

    Returns:
        A function from the faces of the clip to the index of the one that speaks, or to None where no mouth
        follows the sound clearly better than the others.
    """
    sound = level_sound(bands).values

    def choose(faces: Sequence[FaceClip]) -> int | None:
        evidence = np.array([_follows(face, sound) for face in faces])
        if len(evidence) == 1:
            return 0
        second, first = np.argsort(evidence, kind="stable")[-2:]
        return int(first) if evidence[first] - evidence[second] >= CLEAR_MARGIN else None

    return choose


def _follows(face: FaceClip, sound: Signal) -> float:
    """How much better than by chance a mouth follows the sound, in standard deviations.

    A mouth that hardly moves has a correlation, too, of noise; it counts less the less it moves.
    """
    mouth = level_mouth(mouth_shapes(face.crops))
    n_pictures = min(len(mouth.values), len(sound) // SOUNDS_PER_PICTURE)
    if not n_pictures:
        return 0.0
    found = agreement(learn(no_evidence()), mouth.values, sound[None], longest_lag=_LONGEST_LAG)
    return float(found.max() * mouth.values.std() * np.sqrt(n_pictures))
