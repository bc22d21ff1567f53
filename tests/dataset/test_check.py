from pathlib import Path

import pyarrow as pa
import pytest

from avfake.dataset.check import check_split
from avfake.errors import AvfakeError
from tests.dataset.making import make_split


@pytest.fixture
def table(tmp_path: Path) -> pa.Table:
    return make_split(tmp_path, seconds=0.3)


def test_whole_split_passes(tmp_path: Path, table: pa.Table) -> None:
    check_split(table, tmp_path)
    check_split(table, tmp_path, hashes=True)


def test_first_faults_are_named_and_all_counted(tmp_path: Path, table: pa.Table) -> None:
    rows = table.to_pylist()
    rows[1]["faces_path"] = None
    (tmp_path / rows[2]["audio_path"]).unlink()
    for row in rows[3:6]:
        (tmp_path / row["faces_path"]).unlink()
    with pytest.raises(AvfakeError) as caught:
        check_split(pa.Table.from_pylist(rows, schema=table.schema), tmp_path)
    message = str(caught.value)
    assert message.startswith("5 of 8 rows cannot be used: ")
    assert f"{rows[1]['sample_id']} of corpus made: faces_path is empty; " in message
    assert f"{rows[2]['sample_id']} of corpus made: {rows[2]['audio_path']} does not exist" in message
    assert f"{rows[3]['sample_id']} of corpus made: {rows[3]['faces_path']} does not exist" in message
    assert rows[4]["sample_id"] not in message
    assert "; and 2 more; " in message
    assert "\n" not in message


def test_changed_file_is_found_by_its_hash(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / table["audio_path"][4].as_py()
    path.write_bytes(path.read_bytes() + b"\0")
    check_split(table, tmp_path)
    with pytest.raises(AvfakeError, match="1 of 8 rows .* has another SHA-256 than when the split was built"):
        check_split(table, tmp_path, hashes=True)
