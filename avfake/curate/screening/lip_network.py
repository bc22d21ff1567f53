"""Screening by a SyncNet that the user has: one clip's video and sound in, its distances out."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from avfake.audio.io import HEADROOM_DB, load_flac, resample
from avfake.audio.mfcc import SAMPLE_RATE, mfcc
from avfake.curate.crops import read_clip
from avfake.curate.screening.scores import LONGEST_LAG_S, SHORTEST_S
from avfake.curate.task import Outcome, Task
from avfake.faces.syncnet import SyncNet, load_syncnet
from avfake.faces.syncnet_score import PICTURES_PER_S, measure, place_mouths, place_sounds
from avfake.files import inside
from avfake.video.frames import frame_times
from avfake.video.sample import PICTURES_PER_S as SAMPLED_PER_S
from avfake.video.sample import Pictures

LIP_FIELDS = [
    pa.field("sync_score", pa.float64()),
    pa.field("sync_lag_ms", pa.float64()),
    pa.field("off_camera", pa.bool_()),
    pa.field("reason", pa.string()),
    pa.field("n_pictures", pa.int32()),
    pa.field("distances", pa.list_(pa.float64())),
]


@dataclass(frozen=True)
class LipNetwork:
    """Work of a stage: asks SyncNet about one clip.

    Attributes:
        root: Folder of the workspace.
        corpus_root: Folder of the corpus.
        weights: File of the network.
    """

    root: Path
    corpus_root: Path
    weights: Path

    def __call__(self, task: Task) -> Outcome:
        """Measure how far mouth and sound lie apart.

        Args:
            task: Its facts hold ``video_path``, ``audio_path``, and ``track_part``, the part of the ledger of
                faces where the clip's track stands.

        Raises:
            ClipError: A file is missing or broken.
        """
        network = _loaded(self.weights)
        face, frame_rate = read_clip(self.root, self.root / task.facts["track_part"], task.clip_id)
        boxes = _at_25_fps(face.track.boxes)
        if len(boxes) < SHORTEST_S * PICTURES_PER_S:
            return {"reason": f"shorter than {SHORTEST_S:.0f} s", "n_pictures": len(boxes)}
        waveform, sample_rate = load_flac(inside(self.root, task.facts["audio_path"]))
        as_recorded = waveform * np.float32(10 ** (HEADROOM_DB / 20))
        sounds = place_sounds(network, mfcc(resample(as_recorded, sample_rate, SAMPLE_RATE)))
        mouths = place_mouths(network, self._pictures(task, frame_rate), boxes)
        found = measure(mouths, sounds)
        confidence, lag_s = found.within(LONGEST_LAG_S)
        return {
            "sync_score": confidence,
            "sync_lag_ms": 1000 * lag_s,
            "off_camera": abs(found.lag_s) > LONGEST_LAG_S + 1e-9,
            "n_pictures": len(boxes),
            "distances": found.mean,
        }

    def _pictures(self, task: Task, frame_rate: float | None) -> Pictures:
        """Pictures at 25 fps: ten for each second of the video shown two and a half times as slowly."""
        path = inside(self.corpus_root, task.facts["video_path"])
        times_s = frame_times(path)
        rate = frame_rate or (len(times_s) - 1) / float(times_s[-1] - times_s[0])
        return Pictures(path, frame_rate=rate * SAMPLED_PER_S / PICTURES_PER_S)


def _at_25_fps(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Boxes between those of sampled pictures, [pictures, 4]."""
    times = np.arange(round(len(boxes) * PICTURES_PER_S / SAMPLED_PER_S)) * SAMPLED_PER_S / PICTURES_PER_S
    columns = [np.interp(times, np.arange(len(boxes)), column) for column in boxes.T]
    return np.stack(columns, axis=1)


@lru_cache(maxsize=1)
def _loaded(weights: Path) -> SyncNet:
    """One worker keeps its network."""
    return load_syncnet(weights)
