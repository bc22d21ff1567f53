"""From chosen clips to finished manifest rows: one query, sorted by sample_id."""

from collections.abc import Iterator

import pyarrow as pa

from avfake.manifest.database import Database, load_table, stream
from avfake.manifest.schema import SPLIT_SCHEMA, SPLITS, Quadrant
from avfake.manifest.split_config import SplitConfig

# Lengths are counted in samples, so that duration_s is exactly n_samples / sample_rate. Shuffled pairs
# last as long as the shorter of the clip's own sound and the one it got.
_ROWS = """
WITH paired AS (
    SELECT r.split_no, r.vocoder, c.*, d.donor,
        least(c.n_samples, s.n_samples, floor(? * s.sample_rate)::BIGINT) AS n_heard,
        s.audio_path AS own_path, s.audio_sha256 AS own_sha256, s.sample_rate AS rate,
        s.audio_clip_id AS sound_of,
        CASE WHEN c.clip_id = d.donor THEN s.audio_from ELSE 'shuffled' END AS sound_from
    FROM rows r JOIN clips c USING (corpus, clip_id)
    JOIN donors d USING (corpus, clip_id)
    JOIN clips s ON s.corpus = c.corpus AND s.clip_id = d.donor
    WHERE r.split_no = ?
)
SELECT concat_ws('/', p.corpus, p.clip_id, coalesce(p.vocoder, 'real')) AS sample_id,
    p.corpus, ? AS split, q.quadrant, q.video_label, q.audio_label, q.label, p.clip_id, p.identity_group,
    p.method AS video_method, p.vocoder, p.video_path, p.faces_path,
    coalesce(l.limited_path, v.audio_path, p.own_path) AS audio_path, p.sound_of AS audio_clip_id,
    0::DOUBLE AS start_s, p.n_heard / p.rate AS duration_s, p.video_fps, p.rate AS sample_rate,
    p.n_heard AS n_samples, greatest(0, ? - p.n_heard / p.rate) AS pad_s,
    v.blur_time_sigma, v.blur_mel_sigma, v.checkpoint_sha256,
    coalesce(l.limited_sha256, v.audio_sha256, p.own_sha256) AS audio_sha256, p.faces_sha256,
    v.lag_ms, v.lsd_db,
    CASE WHEN p.clip_id = p.donor THEN p.sync_score END AS sync_score, p.sound_from AS audio_from
FROM paired p
LEFT JOIN vocoded v ON v.corpus = p.corpus AND v.clip_id = p.donor AND v.vocoder = p.vocoder
LEFT JOIN limited l ON l.audio_path = coalesce(v.audio_path, p.own_path)
JOIN quadrants q ON q.video_label = p.video_label AND q.audio_label = (p.vocoder IS NOT NULL)::INTEGER
ORDER BY sample_id
"""

_HEARD = """
SELECT DISTINCT r.vocoder, d.corpus, d.donor AS clip_id, coalesce(v.audio_path, c.audio_path) AS audio_path,
    coalesce(v.audio_sha256, c.audio_sha256) AS audio_sha256,
    coalesce(v.bandwidth_hz, c.bandwidth_hz) AS bandwidth_hz
FROM rows r JOIN donors d USING (corpus, clip_id)
JOIN clips c ON c.corpus = d.corpus AND c.clip_id = d.donor
LEFT JOIN vocoded v ON v.corpus = d.corpus AND v.clip_id = d.donor AND v.vocoder = r.vocoder
"""


def prepare_rows(database: Database) -> None:
    """Make ``sounds``, every sound file in use, and ``limited``, empty until a band limit fills it."""
    quadrants = [
        {"quadrant": q.value, "video_label": q.video_label, "audio_label": q.audio_label, "label": q.label}
        for q in Quadrant
    ]
    load_table(database, "quadrants", pa.Table.from_pylist(quadrants))
    database.execute(f"CREATE TABLE sounds AS {_HEARD}")
    database.execute(
        "CREATE TABLE limited (audio_path VARCHAR, limited_path VARCHAR, limited_sha256 VARCHAR)"
    )


def split_rows(database: Database, split: str, config: SplitConfig) -> Iterator[pa.RecordBatch]:
    """Manifest rows of one split in SPLIT_SCHEMA's columns, sorted by sample_id."""
    parameters = [config.window_s, SPLITS.index(split), split, config.window_s]
    for batch in stream(database, _ROWS, parameters):
        yield from pa.Table.from_batches([batch]).select(SPLIT_SCHEMA.names).cast(SPLIT_SCHEMA).to_batches()
