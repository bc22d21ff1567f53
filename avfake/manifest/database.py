"""A DuckDB database on disk for one build: joins and draws that need not fit into memory."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from avfake.errors import AvfakeError, StorageError, one_line

Database = duckdb.DuckDBPyConnection
MEMORY = "512MiB"  # of DuckDB's buffers; what exceeds it goes to the folder of the database
_FILES_AT_ONCE = 500  # DuckDB keeps the footer of each file of one read in memory
_BATCH = 65_536

# Every draw is a rank by this hash of the seed, the purpose of the draw and the name of what is drawn.
# MD5 and not DuckDB's own hash, which may change with its version.
_DRAW = "CREATE MACRO draw(seed, purpose, name) AS md5_number_lower(concat_ws('/', seed, purpose, name))"


@contextmanager
def open_database(folder: Path, *, threads: int) -> Iterator[Database]:
    """Open a fresh database in ``folder``; it is gone afterwards.

    Args:
        folder: For the database and what spills from memory; made if missing.
        threads: That DuckDB may use; no result depends on it.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
        AvfakeError: An input table is broken or lacks a column.
    """
    options: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "memory_limit": MEMORY,
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": False,
        "autoload_known_extensions": False,
    }
    try:
        shutil.rmtree(folder, ignore_errors=True)  # what a killed build left
        folder.mkdir(parents=True)
        with duckdb.connect(folder / "build.duckdb", config=options) as database:
            database.execute("SET enable_progress_bar = false")  # it writes to stdout, where results go
            database.execute(_DRAW)
            yield database
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise StorageError(f"cannot build in {folder}: {one_line(error)}; free some space") from error
    except duckdb.Error as error:
        raise AvfakeError(f"the tables of the workspace cannot be joined: {one_line(error)}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def load_files(database: Database, table: str, columns: Mapping[str, str], files: Sequence[Path]) -> None:
    """Make a table of the named columns of Parquet files that may hold others too.

    Args:
        database: Where the table is made.
        table: Its name.
        columns: SQL type of each column.
        files: Parquet files, any number; none gives an empty table.

    Raises:
        AvfakeError: A file is broken, or none of the files has one of the columns.
    """
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    wanted = ", ".join(f"CAST({name} AS {kind})" for name, kind in columns.items())
    database.execute(f"CREATE TABLE {table} ({declared})")
    for start in range(0, len(files), _FILES_AT_ONCE):
        names = [str(path) for path in files[start : start + _FILES_AT_ONCE]]
        try:
            database.execute(
                f"INSERT INTO {table} SELECT {wanted} FROM read_parquet(?, union_by_name = true)", [names]
            )
        except duckdb.Error as error:
            folder = files[start].parent
            raise AvfakeError(f"a table in {folder} cannot be read: {one_line(error)}") from error


def load_table(database: Database, name: str, table: pa.Table) -> None:
    """Copy an Arrow table into the database."""
    database.register("arriving", table)
    database.execute(f"CREATE TABLE {name} AS SELECT * FROM arriving")
    database.unregister("arriving")


def stream(database: Database, query: str, parameters: Sequence[object]) -> Iterator[pa.RecordBatch]:
    """Rows of a query, batch by batch."""
    yield from database.sql(query, params=list(parameters)).to_arrow_reader(_BATCH)
