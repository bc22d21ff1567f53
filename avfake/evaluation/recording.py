"""What of a video file a detector can judge: the crops of its speaking face, and its sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avfake.audio.activity import speech_bands
from avfake.audio.decode import decode_sound
from avfake.audio.io import SAMPLE_RATE, SHORTEST_S, Waveform, as_stored, in_common_form
from avfake.dataset.window import SAMPLES_PER_FRAME, Pictures, count_frames, fill_pictures, fill_sound
from avfake.errors import ClipError, ErrorKind
from avfake.evaluation.inference import Windows
from avfake.faces.detect import FaceDetector
from avfake.faces.extract import FaceClip, extract_face
from avfake.faces.speaking import follow_sound
from avfake.manifest.schema import FACES_PER_S
from avfake.models.config import DetectorConfig

_NO_FACE = (ErrorKind.NO_VIDEO, ErrorKind.NO_FACE)
_SEVERAL = {
    "sound": "It shows {} faces; the one whose mouth follows the sound is judged.",
    "size": "It shows {} faces; the most prominent one is judged.",
}


@dataclass(frozen=True, eq=False)
class Recording:
    """What a video shows and sounds like, as data sets have it.

    Attributes:
        crops: Of the face, uint8 [frames, 112, 112, 3]; None where there is no face to judge.
        waveform: [time], sample 0 at the moment of crop 0; None where there is no sound to judge.
        notes: What is left out, and why.
        lost: Where the face is not, and crops are black: first picture, and the one behind.
    """

    crops: Pictures | None
    waveform: Waveform | None
    notes: tuple[str, ...] = ()
    lost: tuple[tuple[int, int], ...] = ()

    @property
    def n_frames(self) -> int:
        """Pictures that it lasts."""
        if self.waveform is not None:
            return count_frames(len(self.waveform))
        return 0 if self.crops is None else len(self.crops)

    @property
    def duration_s(self) -> float:
        """Seconds that it lasts."""
        if self.waveform is not None:
            return len(self.waveform) / SAMPLE_RATE
        return self.n_frames / FACES_PER_S

    def show_face(self, starts: NDArray[np.int64], n_frames: int) -> NDArray[np.bool_]:
        """Which windows show the face throughout, [windows].

        Args:
            starts: First picture of each, [windows].
            n_frames: Their length.
        """
        if self.crops is None:
            return np.zeros(len(starts), bool)
        apart = [(starts + n_frames <= first) | (starts >= behind) for first, behind in self.lost]
        return np.asarray(np.all([np.ones(len(starts), bool), *apart], axis=0))

    def windows(self, starts: NDArray[np.int64], config: DetectorConfig, *, faces: bool = True) -> Windows:
        """Windows as a detector wants them, black and silent behind the end.

        Args:
            starts: First picture of each, [windows].
            config: Of the detector.
            faces: Whether pictures are shown, too.
        """
        n_frames, places = config.n_frames, starts.tolist()
        video = audio = None
        if self.crops is not None and faces:
            shown = [fill_pictures(self.crops[start:], n_frames) for start in places]
            video = torch.from_numpy(np.stack(shown))
        if self.waveform is not None:
            heard = [fill_sound(self.waveform[start * SAMPLES_PER_FRAME :], n_frames) for start in places]
            audio = torch.from_numpy(np.stack(heard))
        return Windows(video, audio)


def read_video(path: Path, detector: FaceDetector) -> Recording:
    """Find the face that speaks in a video file, and its sound.

    A file without one of the two gives the other alone, and so does a time in which the face is lost.

    Args:
        path: Of a media file.
        detector: Finds the faces of single pictures.

    Raises:
        ClipError: The file is missing, no media or broken, or has neither a face nor a sound.
    """
    waveform, silent_because = _sound(path)
    face, faceless_because = _face(path, detector, waveform)
    if face is None and waveform is None:
        raise ClipError(ErrorKind.NO_FACE, f"nothing to judge: {faceless_because}, and {silent_because}")
    if face is None:
        return Recording(None, waveform, (f"The pictures are not judged: {faceless_because}.",))
    crops = face.crops
    notes: tuple[str, ...] = () if face.n_faces == 1 else (_SEVERAL[face.chosen_by].format(face.n_faces),)
    if waveform is None:
        notes = (f"The sound is not judged: {silent_because}.", *notes)
    else:
        crops, waveform, notes = _common(crops, waveform, notes)
    lost = tuple((first, min(behind, len(crops))) for first, behind in face.track.lost if first < len(crops))
    if not lost:
        return Recording(crops, waveform, notes)
    for first, behind in lost:
        crops[first:behind] = 0  # what is there is not the face
    return Recording(crops, waveform, (*notes, _without(lost, waveform is not None)), lost)


def _sound(path: Path) -> tuple[Waveform | None, str]:
    """Sound in the form that data sets have on disk; or None, and why there is none."""
    try:
        decoded = decode_sound(path)
    except ClipError as error:
        if error.kind is not ErrorKind.NO_AUDIO:
            raise
        return None, "it has no sound track"
    length_s = len(decoded.waveform) / decoded.sample_rate
    if length_s < SHORTEST_S:
        return None, f"its sound lasts {length_s:.2f} s, at least {SHORTEST_S} s are needed"
    waveform = as_stored(in_common_form(decoded.waveform, decoded.sample_rate))
    return (waveform, "") if waveform.any() else (None, "its sound is digital silence")


def _face(path: Path, detector: FaceDetector, waveform: Waveform | None) -> tuple[FaceClip | None, str]:
    """The face that speaks; or None, and why there is none."""
    choose = None if waveform is None else follow_sound(speech_bands(waveform, SAMPLE_RATE))
    try:
        return extract_face(path, detector, choose=choose, with_gaps=True), ""
    except ClipError as error:
        if error.kind not in _NO_FACE:
            raise
        return None, str(error)


def _common(
    crops: Pictures, waveform: Waveform, notes: tuple[str, ...]
) -> tuple[Pictures, Waveform, tuple[str, ...]]:
    """The time in which there are both, to a picture, as a data set's row has it."""
    n_heard = count_frames(len(waveform))
    ahead = len(crops) - n_heard
    if abs(ahead) > 1:
        kind = "pictures" if ahead > 0 else "sound"
        notes = (f"The last {abs(ahead) / FACES_PER_S:.1f} s are not judged: they are {kind} alone.", *notes)
        waveform = waveform[: len(crops) * SAMPLES_PER_FRAME]
    return crops[:n_heard], waveform, notes


def _without(lost: Sequence[tuple[int, int]], heard: bool) -> str:
    """When the face is lost, and what that means."""
    times = [f"from {first / FACES_PER_S:.1f} to {behind / FACES_PER_S:.1f} s" for first, behind in lost]
    how = "judged by their sound alone" if heard else "not judged"
    return f"The face is lost {', '.join(times)}; windows that do not show it throughout are {how}."
