"""The rows of a split: which clips, which vocoder, whose sound; every draw a rank by hash."""

import pyarrow as pa

from avfake.manifest.database import Database, load_table
from avfake.manifest.quotas import balanced_quotas
from avfake.manifest.schema import SPLITS
from avfake.manifest.split_config import SplitConfig

REAL = ""  # stands for the method of real video where methods are counted

_POOL = """
CREATE TABLE pool AS
SELECT corpus, clip_id, split_no, video_label, component, coalesce(method, '') AS method,
    corpus || '/' || clip_id AS name
FROM placed p SEMI JOIN allowed a ON a.split_no = p.split_no AND a.method = coalesce(p.method, '')
WHERE p.reason IS NULL
"""

_CHOOSE = """
CREATE TABLE chosen AS
SELECT * EXCLUDE (place, quota) FROM (
    SELECT pool.*, quota, row_number() OVER (
        PARTITION BY split_no, method ORDER BY draw(?, 'choose', name), name
    ) AS place
    FROM pool JOIN quotas USING (split_no, method)
) WHERE place <= quota
"""

# Going round the vocoders through the clips sorted by method gives each method, and the whole quadrant,
# every vocoder equally often, give or take one.
_VOICE_BALANCED = """
INSERT INTO rows
WITH voices AS (
    SELECT split_no, video_label, vocoder, row_number() OVER (
        PARTITION BY split_no, video_label
        ORDER BY draw(?, 'order of vocoders', concat_ws('/', split_no, video_label, vocoder)), vocoder
    ) - 1 AS turn
    FROM heard_in, (VALUES (0), (1)) labels(video_label)
), queue AS (
    SELECT *, row_number() OVER (
        PARTITION BY split_no, video_label
        ORDER BY method, draw(?, 'vocoder', name), name
    ) - 1 AS place
    FROM chosen
)
SELECT q.split_no, q.corpus, q.clip_id, v.vocoder
FROM queue q JOIN n_voices n USING (split_no)
JOIN voices v ON v.split_no = q.split_no AND v.video_label = q.video_label AND v.turn = q.place % n.n
WHERE list_contains(?, q.split_no)
"""

_VOICE_EACH = """
INSERT INTO rows
SELECT split_no, corpus, clip_id, vocoder FROM chosen JOIN heard_in USING (split_no)
WHERE list_contains(?, split_no)
"""

_UNVOICED = """
INSERT INTO rows
SELECT split_no, corpus, clip_id, NULL FROM chosen WHERE list_contains(?, split_no)
"""

_SWAP = """
INSERT INTO rows
WITH voices AS (
    SELECT *, row_number() OVER (PARTITION BY split_no ORDER BY vocoder) - 1 AS turn FROM heard_in
)
SELECT c.split_no, c.corpus, c.clip_id, CASE WHEN draw(?, 'swap', name) % 2 = 1 THEN v.vocoder END
FROM chosen c JOIN n_voices n USING (split_no)
JOIN voices v ON v.split_no = c.split_no AND v.turn = draw(?, 'vocoder of swap', name) % n.n
WHERE list_contains(?, c.split_no)
"""


def choose_rows(database: Database, config: SplitConfig) -> tuple[str, ...]:
    """Make ``rows``: (split_no, corpus, clip_id, vocoder), vocoder null where the audio stays real.

    Returns:
        The video methods that usable clips show.

    Raises:
        AvfakeError: A cell of the balance is short, or leaving out leaves nothing.
    """
    methods = _methods(database)
    _allow(database, config, methods)
    database.execute(_POOL)
    load_table(database, "quotas", _quotas(database, config, methods))
    database.execute(_CHOOSE, [config.seed])
    database.execute("CREATE TABLE rows (split_no TINYINT, corpus VARCHAR, clip_id VARCHAR, vocoder VARCHAR)")
    swapped = [number for number, split in enumerate(SPLITS) if config.is_swapped(split)]
    others = [number for number in range(len(SPLITS)) if number not in swapped]
    database.execute(_SWAP, [config.seed, config.seed, swapped])
    database.execute(_UNVOICED, [others])
    if config.balanced:
        database.execute(_VOICE_BALANCED, [config.seed, config.seed, others])
    else:
        database.execute(_VOICE_EACH, [others])
    return methods


def _methods(database: Database) -> tuple[str, ...]:
    query = """
        SELECT DISTINCT method FROM placed WHERE method IS NOT NULL AND reason IS NULL ORDER BY 1
    """
    return tuple(name for (name,) in database.execute(query).fetchall())


def _allow(database: Database, config: SplitConfig, methods: tuple[str, ...]) -> None:
    """Make ``allowed`` (methods) and ``heard_in`` (vocoders) of each split."""
    seen = [
        (no, name) for no, split in enumerate(SPLITS) for name in (REAL, *config.methods_of(split, methods))
    ]
    heard = [(no, name) for no, split in enumerate(SPLITS) for name in config.vocoders_of(split)]
    load_table(database, "allowed", _numbered(seen, "method"))
    load_table(database, "heard_in", _numbered(heard, "vocoder"))
    database.execute(
        "CREATE TABLE n_voices AS SELECT split_no, count(*) AS n FROM heard_in GROUP BY split_no"
    )


def _quotas(database: Database, config: SplitConfig, methods: tuple[str, ...]) -> pa.Table:
    """How many clips of each method each split takes."""
    query = "SELECT split_no, method, count(*) FROM pool GROUP BY ALL"
    counts = {(no, method): n for no, method, n in database.execute(query).fetchall()}
    taken = []
    for no, split in enumerate(SPLITS):
        names = config.methods_of(split, methods)
        if config.is_swapped(split) or not config.balanced:
            taken += [(no, name, counts.get((no, name), 0)) for name in (REAL, *names)]
            continue
        n_real, n_fake = balanced_quotas(
            split,
            counts.get((no, REAL), 0),
            {name: counts.get((no, name), 0) for name in names},
            order=_shuffled(database, names, f"methods of {split}", config.seed),
            per_quadrant=config.per_quadrant,
        )
        taken += [(no, REAL, n_real), *((no, name, n) for name, n in n_fake.items())]
    table = _numbered([(no, name) for no, name, _ in taken], "method")
    return table.append_column("quota", pa.array([n for _, _, n in taken], pa.int64()))


def _shuffled(database: Database, names: tuple[str, ...], purpose: str, seed: int) -> list[str]:
    query = "SELECT name FROM (SELECT unnest(?::VARCHAR[]) AS name) ORDER BY draw(?, ?, name), name"
    return [name for (name,) in database.execute(query, [list(names), seed, purpose]).fetchall()]


def _numbered(pairs: list[tuple[int, str]], column: str) -> pa.Table:
    numbers = pa.array([number for number, _ in pairs], pa.int8())
    return pa.table({"split_no": numbers, column: pa.array([name for _, name in pairs], pa.string())})
