"""The work that gives each clip its sound: aligned with the upload, cut, joined, kept in the one form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from avfake.audio.splice import plan_cut, splice
from avfake.curate.recovery.align import Alignment, align, align_unseen, confirm
from avfake.curate.recovery.config import Align
from avfake.curate.recovery.frame_lists import read_frame_list
from avfake.curate.sound_files import keep_sound
from avfake.curate.task import Outcome, Task
from avfake.errors import ClipError, ErrorKind
from avfake.files import inside
from avfake.video.frames import frame_times
from avfake.video.track import FrameTrack, load_track, track_frames


@dataclass(frozen=True)
class CutSound:
    """Work of the stage ``audio`` for FaceForensics++: one clip in, one FLAC file out.

    Attributes:
        root: Of the workspace.
        corpus_root: Of the clips.
        frame_lists: Folder of the frame lists; None when there are none.
        way: How clips are aligned.
    """

    root: Path
    corpus_root: Path
    frame_lists: Path | None
    way: Align

    def __call__(self, task: Task) -> Outcome:
        """Recover one clip's sound."""
        facts = task.facts
        if facts["failure"]:
            kind, message = facts["failure"]
            raise ClipError(ErrorKind(kind), message)
        n_frames = len(frame_times(inside(self.corpus_root, facts["video_path"])))
        alignment = self._align(facts)
        if n_frames > len(alignment.times_s):
            raise ClipError(
                ErrorKind.MISALIGNED,
                f"it has {n_frames} frames, the original whose sound it gets {len(alignment.times_s)}",
            )
        cut = plan_cut(alignment.times_s[:n_frames])
        return {
            **keep_sound(self.root, task, splice(Path(facts["sound"]), cut)),
            "audio_clip_id": facts["audio_clip_id"],
            "audio_from": facts["audio_from"],
            "youtube_id": facts["youtube_id"],
            "align": alignment.how,
            "align_error_ms": alignment.error_ms,
            "align_score": alignment.score,
            "frame_rate": cut.frame_rate,
            "pieces": [piece._asdict() for piece in cut.pieces],
        }

    def _align(self, facts: Mapping[str, Any]) -> Alignment:
        """Align the clip whose pictures are the upload's: the clip itself, or the original of its source."""
        seen = inside(self.corpus_root, facts["seen_path"])
        lists, youtube_id = self.frame_lists, facts["youtube_id"]
        listed = None if lists is None else read_frame_list(lists, youtube_id, facts["youtube_sequence"])
        if facts["track_path"] is None:
            fps = None if lists is None else _nominal_rate(lists, youtube_id)
            return align_unseen(len(frame_times(seen)), listed, fps)
        pictures = Path(facts["pictures"])
        upload = load_track(inside(self.root, facts["track_path"]))
        by = partial(
            align,
            upload=upload,
            frame_list=listed,
            way=self.way,
            whole_upload=partial(track_frames, pictures),
        )
        clip = track_frames(seen)
        try:
            return by(clip)
        except ClipError as error:
            if error.kind != ErrorKind.MISALIGNED or facts["original_path"] is None:
                raise
        original = track_frames(inside(self.corpus_root, facts["original_path"]))
        return _through_original(clip, original, by(original))


def _through_original(clip: FrameTrack, original: FrameTrack, found: Alignment) -> Alignment:
    """Where a clip lies whose manipulation hides it, but whose original ``found`` its place.

    Frame k of both was shown at the same time, and outside the face they are alike to the pixel: their
    pictures are compared with each other, not with those of the upload.

    Raises:
        ClipError: The clip is not of that original.
    """
    n_frames = len(clip.numbers)
    if n_frames > len(original.numbers):
        raise ClipError(
            ErrorKind.MISALIGNED, f"it has {n_frames} frames, its original {len(original.numbers)}"
        )
    beside = confirm(clip, original, original.times_s[:n_frames], "number")
    error_ms = (found.error_ms or 0.0) + (beside.error_ms or 0.0)
    score = min(one.score for one in (found, beside) if one.score is not None)
    return Alignment(found.times_s[:n_frames], found.how, error_ms, score)


def _nominal_rate(folder: Path, youtube_id: str) -> float | None:
    """Frames per second of an upload by its metadata, ``<id>/<id>.json``; None when it does not say."""
    try:
        facts = json.loads((folder / youtube_id / f"{youtube_id}.json").read_bytes())
    except (OSError, ValueError):
        return None
    fps = facts.get("fps") if isinstance(facts, dict) else None
    return float(fps) if isinstance(fps, int | float) and 1 <= fps <= 240 else None
