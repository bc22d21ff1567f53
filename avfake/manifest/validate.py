"""The door between curation and detection: a manifest is checked here before anyone trusts a row of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avfake.errors import AvfakeError, one_line
from avfake.files import inside
from avfake.manifest.schema import SCHEMA_VERSION, SPLIT_SCHEMA, SPLITS, Quadrant
from avfake.manifest.table import read_metadata


def read_split(path: Path, root: Path, *, check_files: bool = True) -> pa.Table:
    """Read one manifest file, or say which row of it cannot be trusted.

    Args:
        path: Of train.parquet, val.parquet or test.parquet.
        root: Data root (workspace) that sound and faces paths are relative to.
        check_files: Also look whether each of these files exists.

    Returns:
        Columns of SPLIT_SCHEMA in its order; other columns are dropped.

    Raises:
        AvfakeError: The file is no manifest of this schema version, lacks a column, holds a wrong type,
            a wrong value or an unsafe path, names a file that does not exist, or belongs to a build that
            was cut short.
    """
    metadata = read_metadata(path)
    if metadata.get("schema_version") != SCHEMA_VERSION:
        raise AvfakeError(
            f"{path} has schema version {metadata.get('schema_version')}, "
            f"this avfake reads {SCHEMA_VERSION}: build the split again"
        )
    table = _typed(path)
    for name, fault, where in _faults(table):
        wrong = table.filter(pc.fill_null(where, True))
        if wrong.num_rows:
            raise AvfakeError(f"{path}, row {wrong['sample_id'][0]}: {name}={wrong[name][0]} {fault}")
    _check_paths(path, root, table, check_files=check_files)
    _refuse_torn(path, metadata)
    return table


def _typed(path: Path) -> pa.Table:
    """The rows, if every column is there with its type and without forbidden nulls."""
    found = pq.read_schema(path)
    if missing := [name for name in SPLIT_SCHEMA.names if name not in found.names]:
        raise AvfakeError(f"{path} lacks the columns {', '.join(missing)}: build the split again")
    for field in SPLIT_SCHEMA:
        if found.field(field.name).type != field.type:
            raise AvfakeError(
                f"{path}: column {field.name} holds {found.field(field.name).type}, wanted {field.type}"
            )
    try:
        table = pq.read_table(path, columns=SPLIT_SCHEMA.names)
    except (OSError, pa.ArrowException) as error:
        raise AvfakeError(f"{path} cannot be read: {one_line(error)}") from error
    for field in SPLIT_SCHEMA:
        if not field.nullable and table[field.name].null_count:
            row = table.filter(pc.is_null(table[field.name]))["sample_id"][0]
            raise AvfakeError(f"{path}, row {row}: {field.name} is empty")
    return table


def _faults(table: pa.Table) -> Iterator[tuple[str, str, pa.ChunkedArray]]:
    """Rules on values: a column, what is wrong with it, and where, [rows] of bool."""
    quadrant = table["quadrant"]
    known = pa.array([value.value for value in Quadrant])
    yield "quadrant", "is unknown", pc.invert(pc.is_in(quadrant, known))
    yield "split", "is unknown", pc.invert(pc.is_in(table["split"], pa.array(SPLITS)))
    for name in ("video_label", "audio_label", "label"):
        fake = pa.array([value.value for value in Quadrant if getattr(value, name)])
        expected = pc.is_in(quadrant, fake).cast(pa.int8())
        yield name, "does not follow from the quadrant", pc.not_equal(table[name], expected)
    for name in ("duration_s", "n_samples", "sample_rate"):
        yield name, "must be above 0", pc.invert(pc.greater(table[name], 0))
    for name in ("start_s", "pad_s"):
        yield name, "must not be below 0", pc.invert(pc.greater_equal(table[name], 0))


def _check_paths(path: Path, root: Path, table: pa.Table, *, check_files: bool) -> None:
    """Paths must stay inside; video_path is relative to its corpus, so its file is not looked for."""
    for name in ("video_path", "audio_path", "faces_path"):
        for sample_id, value in zip(table["sample_id"].to_pylist(), table[name].to_pylist(), strict=True):
            if value is None:
                continue
            try:
                file = inside(root, value)
            except AvfakeError as error:
                raise AvfakeError(f"{path}, row {sample_id}: {name}: {error}") from error
            if check_files and name != "video_path" and not file.is_file():
                raise AvfakeError(f"{path}, row {sample_id}: {name}={value} does not exist under {root}")


def _refuse_torn(path: Path, metadata: dict[str, Any]) -> None:
    """A build that was cut short while its files were put in place leaves another build's report."""
    try:
        report = json.loads((path.parent / "report.json").read_bytes())
    except (OSError, ValueError):
        return
    if isinstance(report, dict) and report.get("build", metadata.get("build")) != metadata.get("build"):
        raise AvfakeError(f"{path} and its report.json are of different builds: build the split again")
