"""Whose sound a clip gets: its own, or in the pairing control that of another person."""

from avfake.errors import AvfakeError
from avfake.manifest.database import Database
from avfake.manifest.schema import SPLITS

_OWN = """
CREATE TABLE donors AS
SELECT corpus, clip_id, clip_id AS donor FROM chosen
"""

# In a circle sorted by component, moving on by the size of the largest component leaves every component,
# if that is at most half of the circle. Components, not identity groups: they share no sound either.
_CIRCLES = """
CREATE TABLE circles AS
SELECT split_no, corpus, video_label, max(size) AS largest, sum(size) AS n_clips
FROM (
    SELECT split_no, corpus, video_label, count(*) AS size FROM chosen
    GROUP BY split_no, corpus, video_label, component
)
GROUP BY ALL
"""

_SHUFFLED = """
CREATE TABLE donors AS
WITH seated AS (
    SELECT c.*, row_number() OVER (
        PARTITION BY split_no, corpus, video_label ORDER BY component, draw(?, 'shuffle', name), name
    ) - 1 AS seat
    FROM chosen c
)
SELECT a.corpus, a.clip_id, b.clip_id AS donor
FROM seated a JOIN circles USING (split_no, corpus, video_label)
JOIN seated b ON b.split_no = a.split_no AND b.corpus = a.corpus AND b.video_label = a.video_label
    AND b.seat = (a.seat + largest) % n_clips
"""


def pair_sounds(database: Database, *, shuffle: bool, seed: int) -> None:
    """Make ``donors``: (corpus, clip_id, donor), the clip of the same corpus and split whose sound is used.

    Args:
        database: With the chosen clips.
        shuffle: Take the sound of another identity, among clips with the same video label.
        seed: Of the draw.

    Raises:
        AvfakeError: One identity holds more than half of the clips, so that shuffling cannot part them.
    """
    if not shuffle:
        database.execute(_OWN)
        return
    database.execute(_CIRCLES)
    query = "SELECT * FROM circles WHERE 2 * largest > n_clips ORDER BY ALL LIMIT 1"
    if found := database.execute(query).fetchone():
        split_no, corpus, video_label, largest, n_clips = found
        raise AvfakeError(
            f"{SPLITS[split_no]} x {corpus} x {'fake' if video_label else 'real'} video cannot be shuffled: "
            f"one identity has {largest} of {n_clips} clips, at most half are allowed; add identities"
        )
    database.execute(_SHUFFLED, [seed])
