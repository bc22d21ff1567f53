"""Which clips can enter a split, and why the others cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from avfake.errors import AvfakeError
from avfake.manifest.database import Database, load_files
from avfake.manifest.schema import FACES_PER_S, SPLITS
from avfake.manifest.split_config import SplitConfig

INDEX_COLUMNS = {
    **dict.fromkeys(("corpus", "clip_id", "status", "video_path"), "VARCHAR"),
    **dict.fromkeys(("video_label", "audio_label"), "TINYINT"),
    **dict.fromkeys(("identity_group", "video_method", "source_group", "official_split", "part"), "VARCHAR"),
    "video_fps": "DOUBLE",
    "has_audio": "BOOLEAN",
}
AUDIO_COLUMNS = {
    **dict.fromkeys(("corpus", "clip_id", "status", "error_kind"), "VARCHAR"),
    **dict.fromkeys(("audio_path", "audio_sha256", "audio_clip_id", "audio_from"), "VARCHAR"),
    "sample_rate": "INTEGER",
    "n_samples": "BIGINT",
    "bandwidth_hz": "DOUBLE",
}
COMPARED_COLUMNS = {
    **dict.fromkeys(("corpus", "clip_id", "status"), "VARCHAR"),
    "audio_matches_original": "BOOLEAN",
    "frame_rate": "DOUBLE",
}
FACES_COLUMNS = {
    **dict.fromkeys(("corpus", "clip_id", "status", "error_kind", "faces_path", "faces_sha256"), "VARCHAR"),
    "n_frames": "INTEGER",
}
SCREENED_COLUMNS = {**dict.fromkeys(("corpus", "clip_id"), "VARCHAR"), "sync_score": "DOUBLE"}
VOCODED_COLUMNS = {
    **dict.fromkeys(("corpus", "clip_id", "status", "vocoder", "audio_path", "audio_sha256"), "VARCHAR"),
    **dict.fromkeys(("source_sha256", "checkpoint_sha256"), "VARCHAR"),
    "sample_rate": "INTEGER",
    "n_samples": "BIGINT",
    **dict.fromkeys(("blur_time_sigma", "blur_mel_sigma", "lag_ms", "lsd_db", "bandwidth_hz"), "DOUBLE"),
}

# The sound of another clip (audio_from target or source) was chosen because it is real; only a clip's
# own sound is as real as the corpus says, or, where it does not say, as real as the one it is a copy of.
_JUDGE_SOUND = """
CREATE TABLE sounding AS
SELECT i.* EXCLUDE (status, audio_label, has_audio, video_method, video_fps),
    coalesce(c.frame_rate, i.video_fps) AS video_fps,  -- a manipulated file may claim the rate of its source
    CASE WHEN i.video_label = 1 THEN coalesce(i.video_method, 'unknown') END AS method,
    a.* EXCLUDE (corpus, clip_id, status, error_kind),
    CASE
        WHEN i.status <> 'ok' THEN 'video unreadable'
        WHEN a.status = 'ok' AND a.audio_from <> 'own' THEN NULL
        WHEN i.audio_label = 1 THEN 'audio already fake'
        WHEN i.has_audio = false OR a.error_kind = 'no_audio' THEN 'no audio'
        WHEN i.audio_label IS NULL AND c.audio_matches_original = false THEN 'audio differs from its original'
        WHEN i.audio_label IS NULL AND (c.audio_matches_original AND i.video_label = 1) IS NOT TRUE
            THEN 'audio label unknown'
        WHEN a.status IS NULL THEN 'audio not fetched'
        WHEN a.status <> 'ok' THEN 'audio failed: ' || coalesce(a.error_kind, 'unknown')
    END AS reason
FROM index_rows i LEFT JOIN audio_rows a USING (corpus, clip_id) LEFT JOIN compared_rows c
    ON c.corpus = i.corpus AND c.clip_id = i.clip_id AND c.status = 'ok'
"""

# Sound made from an earlier version of the clip's sound, or of another length, is no counterpart of it.
_MATCH_VOCODED = """
CREATE TABLE vocoded AS
SELECT v.* EXCLUDE (status, source_sha256)
FROM vocoded_rows v JOIN sounding s USING (corpus, clip_id, sample_rate, n_samples)
WHERE v.status = 'ok' AND v.source_sha256 = s.audio_sha256
    AND list_contains(?, v.vocoder)
