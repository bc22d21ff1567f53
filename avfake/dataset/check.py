"""Before hours of training: whether every row of a split has its files, and the ones it was built on."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from avfake.errors import AvfakeError
from avfake.files import sha256_of

_SHOWN = 3


def check_split(table: pa.Table, root: Path, *, hashes: bool = False) -> None:
    """Look for the face crops and the sound of every row.

    Args:
        table: Rows as ``read_split`` gives them.
        root: Data root (workspace) that their paths are relative to.
        hashes: Also read every file, and compare it with the SHA-256 in the row.

    Raises:
        AvfakeError: Rows cannot be used; the text names the first few and counts them all.
    """
    faults = list(_faults(table, root, hashes=hashes))
    if not faults:
        return
    shown = "; ".join(faults[:_SHOWN])
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    raise AvfakeError(
        f"{len(faults)} of {table.num_rows} rows cannot be used: {shown}{more}; "
        "make what is missing (avfake faces, avfake vocode) and build the split again"
    )


def _faults(table: pa.Table, root: Path, *, hashes: bool) -> Iterator[str]:
    """What is wrong with each row that cannot be used."""
    columns = ("sample_id", "corpus", "faces_path", "faces_sha256", "audio_path", "audio_sha256")
    known: dict[tuple[str, str | None], str | None] = {}  # rows share files
    for sample_id, corpus, *files in zip(*(table[name].to_pylist() for name in columns), strict=True):
        for name, path, sha256 in (("faces_path", *files[:2]), ("audio_path", *files[2:])):
            if path is None:
                fault: str | None = f"{name} is empty"
            else:
                key = (path, sha256 if hashes else None)
                fault = known[key] if key in known else known.setdefault(key, _file_fault(root, *key))
            if fault:
                yield f"{sample_id} of corpus {corpus}: {fault}"
                break


def _file_fault(root: Path, path: str, sha256: str | None) -> str | None:
    file = root / path
    if not file.is_file():
        return f"{path} does not exist"
    if sha256 and sha256_of(file) != sha256:
        return f"{path} has another SHA-256 than when the split was built"
    return None
