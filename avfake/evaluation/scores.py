"""What a detector said of each sample, beside what each sample is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from avfake.errors import AvfakeError, one_line
from avfake.manifest.schema import SCHEMA_VERSION, Quadrant
from avfake.manifest.table import read_metadata, write_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Head = Literal["video", "audio", "whole"]
WholeBy = Literal["head", "maximum"]

HEADS: tuple[Head, ...] = get_args(Head)
THRESHOLD = 0.5  # from which on a sample is called fake
_SHOWN = 3

SCORES_SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("identity_group", pa.string(), nullable=False),
        pa.field("quadrant", pa.string(), nullable=False),
        pa.field("video_method", pa.string()),
        pa.field("vocoder", pa.string()),
        pa.field("video_label", pa.int8(), nullable=False),
        pa.field("audio_label", pa.int8(), nullable=False),
        pa.field("label", pa.int8(), nullable=False),
        pa.field("p_video", pa.float64(), nullable=False),
        pa.field("p_audio", pa.float64(), nullable=False),
        pa.field("p_whole", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True, eq=False)
class Scores:
    """One entry per sample; labels follow from the quadrant.

    Attributes:
        sample_id: Unique, [samples].
        identity_group: Samples of one group are no independent evidence, [samples].
        quadrant: Values of Quadrant, [samples].
        video_method: None where the video is real, [samples].
        vocoder: None where the audio is real, [samples].
        p_video: Probability that the video is fake, [samples].
        p_audio: That the audio is fake, [samples].
        p_whole: That either is fake, [samples].
        whole_by: ``head`` when the detector has one for it; ``maximum`` when it is the larger of the other
            two, which passes a threshold exactly when one of them does. The latter is our choice: the paper
            does not say how it scores two independent networks.

    Raises:
        AvfakeError: A sample stands twice, a quadrant is unknown, or a probability is none.
    """

    sample_id: NDArray[np.str_]
    identity_group: NDArray[np.str_]
    quadrant: NDArray[np.str_]
    video_method: NDArray[np.object_]
    vocoder: NDArray[np.object_]
    p_video: Floats
    p_audio: Floats
    p_whole: Floats
    whole_by: WholeBy

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in _COLUMNS}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"columns differ in length: {lengths}")
        if not len(self.sample_id):
            raise AvfakeError("there are no scores: the split has no sample")
        ids, counts = np.unique(self.sample_id, return_counts=True)
        _refuse(ids[counts > 1], "stand twice")
        _refuse(self.sample_id[~np.isin(self.quadrant, list(Quadrant))], "are of an unknown quadrant")
        for head in HEADS:
            p = self.p(head)
            _refuse(self.sample_id[~np.isfinite(p)], f"have NaN or infinity as p_{head}")
            _refuse(self.sample_id[(p < 0) | (p > 1)], f"have a p_{head} outside of 0 to 1")
        if self.whole_by == "maximum":
            other = self.p_whole != np.maximum(self.p_video, self.p_audio)
            _refuse(self.sample_id[other], "have a p_whole that is not the larger of p_video and p_audio")

    def __len__(self) -> int:
        return len(self.sample_id)

    def p(self, head: Head) -> Floats:
        """Probabilities of one head, [samples]."""
        return np.asarray(getattr(self, f"p_{head}"))

    def labels(self, head: Head) -> Ints:
        """What the head should say: 1 fake, 0 real, [samples]."""
        of_quadrant = {q.value: getattr(q, _LABELS[head]) for q in Quadrant}
        return np.array([of_quadrant[quadrant] for quadrant in self.quadrant.tolist()], np.int64)

    def right(self, head: Head) -> NDArray[np.bool_]:
        """Where the thresholded probability agrees with the label, [samples]."""
        return np.asarray((self.p(head) >= THRESHOLD) == self.labels(head))


def make_scores(rows: pa.Table, p_video: Floats, p_audio: Floats, p_whole: Floats | None = None) -> Scores:
    """Scores of rows of a split, in their order.

    Args:
        rows: With the columns of SCORES_SCHEMA that are no probabilities; others are ignored.
        p_video: [rows].
        p_audio: [rows].
        p_whole: [rows]; None where the detector has no head for the whole: the larger of both stands for it.
    """
    larger = np.maximum(p_video, p_audio)
    return Scores(
        sample_id=np.array(rows["sample_id"].to_pylist(), str),
        identity_group=np.array(rows["identity_group"].to_pylist(), str),
        quadrant=np.array(rows["quadrant"].to_pylist(), str),
        video_method=np.array(rows["video_method"].to_pylist(), object),
        vocoder=np.array(rows["vocoder"].to_pylist(), object),
        p_video=np.asarray(p_video, np.float64),
        p_audio=np.asarray(p_audio, np.float64),
        p_whole=np.asarray(larger if p_whole is None else p_whole, np.float64),
        whole_by="maximum" if p_whole is None else "head",
    )


def save_scores(path: Path, scores: Scores, facts: Mapping[str, Any]) -> None:
    """Write scores as Parquet; the same scores and facts give the same bytes.

    Args:
        path: Of the file.
        scores: What is written.
        facts: JSON-able: which detector, which split.
    """
    columns = {name: getattr(scores, name).tolist() for name in _COLUMNS}
    columns |= {label: scores.labels(head).tolist() for head, label in _LABELS.items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    write_rows(path, rows, SCORES_SCHEMA, {**facts, "whole_by": scores.whole_by})


def load_scores(path: Path | str) -> Scores:
    """Read scores back.

    Raises:
        AvfakeError: The file is no table of scores, or of another version.
    """
    metadata = read_metadata(path)
    if metadata.get("whole_by") not in get_args(WholeBy) or metadata["schema_version"] != SCHEMA_VERSION:
        raise AvfakeError(
            f"{path} is no table of scores of this version of avfake; run avfake evaluate again"
        )
    try:
        table = pq.read_table(path).select(SCORES_SCHEMA.names).cast(SCORES_SCHEMA)
    except (OSError, KeyError, pa.ArrowException, ValueError) as error:
        raise AvfakeError(f"{path} is no whole table of scores: {one_line(error)}") from error
    values = [table[f"p_{head}"].to_numpy() for head in HEADS]
    return replace(make_scores(table, *values), whole_by=metadata["whole_by"])


def _refuse(sample_ids: Sequence[str] | NDArray[np.str_], fault: str) -> None:
    if len(sample_ids):
        shown = ", ".join(map(str, sample_ids[:_SHOWN]))
        more = ", ..." if len(sample_ids) > _SHOWN else ""
        raise AvfakeError(f"{len(sample_ids)} samples {fault}: {shown}{more}")


_LABELS: dict[Head, str] = {"video": "video_label", "audio": "audio_label", "whole": "label"}
_COLUMNS = [field.name for field in fields(Scores) if field.name != "whole_by"]
