"""A split to train on, made once; runs of different tests have different names."""

from pathlib import Path

import pytest

from tests.training.making import make_split


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    make_split(folder)
    return folder
