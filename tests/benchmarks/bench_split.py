"""build-split and its proof on synthetic DFDC tables: seconds, peak memory, and how both grow.

Run: python tests/benchmarks/bench_split.py [clips ...] [--shard CLIPS]; default 128000 and 1280000, 16
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that it runs as a file and as a module

from avfake.curate.workspace import Workspace
from avfake.manifest.schema import INDEX_SCHEMA
from avfake.manifest.table import write_table
from tests.split_tables import AUDIO_SCHEMA, VOCODED_SCHEMA

VOCODERS = ("griffin-lim", "world")

# 50 parts; one real clip in six, as in DFDC; a clip in forty has an unknown sound, one in fifty was not
# fetched, one in a hundred not vocoded.
CLIPS = """
CREATE TABLE clips AS
SELECT 'dfdc' AS corpus, 'c' || lpad(i::VARCHAR, 9, '0') AS clip_id, 'ok' AS status,
    sha256('inputs' || i)[:16] AS inputs, (i % 6 <> 0)::TINYINT AS video_label,
    CASE WHEN i % 6 = 0 OR i % 40 <> 7 THEN 0 END::TINYINT AS audio_label,
    CASE WHEN i % 6 <> 0 THEN 'DFDC' END AS video_method, 'dfdc-' || i // 6 AS identity_group,
    'dfdc_train_part_' || (i // 6 * 6 * 50 // $n) AS part, part || '/c' || i || '.mp4' AS video_path,
    5000000 + i AS size_bytes, 10.0 AS duration_s, 29.97 AS video_fps, 300 AS n_frames, 1920 AS width,
    1080 AS height, 0 AS rotation, 'h264' AS video_codec, true AS has_audio, 'aac' AS audio_codec,
    44100 AS audio_rate, 1 AS audio_channels, sha256('sound' || i // 6) AS sound,
    22050 AS sample_rate, 220500 AS n_samples, i % 50 <> 3 AS fetched, i % 100 <> 11 AS vocoded
FROM range($n) numbers(i)
"""
FETCHED = """
SELECT * REPLACE (if(fetched, 'ok', 'failed') AS status), 'audio/dfdc/' || clip_id || '.flac' AS audio_path,
    if(fetched, NULL, 'no_audio') AS error_kind, sound AS audio_sha256, clip_id AS audio_clip_id,
    'own' AS audio_from, 10000.0 AS bandwidth_hz
FROM clips
"""
VOCODED = """
SELECT * REPLACE (if(vocoded, 'ok', 'failed') AS status), if(vocoded, $name, NULL) AS vocoder,
    'vocoded/' || $name || '/dfdc/' || clip_id || '.flac' AS audio_path, sound AS source_sha256,
    sha256($name || clip_id) AS audio_sha256, 0.5 AS blur_time_sigma, 0.0 AS blur_mel_sigma,
    0.1 AS lag_ms, 3.0 AS lsd_db, 9000.0 AS bandwidth_hz
FROM clips WHERE fetched
"""
BUILD = """
import json, resource, sys, time
from pathlib import Path
from avfake.curate.build_split import build_split
from avfake.curate.workspace import Workspace

started = time.perf_counter()
report = build_split(Workspace(Path(sys.argv[1])), jobs=2)
print(json.dumps({
    "seconds": time.perf_counter() - started,
    "cpu_s": time.process_time(),
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "n_rows": sum(sum(quadrants.values()) for quadrants in report.n_rows.values()),
}))
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("clips", type=int, nargs="*", default=[128_000, 1_280_000])
    arguments.add_argument("--shard", type=int, default=16, help="clips in a part of a ledger")
    options = arguments.parse_args()
    seconds = {n_clips: measure(n_clips, options.shard) for n_clips in options.clips}
    fewest, most = min(seconds), max(seconds)
    if most > fewest:
        growth = seconds[most] / seconds[fewest]
        print(f"{most / fewest:.1f} times the clips take {growth:.1f} times as long")


def measure(n_clips: int, shard: int) -> float:
    """Build once from fresh tables, in a process of its own so that the peak memory is its own."""
    with tempfile.TemporaryDirectory() as folder:
        make_tables(Workspace(Path(folder)), n_clips, shard)
        command = [sys.executable, "-c", BUILD, folder]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(
        f"{n_clips} clips in parts of {shard}: {found['seconds']:.1f} s ({found['cpu_s']:.1f} s of CPU), "
        f"peak {found['peak_mib']:.0f} MiB, {found['n_rows']} rows"
    )
    return float(found["seconds"])


def make_tables(workspace: Workspace, n_clips: int, shard: int) -> None:
    """Index and ledgers of so many clips, the ledgers cut into parts of so many clips."""
    database = duckdb.connect()
    database.execute("SET enable_progress_bar = false")
    database.execute(CLIPS.replace("$n", str(n_clips)))
    facts = {"kind": "dfdc", "root": "/data/dfdc"}
    index = rows(database, INDEX_SCHEMA, "FROM clips", {})
    write_table(workspace.index("dfdc"), index, INDEX_SCHEMA, facts)
    fetched = rows(database, AUDIO_SCHEMA, FETCHED, {})
    write_parts(workspace.ledger("audio"), "dfdc", fetched, shard)
    for name in VOCODERS:
        vocoded = rows(database, VOCODED_SCHEMA, VOCODED, {"name": name})
        write_parts(workspace.ledger("vocoded"), f"{name}-dfdc", vocoded, shard)


def rows(
    database: duckdb.DuckDBPyConnection, schema: pa.Schema, query: str, parameters: dict[str, str]
) -> Iterator[pa.RecordBatch]:
    """Sorted rows of a query in a schema's columns; what the query lacks is null."""
    found = database.sql(f"FROM ({query}) ORDER BY clip_id", params=parameters)
    columns = [name if name in found.columns else f"NULL AS {name}" for name in schema.names]
    for batch in found.project(", ".join(columns)).to_arrow_reader(65_536):
        yield batch.cast(schema)


def write_parts(ledger: Path, scope: str, batches: Iterator[pa.RecordBatch], shard: int) -> None:
    """Parts as a stage writes them, but without its fsync: these files are only read."""
    ledger.mkdir(parents=True, exist_ok=True)
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, shard):
            part = ledger / f"part-{scope}-{number:05d}-00000000.parquet"
            pq.write_table(pa.Table.from_batches([batch.slice(start, shard)]), part, compression="zstd")
            number += 1


if __name__ == "__main__":
    main()
