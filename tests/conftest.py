"""Fixtures every test may use: the development material, and small media made on the spot."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in every worker; small tensors are slower on more

from avfake.curate.workspace import Workspace


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(os.environ.get("AVFAKE_SHARED", Path(__file__).parents[1] / ".." / "shared")).resolve()
    if not (folder / "data" / "index.csv").is_file():
        pytest.skip(f"development material is not at {folder}; set AVFAKE_SHARED")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "avfake-data")
