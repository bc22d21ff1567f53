"""Whose sound a clip of FaceForensics++ gets: the one function that decides it."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from avfake.manifest.splits import Sequence, ffpp_methods, ffpp_sequences

ReenactmentAudio = Literal["target", "source"]


class Donor(NamedTuple):
    """Where a clip's sound comes from.

    Attributes:
        sequence: The original whose upload holds the sound.
        audio_from: ``target`` or ``source``; an original is its own target.
        clip_id: Of that original, in the clip's own quality, whether or not it is on disk.
    """

    sequence: Sequence
    audio_from: ReenactmentAudio
    clip_id: str


def find_donor(row: Mapping[str, Any], reenactment_audio: ReenactmentAudio) -> Donor | None:
    """Decide whose sound fits the lips of a clip.

    An identity swap keeps the mouth motion of its target. A reenactment takes that of its source, frame by
    frame, so either sound can be defended: the target's is what the upload of the scene has, the source's is
    what the lips say.

    Args:
        row: Of the index: ``target``, ``source``, ``video_method``, ``compression``.
        reenactment_audio: What reenactments get.

    Returns:
        None for the actors of Deep Fake Detection, who were never on YouTube.
    """
    method = row["video_method"] and ffpp_methods()[row["video_method"]]
    reenacted = method and method.manipulation == "reenactment"
    audio_from: ReenactmentAudio = "source" if reenacted and reenactment_audio == "source" else "target"
    sequence = ffpp_sequences().get(row[audio_from])
    if sequence is None:
        return None
    return Donor(sequence, audio_from, f"youtube-{row['compression']}-{sequence.sequence_id}")
