"""What a row holds: quadrants and labels, and the columns of the index and of a split."""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

SCHEMA_VERSION = 1
SPLITS = ("train", "val", "test")
FACES_PER_S = 10  # pictures in a file of face crops; the first belongs to the clip's first frame


class Quadrant(StrEnum):
    """Which of video and audio is fake; video first, audio second."""

    REAL_REAL = "real-real"
    REAL_FAKE = "real-fake"
    FAKE_REAL = "fake-real"
    FAKE_FAKE = "fake-fake"

    @property
    def video_label(self) -> int:
        """1 when the video is fake."""
        return int(self.value.startswith("fake-"))

    @property
    def audio_label(self) -> int:
        """1 when the audio is fake."""
        return int(self.value.endswith("-fake"))

    @property
    def label(self) -> int:
        """1 when either is fake."""
        return self.video_label | self.audio_label


@dataclass(frozen=True)
class Row:
    """One video of a corpus, as its metadata describes it, before anything is decoded.

    Attributes:
        corpus: Name of the corpus in the workspace.
        clip_id: Safe as a file name and unique in the corpus.
        video_path: Relative to the corpus root, with forward slashes.
        video_label: 1 fake, 0 real.
        audio_label: Of the sound in the file: 1 fake, 0 real, None when it has none or nobody knows.
        video_method: How the video was manipulated; None when real.
        target: Whose scene it is, in the corpus's own words.
        source: Whose face or expression was put in; None when real or unknown.
        identity_group: Rows of one group never meet in two splits.
        source_group: Identity group of the source, where it differs from the target's.
        official_split: Where the corpus's authors put it; None when they did not say.
        part: Unit of the corpus that is held out whole (a DFDC folder); None where there is none.
        original: ``clip_id`` of the real clip a fake was made from, where known.
        compression: FaceForensics++ quality: raw, c23 or c40.
    """

    corpus: str
    clip_id: str
    video_path: str
    video_label: int
    audio_label: int | None
    identity_group: str
    video_method: str | None = None
    target: str | None = None
    source: str | None = None
    source_group: str | None = None
    official_split: str | None = None
    part: str | None = None
    original: str | None = None
    compression: str | None = None


STATUS_FIELDS = [
    pa.field("status", pa.string(), nullable=False),  # ok or failed
    pa.field("error_kind", pa.string()),
    pa.field("error", pa.string()),
]

ROW_FIELDS = [
    pa.field("corpus", pa.string(), nullable=False),
    pa.field("clip_id", pa.string(), nullable=False),
    pa.field("video_path", pa.string(), nullable=False),
    pa.field("video_label", pa.int8(), nullable=False),
    pa.field("audio_label", pa.int8()),
    pa.field("identity_group", pa.string(), nullable=False),
    pa.field("video_method", pa.string()),
    pa.field("target", pa.string()),
    pa.field("source", pa.string()),
    pa.field("source_group", pa.string()),
    pa.field("official_split", pa.string()),
    pa.field("part", pa.string()),
    pa.field("original", pa.string()),
    pa.field("compression", pa.string()),
]

PROBE_FIELDS = [
    pa.field("size_bytes", pa.int64()),
    pa.field("duration_s", pa.float64()),
    pa.field("video_fps", pa.float64()),
    pa.field("n_frames", pa.int64()),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
    pa.field("rotation", pa.int16()),  # degrees clockwise to show it upright
    pa.field("video_codec", pa.string()),
    pa.field("has_audio", pa.bool_()),
    pa.field("audio_codec", pa.string()),
    pa.field("audio_rate", pa.int32()),
    pa.field("audio_channels", pa.int16()),
]

INDEX_SCHEMA = pa.schema([*ROW_FIELDS, *STATUS_FIELDS, *PROBE_FIELDS])

SPLIT_SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("corpus", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("quadrant", pa.string(), nullable=False),
        pa.field("video_label", pa.int8(), nullable=False),
        pa.field("audio_label", pa.int8(), nullable=False),
        pa.field("label", pa.int8(), nullable=False),
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("identity_group", pa.string(), nullable=False),
        pa.field("video_method", pa.string()),
        pa.field("vocoder", pa.string()),
        pa.field("video_path", pa.string(), nullable=False),
        pa.field("faces_path", pa.string()),
        pa.field("audio_path", pa.string(), nullable=False),
        pa.field("audio_clip_id", pa.string(), nullable=False),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("duration_s", pa.float64(), nullable=False),
        pa.field("video_fps", pa.float64()),
        pa.field("sample_rate", pa.int32(), nullable=False),
        pa.field("n_samples", pa.int64(), nullable=False),
        pa.field("pad_s", pa.float64(), nullable=False),
        pa.field("blur_time_sigma", pa.float64()),
        pa.field("blur_mel_sigma", pa.float64()),
        pa.field("checkpoint_sha256", pa.string()),
        pa.field("audio_sha256", pa.string(), nullable=False),
        pa.field("faces_sha256", pa.string()),
        pa.field("lag_ms", pa.float64()),
        pa.field("lsd_db", pa.float64()),
        pa.field("sync_score", pa.float64()),
        pa.field("audio_from", pa.string()),
    ]
)
