"""The whole pipeline on a handful of clips."""

import json
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from avfake.demo.pipeline import run_demo
from avfake.files import sha256_of
from avfake.manifest.schema import Quadrant


@pytest.mark.slow
def test_demo_ends_in_a_balanced_split_and_a_second_run_changes_no_byte(tmp_path: Path) -> None:
    report = run_demo(tmp_path, n_identities=6, clips_per_identity=2, jobs=2)
    folder = Path(report.split_folder)
    tables = [folder / f"{split}.parquet" for split in ("train", "val", "test")]
    for table in tables:
        quadrants = pq.read_table(table)["quadrant"].to_pylist()
        counts = {quadrants.count(quadrant) for quadrant in Quadrant}
        assert len(counts) == 1
        assert counts != {0}
    assert report.n_failed == 0
    assert json.dumps(asdict(report))
    assert report.picture in str(report)
    before = [sha256_of(path) for path in (*tables, Path(report.picture))]
    again = run_demo(tmp_path, n_identities=6, clips_per_identity=2, jobs=1)
    assert again.clips.n_made == 0
    assert [sha256_of(path) for path in (*tables, Path(again.picture))] == before
