"""The folder of an evaluation: there whole or not at all, written by one process, and known again."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from avfake.errors import StorageError
from avfake.files import hold

RESULT, SCORES = "metrics.json", "scores.parquet"
PAGE, TABLES, PICTURE = "tables.md", "tables.tex", "reliability.png"
_FILES = (RESULT, SCORES, PAGE, TABLES, PICTURE)


def read_result(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a finished evaluation found, if it was made from the same things and all of it is there.

    Args:
        folder: Of the evaluation.
        facts: All that decides it, as JSON has them.
    """
    try:
        found = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and all((folder / name).is_file() for name in _FILES)
    return found if whole and all(found.get(name) == value for name, value in facts.items()) else None


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Hold a folder for one process and give another one to fill, which takes its place when all went well.

    Raises:
        AvfakeError: Another process holds it.
        StorageError: The disk is full or cannot be written.
    """
    filling, former = (path.with_name(f".{path.name}.{name}") for name in ("new", "old"))
    busy = f"another avfake evaluate is writing to {path}; wait for it"
    with hold(path.with_name(f".{path.name}.lock"), busy=busy):
        try:
            for folder in (filling, former):  # left by a process that was killed
                shutil.rmtree(folder, ignore_errors=True)
            yield filling
            if path.exists():
                path.replace(former)
            filling.replace(path)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror or error}; free some space") from error
        finally:
            shutil.rmtree(filling, ignore_errors=True)
            shutil.rmtree(former, ignore_errors=True)
