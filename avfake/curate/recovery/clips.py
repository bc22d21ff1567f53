"""The clips of an indexed FaceForensics++, each with whose sound it gets and where its lips can be seen."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from avfake.corpora.faceforensics import COMPRESSIONS
from avfake.curate.recovery.donor import Donor, ReenactmentAudio, find_donor
from avfake.curate.recovery.frame_lists import frame_list_path
from avfake.curate.stage import file_state, fingerprint
from avfake.curate.workspace import Workspace

_COLUMNS = ["clip_id", "video_path", "official_split", *("target", "source", "video_method", "compression")]


class Clip(NamedTuple):
    """One video of the index.

    Attributes:
        row: Of the index.
        donor: Whose sound it gets; None when nobody's.
        seen_path: Video whose pictures are those of the donor's upload: the clip's own, or that of the
            original it takes its lips from; None when that one is not indexed.
        original_path: The donor's original, where it is indexed and another than that.
        state: Fingerprint of these files and of the frame list.
    """

    row: Mapping[str, Any]
    donor: Donor | None
    seen_path: str | None
    original_path: str | None
    state: str

    @property
    def youtube_id(self) -> str | None:
        """Upload the clip waits for; None when there is none."""
        return None if self.donor is None else self.donor.sequence.youtube_id


def list_clips(
    workspace: Workspace,
    corpus: str,
    corpus_root: Path,
    reenactment_audio: ReenactmentAudio,
    frame_lists: Path | None,
) -> list[Clip]:
    """Every clip of the index, broken files included: their reason then stands in the ledger of sound too."""
    rows = pq.read_table(workspace.index(corpus), columns=_COLUMNS).to_pylist()
    paths = {row["clip_id"]: row["video_path"] for row in rows}
    clips = []
    for row in rows:
        donor = find_donor(row, reenactment_audio)
        original = donor and _original(donor, paths)
        seen = original if donor and donor.audio_from == "source" else row["video_path"]
        other = None if original == seen else original
        files = [corpus_root / path for path in {row["video_path"], seen, other} if path]
        if donor is not None and frame_lists is not None:
            files.append(frame_list_path(frame_lists, donor.sequence))
        clips.append(Clip(row, donor, seen, other, fingerprint(*map(file_state, sorted(files)))))
    return clips


def _original(donor: Donor, paths: Mapping[str, str]) -> str | None:
    """Video of the donor in the clip's own quality, else in any."""
    sequence_id = donor.sequence.sequence_id
    others = [f"youtube-{quality}-{sequence_id}" for quality in dict.fromkeys(COMPRESSIONS.values())]
    return next((paths[clip_id] for clip_id in [donor.clip_id, *others] if clip_id in paths), None)


def by_upload(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    """Clips that need an upload, by its id, sorted."""
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.youtube_id is not None:
            groups[clip.youtube_id].append(clip)
    return dict(sorted(groups.items()))
