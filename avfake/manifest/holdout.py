"""Which split each clip belongs to: official splits first, then whole parts, then groups of identities."""

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from avfake.manifest.database import Database, load_table
from avfake.manifest.draws import Content, Units, deal
from avfake.manifest.schema import SPLITS
from avfake.manifest.split_config import SplitConfig

MIN_PARTS = 3  # one for each split

# Splits are numbered from train to test, so that the most held-out one is the largest.
_LINKS = """
SELECT first, identity_group AS other FROM (
    SELECT DISTINCT identity_group, min(identity_group) OVER (PARTITION BY audio_sha256) AS first
    FROM clips WHERE reason IS NULL
) WHERE first <> identity_group ORDER BY ALL
"""

_HOMES = """
CREATE TABLE homes AS
WITH parted AS (
    SELECT corpus FROM clips WHERE reason IS NULL AND official_split IS NULL
    GROUP BY corpus HAVING count(DISTINCT part) >= ? AND count(*) = count(part)
), usable AS (
    SELECT corpus, clip_id, video_label, method, identity_group, source_group, audio_sha256, part,
        list_position(?, official_split) - 1 AS official,
        corpus IN (FROM parted) AND official_split IS NULL AS by_part,
        coalesce(j.component, identity_group) AS component
    FROM clips LEFT JOIN joined j USING (identity_group) WHERE reason IS NULL
)
SELECT * EXCLUDE (part, official, by_part),
    CASE WHEN official IS NOT NULL OR NOT by_part
        THEN coalesce(official, max(official) OVER (PARTITION BY component)) END AS fixed,
    CASE WHEN by_part THEN 'part/' || corpus || '/' || part ELSE 'identity/' || component END AS unit
FROM usable
"""

_UNITS = """
CREATE TABLE units AS
SELECT unit, row_number() OVER (ORDER BY unit) - 1 AS unit_no, draw(?, 'hold out', unit) AS key,
    count(*) AS n_rows,
    4 * starts_with(unit, 'part/')::INTEGER + 2 * max(video_label) + min(video_label) AS stratum
FROM homes WHERE fixed IS NULL GROUP BY unit
"""

_CONTENT = """
WITH kinds AS (
    SELECT method, row_number() OVER (ORDER BY method) AS kind
    FROM homes WHERE method IS NOT NULL GROUP BY method
)
SELECT u.unit_no AS unit, coalesce(s.unit_no, -1) AS source, coalesce(kinds.kind, 0) AS kind,
    count(*) AS n_rows
FROM homes h JOIN units u USING (unit) LEFT JOIN kinds USING (method)
LEFT JOIN joined j ON j.identity_group = h.source_group
LEFT JOIN units s ON s.unit = 'identity/' || coalesce(j.component, h.source_group)
WHERE h.fixed IS NULL GROUP BY ALL ORDER BY ALL
"""

_PLACE = """
CREATE TABLE placed AS
WITH first AS (
    SELECT h.*, coalesce(h.fixed, d.split_no)::TINYINT AS split_no
    FROM homes h LEFT JOIN dealt d USING (unit)
), grouped AS (
    SELECT *, max(split_no) OVER (PARTITION BY identity_group) AS group_no FROM first
), heard AS (
    SELECT *, max(split_no) FILTER (split_no = group_no) OVER (PARTITION BY audio_sha256) AS sound_no
    FROM grouped
), known AS (
    SELECT DISTINCT identity_group, split_no FROM heard WHERE split_no = group_no AND split_no = sound_no
)
SELECT h.corpus, h.clip_id, h.video_label, h.method, h.component, h.split_no,
    CASE
        WHEN h.split_no <> h.group_no THEN 'identity straddles splits'
        WHEN h.split_no <> h.sound_no THEN 'sound also in another split'
        WHEN h.split_no <> known.split_no THEN 'source identity in another split'
    END AS reason
FROM heard h LEFT JOIN known ON known.identity_group = h.source_group
"""


def place_clips(database: Database, config: SplitConfig) -> None:
    """Make ``placed``: the split of each usable clip, and the ``reason`` if it must stay out after all.

    Where a group of identities, or a sound, stands in two splits, the most held-out one keeps it.
    """
    _join_groups(database)
    database.execute(_HOMES, [MIN_PARTS, list(SPLITS)])
    database.execute(_UNITS, [config.seed])
    units = database.execute("SELECT * FROM units ORDER BY unit_no").fetchnumpy()
    split = np.zeros(0, np.int8)
    if len(units["unit"]):
        content = database.execute(_CONTENT).fetchnumpy()
        split = deal(
            Units(*(units[name] for name in Units._fields)),
            Content(*(content[name].astype(np.int64) for name in Content._fields)),
            config.ratios,
        )
    names = pa.array(units["unit"], pa.string())
    load_table(database, "dealt", pa.table({"unit": names, "split_no": pa.array(split, pa.int8())}))
    database.execute(_PLACE)


def _join_groups(database: Database) -> None:
    """Make ``joined``: identity groups that share a sound, under the first name of their component."""
    links = database.execute(_LINKS).fetchnumpy()
    n_links = len(links["first"])
    pairs = np.concatenate([links["first"], links["other"]]).astype(object)
    names, ends = np.unique(pairs, return_inverse=True)
    shape = (max(1, len(names)),) * 2
    graph = coo_array((np.ones(n_links), (ends[:n_links], ends[n_links:])), shape=shape)
    label = connected_components(graph, directed=False)[1][: len(names)]
    _, first = np.unique(label, return_index=True)
    columns = {"identity_group": names, "component": names[first[label]]}
    load_table(
        database,
        "joined",
        pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()}),
    )
