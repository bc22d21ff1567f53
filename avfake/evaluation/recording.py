"""What of a video file a detector can judge: the crops of its speaking face, and its sound."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avfake.audio.activity import speech_bands
from avfake.audio.decode import decode_sound
from avfake.audio.io import SAMPLE_RATE, Waveform, as_stored, in_common_form
from avfake.dataset.window import SAMPLES_PER_FRAME, Pictures, count_frames, fill_pictures, fill_sound
from avfake.errors import ClipError, ErrorKind
from avfake.evaluation.inference import Windows
from avfake.faces.detect import FaceDetector
from avfake.faces.extract import FaceClip, extract_face
from avfake.faces.speaking import follow_sound
from avfake.manifest.schema import FACES_PER_S
from avfake.models.config import DetectorConfig

_SHORTEST_S = 0.2  # of sound, as data sets have it
_NO_FACE = (ErrorKind.NO_VIDEO, ErrorKind.NO_FACE, ErrorKind.FACE_LOST)
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
    """

    crops: Pictures | None
    waveform: Waveform | None
    notes: tuple[str, ...] = ()

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

    def windows(self, starts: NDArray[np.int64], config: DetectorConfig) -> Windows:
        """Windows as a detector wants them, black and silent behind the end.

        Args:
            starts: First picture of each, [windows].
            config: Of the detector.
        """
        n_frames, places = config.n_frames, starts.tolist()
        video = audio = None
        if self.crops is not None:
            shown = [fill_pictures(self.crops[start:], n_frames) for start in places]
            video = torch.from_numpy(np.stack(shown))
        if self.waveform is not None:
            heard = [fill_sound(self.waveform[start * SAMPLES_PER_FRAME :], n_frames) for start in places]
            audio = torch.from_numpy(np.stack(heard))
        return Windows(video, audio)


def read_video(path: Path, detector: FaceDetector) -> Recording:
    """Find the face that speaks in a video file, and its sound.

    A file without one of the two gives the other alone.

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
    several = () if face.n_faces == 1 else (_SEVERAL[face.chosen_by].format(face.n_faces),)
    if waveform is None:
        return Recording(face.crops, None, (f"The sound is not judged: {silent_because}.", *several))
    return _common(face.crops, waveform, several)


def _sound(path: Path) -> tuple[Waveform | None, str]:
    """Sound in the form that data sets have on disk; or None, and why there is none."""
    try:
        decoded = decode_sound(path)
    except ClipError as error:
        if error.kind is not ErrorKind.NO_AUDIO:
            raise
        return None, "it has no sound track"
    length_s = len(decoded.waveform) / decoded.sample_rate
    if length_s < _SHORTEST_S:
        return None, f"its sound lasts {length_s:.2f} s, at least {_SHORTEST_S} s are needed"
    waveform = as_stored(in_common_form(decoded.waveform, decoded.sample_rate))
    return (waveform, "") if waveform.any() else (None, "its sound is digital silence")


def _face(path: Path, detector: FaceDetector, waveform: Waveform | None) -> tuple[FaceClip | None, str]:
    """The face that speaks; or None, and why there is none."""
    choose = None if waveform is None else follow_sound(speech_bands(waveform, SAMPLE_RATE))
    try:
        return extract_face(path, detector, choose=choose), ""
    except ClipError as error:
        if error.kind not in _NO_FACE:
            raise
        return None, str(error)


def _common(crops: Pictures, waveform: Waveform, notes: tuple[str, ...]) -> Recording:
    """The time in which there are both, to a picture, as a data set's row has it."""
    n_heard = count_frames(len(waveform))
    ahead = len(crops) - n_heard
    if abs(ahead) > 1:
        kind = "pictures" if ahead > 0 else "sound"
        notes = (f"The last {abs(ahead) / FACES_PER_S:.1f} s are not judged: they are {kind} alone.", *notes)
        waveform = waveform[: len(crops) * SAMPLES_PER_FRAME]
    return Recording(crops[:n_heard], waveform, notes)
