"""A clip's own sound out of its own file; and whether a fake still has the sound of its original."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avfake.audio.decode import DecodedSound, decode_sound
from avfake.audio.io import resample
from avfake.audio.same import LARGEST_RESIDUAL_DB, UNKNOWN, Comparison, compare
from avfake.curate.sound_files import FORM, keep_sound
from avfake.curate.stage import file_state, fingerprint
from avfake.curate.task import Outcome, Task
from avfake.errors import ClipError
from avfake.files import inside

INDEX_COLUMNS = ("corpus", "clip_id", "video_path", "video_label", "audio_label", "original", "status")
CONFIG = {**FORM, "largest_residual_db": LARGEST_RESIDUAL_DB}  # what decides the outcome besides the clips


@dataclass(frozen=True)
class Demux:
    """Work of a stage: one clip's video file in, one FLAC file out.

    Attributes:
        root: Folder of the workspace.
        corpus_root: Folder of the corpus.
    """

    root: Path
    corpus_root: Path

    def __call__(self, task: Task) -> Outcome:
        """Take out the sound of a clip.

        Args:
            task: Its facts hold ``video_path`` and ``original_path``, the latter None where there is no
                original to compare with.

        Raises:
            ClipError: The clip has no usable sound. That of its original is no reason.
        """
        sound = decode_sound(inside(self.corpus_root, task.facts["video_path"]))
        kept = keep_sound(self.root, task, sound)
        comparison = self._compare(sound, task.facts["original_path"])
        return {
            **kept,
            "audio_clip_id": task.clip_id,
            "audio_from": "own",
            "offset_ms": sound.offset_ms,
            "audio_matches_original": comparison.matches,
            "original_residual_db": comparison.residual_db,
        }

    def _compare(self, sound: DecodedSound, original_path: str | None) -> Comparison:
        if original_path is None:
            return UNKNOWN
        try:
            original = decode_sound(inside(self.corpus_root, original_path))
        except (ClipError, OSError):  # the original has a row of its own, where the reason stands
            return UNKNOWN
        at_one_rate = resample(original.waveform, original.sample_rate, sound.sample_rate)
        return compare(sound.waveform, at_one_rate, sound.sample_rate)


def demux_tasks(index_rows: Sequence[Mapping[str, Any]], corpus_root: Path) -> Iterator[Task]:
    """A task for every indexed video, broken ones included: their reason then stands in this ledger too.

    A fake's original counts wherever in the corpus it lies, if it is in order and its own sound is real.

    Args:
        index_rows: Those of one corpus, with INDEX_COLUMNS.
        corpus_root: Folder of the corpus.
    """
    real_sound = {
        row["clip_id"]: row["video_path"]
        for row in index_rows
        if row["audio_label"] == 0 and row["status"] == "ok"
    }
    for row in index_rows:
        original_path = real_sound.get(row["original"]) if row["video_label"] == 1 else None
        inputs = file_state(corpus_root / row["video_path"])
        if original_path is not None:
            inputs = fingerprint(inputs, original_path, file_state(corpus_root / original_path))
        facts = {"video_path": row["video_path"], "original_path": original_path}
        yield Task(row["corpus"], row["clip_id"], inputs, facts)
