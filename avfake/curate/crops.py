"""Work of ``avfake faces``: one clip's video in, a file of crops and the face's track out; and back again."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from avfake.audio.activity import speech_bands
from avfake.audio.io import SAMPLE_RATE, load_flac
from avfake.curate.task import Outcome, Task
from avfake.errors import ClipError
from avfake.faces.detect import FaceDetector, load_detector
from avfake.faces.extract import Choose, FaceClip, crop_track, extract_face
from avfake.faces.speaking import follow_sound
from avfake.faces.template import CROP_SIZE, template
from avfake.faces.track import FaceTrack
from avfake.files import inside, sha256_of
from avfake.video.lossless import SUFFIX, read_pictures, write_pictures
from avfake.video.sample import PICTURES_PER_S, picture_times

# What decides the outcome besides the detector and the clips.
CONFIG = {"pictures_per_s": PICTURES_PER_S, "crop_size": CROP_SIZE}
_LOOKS = 5  # crops along a shared track that are looked at
_LARGEST_MISFIT_PX = 8.0  # of a landmark, in a crop; those of one clip stay within 4
_FLOATS = pa.list_(pa.float32())
TRACK_FIELDS = [  # one entry per picture, or as many in a row as stand in brackets
    pa.field("boxes", _FLOATS),  # [4]
    pa.field("landmarks", _FLOATS),  # [5, 2]
    pa.field("scores", _FLOATS),
    pa.field("transforms", _FLOATS),  # [2, 3]
]
FACES_FIELDS = [
    pa.field("faces_path", pa.string()),
    pa.field("faces_sha256", pa.string()),
    pa.field("n_frames", pa.int32()),
    pa.field("n_interpolated", pa.int32()),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
    pa.field("face_height_px", pa.float64()),
    pa.field("brightness", pa.float64()),
    pa.field("frame_rate", pa.float64()),  # given instead of the file's own times; null where those hold
    pa.field("n_faces", pa.int16()),
    pa.field("chosen_by", pa.string()),
    *TRACK_FIELDS,
]


@dataclass(frozen=True)
class Crop:
    """Work of a stage: one clip's video file in, one file of crops out.

    Attributes:
        root: Folder of the workspace.
        corpus_root: Folder of the corpus.
        detector: A key of ``DETECTORS``.
    """

    root: Path
    corpus_root: Path
    detector: str

    def __call__(self, task: Task) -> Outcome:
        """Crop the face of a clip.

        Args:
            task: Its facts hold ``video_path``; ``frame_rate`` where the times of the file are wrong;
                ``audio_path`` of the sound that tells who speaks, if there is any; ``track_part``, the part
                of the ledger with the track of ``original``, if the clip shares it. The others are None.

        Raises:
            ClipError: The clip shows no face, or loses it for too long, or cannot be decoded.
        """
        shared = self._shared(task)
        clip = shared or self._own(task)
        name = f"faces/{task.corpus}/{task.clip_id}{SUFFIX}"
        write_pictures(self.root / name, clip.crops, fps=PICTURES_PER_S)
        width, height = clip.picture_size
        return {
            "faces_path": name,
            "faces_sha256": sha256_of(self.root / name),
            "n_frames": len(clip.crops),
            "n_interpolated": int((clip.track.scores == 0).sum()),
            "width": width,
            "height": height,
            "face_height_px": float(np.median(clip.track.boxes[:, 3] - clip.track.boxes[:, 1])),
            "brightness": float(clip.crops.mean()) / 255,
            "frame_rate": task.facts["frame_rate"],
            "n_faces": clip.n_faces,
            "chosen_by": "shared" if shared else clip.chosen_by,
            "boxes": clip.track.boxes.ravel(),
            "landmarks": clip.track.landmarks.ravel(),
            "scores": clip.track.scores,
            "transforms": clip.transforms.ravel(),
        }

    def _own(self, task: Task) -> FaceClip:
        return extract_face(
            inside(self.corpus_root, task.facts["video_path"]),
            _loaded(self.detector),
            choose=self._choose(task),
            frame_rate=task.facts["frame_rate"],
        )

    def _shared(self, task: Task) -> FaceClip | None:
        """The crops along the track of the clip's original; None where there is none that fits."""
        if task.facts["track_part"] is None:
            return None
        track = track_of(_read_row(self.root / task.facts["track_part"], task.facts["original"]))
        video = inside(self.corpus_root, task.facts["video_path"])
        try:
            clip = crop_track(video, track, frame_rate=task.facts["frame_rate"])
        except ClipError:  # if it is the file's own fault, the clip's own track fails for the same reason
            return None
        return clip if self._fits(clip.crops) else None

    def _fits(self, crops: NDArray[np.uint8]) -> bool:
        """Whether each of a few crops shows a face where all crops have it."""
        looked_at = np.linspace(0, len(crops) - 1, _LOOKS).round().astype(int)
        found = _loaded(self.detector)(list(crops[looked_at]))
        return all(
            any(np.abs(face.landmarks - template()).max() < _LARGEST_MISFIT_PX for face in faces)
            for faces in found
        )

    def _choose(self, task: Task) -> Choose | None:
        if task.facts["audio_path"] is None:
            return None
        waveform, _ = load_flac(inside(self.root, task.facts["audio_path"]))
        return follow_sound(speech_bands(waveform, SAMPLE_RATE))


def read_clip(root: Path, part: Path, clip_id: str) -> tuple[FaceClip, float | None]:
    """A clip as it was cut out, and the frame rate that was given for it.

    Args:
        root: Folder of the workspace.
        part: Of the ledger of faces.
        clip_id: Of an ok row in it.
    """
    row = _read_row(part, clip_id)
    transforms = np.array(row["transforms"], np.float32).reshape(-1, 2, 3)
    crops = read_pictures(inside(root, row["faces_path"]))
    size = row["width"], row["height"]
    clip = FaceClip(track_of(row), transforms, crops, size, row["n_faces"], row["chosen_by"])
    return clip, row["frame_rate"]


def track_of(row: Outcome) -> FaceTrack:
    """The track that an ok row of the ledger holds."""
    boxes, landmarks, scores = (np.array(row[name], np.float32) for name in ("boxes", "landmarks", "scores"))
    return FaceTrack(picture_times(len(scores)), boxes.reshape(-1, 4), landmarks.reshape(-1, 5, 2), scores)


def _read_row(part: Path, clip_id: str) -> Outcome:
    row: Outcome = pq.read_table(part, filters=[("clip_id", "=", clip_id)]).to_pylist()[0]
    return row


@lru_cache(maxsize=1)
def _loaded(detector: str) -> FaceDetector:
    """One worker keeps its detector."""
    return load_detector(detector)
