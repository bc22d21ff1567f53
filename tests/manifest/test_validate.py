import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avfake.curate.build_split import build_split
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.manifest.schema import SPLIT_SCHEMA
from avfake.manifest.table import write_table
from avfake.manifest.validate import read_split
from tests.split_tables import make_tables, people


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A built split whose sound files exist, if only in name."""
    workspace = Workspace(tmp_path_factory.mktemp("valid") / "avfake-data")
    make_tables(workspace, people(12))
    build_split(workspace)
    for path in table_of(workspace)["audio_path"].to_pylist():
        (workspace.root / path).parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / path).touch()
    return workspace


def table_of(workspace: Workspace) -> pa.Table:
    return pq.read_table(workspace.split("balanced") / "train.parquet")


@pytest.fixture
def refused(workspace: Workspace, tmp_path: Path) -> Callable[[pa.Table], str]:
    """The one line with which a changed table is refused."""

    def read_changed(table: pa.Table, **facts: Any) -> str:
        path = tmp_path / "train.parquet"
        write_table(path, table.to_batches(), table.schema, facts)
        with pytest.raises(AvfakeError) as caught:
            read_split(path, workspace.root)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return read_changed


def with_value(table: pa.Table, name: str, value: Any, row: int = 2) -> pa.Table:
    values = table[name].to_pylist()
    values[row] = value
    field = pa.field(name, SPLIT_SCHEMA.field(name).type)
    return table.set_column(table.column_names.index(name), field, pa.array(values, field.type))


def test_manifest_that_was_built_can_be_read(workspace: Workspace) -> None:
    path = workspace.split("balanced") / "train.parquet"
    assert read_split(path, workspace.root).equals(table_of(workspace))


def test_further_columns_are_dropped(workspace: Workspace, tmp_path: Path) -> None:
    table = table_of(workspace)
    wider = table.append_column("mood", pa.array(["glad"] * table.num_rows))
    write_table(tmp_path / "train.parquet", wider.to_batches(), wider.schema, {})
    assert read_split(tmp_path / "train.parquet", workspace.root).equals(table)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("quadrant", "both-fake", "quadrant=both-fake is unknown"),
        ("split", "dev", "split=dev is unknown"),
        ("label", 7, "label=7 does not follow from the quadrant"),
        ("duration_s", 0.0, "duration_s=0.0 must be above 0"),
        ("duration_s", float("nan"), "duration_s=nan must be above 0"),
        ("n_samples", -1, "n_samples=-1 must be above 0"),
        ("pad_s", -0.5, "pad_s=-0.5 must not be below 0"),
        ("clip_id", None, "clip_id is empty"),
        ("audio_path", "audio/folk/gone.flac", "audio_path=audio/folk/gone.flac does not exist under"),
        ("audio_path", "../secret.flac", "audio_path: path '../secret.flac' must be relative"),
        ("audio_path", "/etc/passwd", "audio_path: path '/etc/passwd' must be relative"),
        ("video_path", "..\\..\\x.mp4", "video_path: path"),
        ("faces_path", "faces/folk/gone.mkv", "faces_path=faces/folk/gone.mkv does not exist under"),
    ],
)
def test_wrong_value_is_refused_with_the_name_of_its_row(
    workspace: Workspace, refused: Callable[[pa.Table], str], name: str, value: Any, message: str
) -> None:
    table = table_of(workspace)
    found = refused(with_value(table, name, value))
    assert f"row {table['sample_id'][2]}: {message}" in found


def test_link_out_of_the_workspace_is_refused(
    workspace: Workspace, refused: Callable[[pa.Table], str], tmp_path: Path
) -> None:
    (workspace.root / "audio" / "outside").symlink_to(tmp_path)
    assert "is a link that leaves" in refused(
        with_value(table_of(workspace), "audio_path", "audio/outside/x.flac")
    )


def test_missing_column_is_named(workspace: Workspace, refused: Callable[[pa.Table], str]) -> None:
    table = table_of(workspace).drop_columns(["vocoder", "lag_ms"])
    assert "lacks the columns vocoder, lag_ms" in refused(table)


def test_column_of_another_type_is_named(workspace: Workspace, refused: Callable[[pa.Table], str]) -> None:
    table = table_of(workspace)
    texts = pa.array([str(value) for value in table["duration_s"].to_pylist()])
    table = table.set_column(table.column_names.index("duration_s"), "duration_s", texts)
    assert "column duration_s holds string, wanted double" in refused(table)


def test_other_schema_version_is_refused(workspace: Workspace, refused: Callable[..., str]) -> None:
    assert "has schema version 99, this avfake reads 1" in refused(table_of(workspace), schema_version=99)


def test_file_that_is_no_manifest_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="is not a readable Parquet file"):
        read_split(tmp_path / "none.parquet", workspace.root)
    (tmp_path / "page.parquet").write_bytes(b"<html>")
    with pytest.raises(AvfakeError, match="is not a readable Parquet file"):
        read_split(tmp_path / "page.parquet", workspace.root)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    with pytest.raises(AvfakeError, match="was not written by avfake"):
        read_split(tmp_path / "other.parquet", workspace.root)


def test_split_whose_build_was_cut_short_is_refused(
    workspace: Workspace, refused: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "report.json").write_text(json.dumps({"build": "of another day"}))
    assert "are of different builds" in refused(table_of(workspace), build="of today")