"""

# Once faces were cropped, every row has its crops: a row without them is none that a detector could learn
# from. Sound never outlasts its video, so a clip has a crop for each tenth of a second of it.
_JUDGE = f"""
CREATE TABLE clips AS
WITH lacking AS (
    SELECT corpus, clip_id, min(vocoder) AS vocoder
    FROM (SELECT corpus, clip_id, unnest($vocoders) AS vocoder FROM sounding WHERE reason IS NULL)
    ANTI JOIN vocoded USING (corpus, clip_id, vocoder)
    GROUP BY ALL
), cropped AS (
    SELECT count(*) > 0 AS any FROM faces_rows SEMI JOIN index_rows USING (corpus, clip_id)
)
SELECT s.* REPLACE (
    CASE
        WHEN s.reason IS NOT NULL THEN s.reason
        WHEN lacking.vocoder IS NOT NULL THEN 'not vocoded with ' || lacking.vocoder
        WHEN s.n_samples < $min_s * s.sample_rate THEN 'too short'
        WHEN cropped.any AND f.status IS NULL THEN 'faces not cropped'
        WHEN f.status <> 'ok' THEN 'faces failed: ' || coalesce(f.error_kind, 'unknown')
        WHEN f.n_frames < floor(s.n_samples / s.sample_rate * {FACES_PER_S}) THEN 'fewer crops than sound'
        WHEN $min_sync::DOUBLE IS NOT NULL AND y.sync_score IS NULL THEN 'no sync score'
        WHEN y.sync_score < $min_sync THEN 'out of sync'
    END AS reason
), f.faces_path, f.faces_sha256, y.sync_score
FROM sounding s CROSS JOIN cropped LEFT JOIN lacking USING (corpus, clip_id)
LEFT JOIN faces_rows f USING (corpus, clip_id) LEFT JOIN screened_rows y USING (corpus, clip_id)
"""


@dataclass(frozen=True)
class Tables:
    """The Parquet files a split is built from.

    Attributes:
        index: One file per corpus.
        audio: Parts of the ledger of fetch-audio.
        vocoded: Parts of the ledger of vocode.
        faces: Parts of the ledger of faces.
        screened: Tables of screen.
    """

    index: Sequence[Path]
    audio: Sequence[Path]
    vocoded: Sequence[Path]
    faces: Sequence[Path] = ()
    screened: Sequence[Path] = ()


def load_tables(database: Database, tables: Tables) -> None:
    """Copy the needed columns into ``index_rows``, ``audio_rows``, ``compared_rows``, ``vocoded_rows``, ....

    Raises:
        AvfakeError: A table is broken, names a clip twice or an unknown split.
    """
    load_files(database, "index_rows", INDEX_COLUMNS, tables.index)
    load_files(database, "audio_rows", AUDIO_COLUMNS, tables.audio)
    load_files(database, "compared_rows", COMPARED_COLUMNS, _comparing(tables.audio))
    load_files(database, "vocoded_rows", VOCODED_COLUMNS, tables.vocoded)
    load_files(database, "faces_rows", FACES_COLUMNS, tables.faces)
    load_files(database, "screened_rows", SCREENED_COLUMNS, tables.screened)
    _refuse_repeated(database, "index_rows", "index", "")
    _refuse_repeated(database, "audio_rows", "fetch-audio", "")
    _refuse_repeated(database, "vocoded_rows", "vocode", ", vocoder")
    _refuse_repeated(database, "faces_rows", "faces", "")
    query = """
        SELECT corpus, clip_id, official_split FROM index_rows
        WHERE NOT list_contains(?, official_split) ORDER BY ALL LIMIT 1
    """
    if found := database.execute(query, [list(SPLITS)]).fetchone():
        raise AvfakeError(f"clip {found[0]}/{found[1]} has the official split {found[2]!r}: index it again")


def known_vocoders(database: Database) -> tuple[str, ...]:
    """Vocoders that made the sound of at least one indexed clip, sorted."""
    query = """
        SELECT DISTINCT vocoder FROM vocoded_rows SEMI JOIN index_rows USING (corpus, clip_id)
        WHERE vocoded_rows.status = 'ok' ORDER BY 1
    """
    return tuple(name for (name,) in database.execute(query).fetchall())


def judge_clips(database: Database, config: SplitConfig) -> None:
    """Make ``clips``, with the ``reason`` why each cannot be used (null when it can), and ``vocoded``.

    Raises:
        AvfakeError: No clip can be used.
    """
    vocoders = list(config.vocoders)
    database.execute(_JUDGE_SOUND)
    database.execute(_MATCH_VOCODED, [vocoders])
    wanted = {"vocoders": vocoders, "min_s": config.min_duration_s, "min_sync": config.min_sync}
    database.execute(_JUDGE, wanted)
    query = "SELECT count(*) || ' ' || reason, count(*) FROM clips GROUP BY reason ORDER BY 2 DESC, 1"
    reasons = [text for text, _ in database.execute(query).fetchall()]
    if None not in reasons:
        raise AvfakeError(f"no clip can be used: {', '.join(reasons) or 'the index is empty'}")


def _comparing(parts: Sequence[Path]) -> list[Path]:
    """Parts whose sounds were compared with their originals; those of earlier versions were not."""
    return [part for part in parts if "audio_matches_original" in pq.read_schema(part).names]


def _refuse_repeated(database: Database, table: str, command: str, more: str) -> None:
    """A killed stage may leave old parts beside new ones; which row is right, only the stage can tell."""
    query = f"""
        SELECT corpus, clip_id FROM {table} WHERE status = 'ok'
        GROUP BY corpus, clip_id{more} HAVING count(*) > 1 ORDER BY ALL LIMIT 1
    """
    if found := database.execute(query).fetchone():
        raise AvfakeError(
            f"clip {found[0]}/{found[1]} stands twice in the results of {command}: run avfake {command} again"
        )
