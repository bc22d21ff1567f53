"""Parquet in and out: whole files, our settings, and metadata that says how a table came to be."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from avfake import __version__
from avfake.errors import AvfakeError, one_line
from avfake.files import whole_file
from avfake.manifest.schema import SCHEMA_VERSION

ROW_GROUP = 65_536  # rows; fixed, because it decides the bytes of a file
_METADATA_KEY = b"avfake"


def write_table(
    path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema, metadata: Mapping[str, Any]
) -> None:
    """Write rows to one Parquet file; the same rows and metadata always give the same bytes.

    Args:
        path: Of the file; it appears whole or not at all.
        batches: Rows in their final order; any cut into batches gives the same file.
        schema: Of the rows.
        metadata: JSON-able facts on how the table was made; versions are added.
    """
    facts = {"schema_version": SCHEMA_VERSION, "avfake_version": __version__, **metadata}
    schema = schema.with_metadata({_METADATA_KEY: json.dumps(facts, sort_keys=True).encode()})
    with whole_file(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for table in _regrouped(batches, schema):
            writer.write_table(table, row_group_size=ROW_GROUP)


def write_rows(
    path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema, metadata: Mapping[str, Any]
) -> None:
    """Write a handful of dictionaries as one Parquet file; see :func:`write_table`."""
    batch = pa.RecordBatch.from_pylist([dict(row) for row in rows], schema=schema)
    write_table(path, [batch], schema, metadata)


def read_metadata(path: Path | str) -> dict[str, Any]:
    """The JSON facts stored by :func:`write_table`.

    Raises:
        AvfakeError: The file is missing, is no Parquet, or was not written by avfake.
    """
    try:
        found = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        raise AvfakeError(f"{path} is not a readable Parquet file: {one_line(error)}") from error
    if _METADATA_KEY not in found:
        raise AvfakeError(f"{path} was not written by avfake: it lacks the metadata key 'avfake'")
    facts: dict[str, Any] = json.loads(found[_METADATA_KEY])
    return facts


def _regrouped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterable[pa.Table]:
    """Tables of exactly ROW_GROUP rows (the last one shorter), so that batching leaves no trace."""
    waiting = schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(schema)])
        while waiting.num_rows >= ROW_GROUP:
            yield waiting.slice(0, ROW_GROUP).combine_chunks()
            waiting = waiting.slice(ROW_GROUP)
    if waiting.num_rows:
        yield waiting.combine_chunks()
