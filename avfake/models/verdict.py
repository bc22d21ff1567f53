"""What is said of a clip in the end."""

import math
from enum import StrEnum

from avfake.models.frameworks.base import Probabilities


class Verdict(StrEnum):
    """Real, or what of the clip is fake."""

    REAL = "real"
    FAKE_VIDEO = "fake video"
    FAKE_AUDIO = "fake audio"
    FAKE_BOTH = "fake video and audio"
    UNATTRIBUTED = "fake (unattributed)"


def verdicts(probabilities: Probabilities, threshold: float = 0.5) -> list[Verdict]:
    """The verdict on each clip: the whole decides whether it is fake, the two heads which of it is.

    A clip that is fake as a whole while neither head says so is ``UNATTRIBUTED``: pictures and sound may
    each look real and not belong together.

    Args:
        probabilities: Of a batch, each [batch].
        threshold: From which on something is fake.

    Raises:
        ValueError: A probability is NaN.
    """
    video, audio, whole = (x.tolist() for x in probabilities)
    return [_verdict(*clip, threshold) for clip in zip(video, audio, whole, strict=True)]


def _verdict(video: float, audio: float, whole: float, threshold: float) -> Verdict:
    if math.isnan(video + audio + whole):
        raise ValueError(f"probabilities of a clip are {video}, {audio} and {whole}; wanted numbers")
    if whole < threshold:
        return Verdict.REAL
    if video >= threshold:
        return Verdict.FAKE_BOTH if audio >= threshold else Verdict.FAKE_VIDEO
    return Verdict.FAKE_AUDIO if audio >= threshold else Verdict.UNATTRIBUTED
