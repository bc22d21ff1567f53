"""The facts that ship with avfake, by name: sequences, pairs and methods of FaceForensics++."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq

from avfake.resources import resource_folder


@dataclass(frozen=True)
class Sequence:
    """One original video of FaceForensics++.

    Attributes:
        sequence_id: Three digits, ``000`` to ``999``.
        youtube_id: Upload it was cut from, 11 characters.
        youtube_sequence: Which of the sequences cut from that upload, from 0.
        split: Where the authors put it: train, val or test.
        identity_group: Sequences joined by official pairs and by shared uploads.
    """

    sequence_id: str
    youtube_id: str
    youtube_sequence: int
    split: str
    identity_group: str


@dataclass(frozen=True)
class Method:
    """One manipulation method of FaceForensics++.

    Attributes:
        method: Its folder under ``manipulated_sequences``.
        manipulation: ``identity-swap`` keeps the target's mouth motion, ``reenactment`` takes the source's.
        originals: Folder under ``original_sequences`` its clips were made from.
    """

    method: str
    manipulation: str
    originals: str


def shipped(name: str) -> pa.Table:
    """A shipped table, such as ``faceforensics/pairs``.

    Raises:
        ValueError: No table has this name.
    """
    folder = resource_folder("manifests")
    known = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.glob("*/*.parquet")}
    if name not in known:
        raise ValueError(f"table {name!r} is not shipped; choose one of {', '.join(sorted(known))}")
    return pq.ParquetFile(known[name]).read()


@cache
def ffpp_sequences() -> Mapping[str, Sequence]:
    """The 1000 original sequences by id."""
    rows = shipped("faceforensics/sequences").to_pylist()
    return {row["sequence_id"]: Sequence(**row) for row in rows}


@cache
def ffpp_pairs() -> frozenset[tuple[str, str]]:
    """Every official (target, source); each of the 500 pairs was manipulated in both directions."""
    rows = shipped("faceforensics/pairs").to_pylist()
    forth = [(row["target"], row["source"]) for row in rows]
    return frozenset([*forth, *((source, target) for target, source in forth)])


@cache
def ffpp_methods() -> Mapping[str, Method]:
    """The manipulation methods by folder name."""
    rows = shipped("faceforensics/methods").to_pylist()
    return {row["method"]: Method(**row) for row in rows}
