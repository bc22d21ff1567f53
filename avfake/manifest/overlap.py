"""Whether two splits share a person, a clip or a sound: the part of the proof that looks across files."""

from collections.abc import Sequence
from itertools import combinations, permutations
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avfake.manifest.schema import SPLITS

_DIGEST = 24  # characters of a SHA-256 that are compared: 96 bits, and a third of the memory


def find_overlaps(folder: Path, index: Sequence[Path]) -> tuple[dict[str, int], list[str]]:
    """Find identity groups, clips, sounds and source identities that stand in more than one split.

    Args:
        folder: With train.parquet, val.parquet and test.parquet.
        index: Index tables, which know the source identity of each fake.

    Returns:
        How many of each are shared, and a line for each pair of splits that share some.
    """
    shared, faults = {}, []
    held = {split: _held(folder / f"{split}.parquet") for split in SPLITS}
    for values in held.values():
        values["source identities"] = _sources(index, values["clips"])
    for what in ("identity groups", "clips", "sounds"):
        shared[what] = 0
        for one, other in combinations(SPLITS, 2):
            common = _common(held[one][what], held[other][what])
            shared[what] += len(common)
            faults += _overlap_fault(what, common, one, other)
    shared["source identities"] = 0
    for one, other in permutations(SPLITS, 2):
        common = _common(held[one]["source identities"], held[other]["identity groups"])
        shared["source identities"] += len(common)
        faults += _overlap_fault("source identities", common, one, other)
    return shared, faults


def _held(path: Path) -> dict[str, pa.Array]:
    """What a split must not share with another; each value once."""
    found: dict[str, list[pa.Array]] = {"identity groups": [], "clips": [], "sounds": []}
    columns = ["corpus", "clip_id", "audio_clip_id", "identity_group", "audio_sha256"]
    for batch in pq.ParquetFile(path).iter_batches(columns=columns):
        found["identity groups"].append(batch["identity_group"].unique())
        for name in ("clip_id", "audio_clip_id"):
            found["clips"].append(pc.binary_join_element_wise(batch["corpus"], batch[name], "/").unique())
        found["sounds"].append(pc.utf8_slice_codeunits(batch["audio_sha256"], 0, _DIGEST).unique())
    return {what: pa.chunked_array(arrays, pa.string()).unique() for what, arrays in found.items()}


def _sources(index: Sequence[Path], clips: pa.Array) -> pa.Array:
    """Identity groups of the sources of some clips."""
    found = [pa.array([], pa.string())]
    for path in index:
        for batch in pq.ParquetFile(path).iter_batches(columns=["corpus", "clip_id", "source_group"]):
            batch = batch.filter(pc.is_valid(batch["source_group"]))
            keys = pc.binary_join_element_wise(batch["corpus"], batch["clip_id"], "/")
            found.append(batch["source_group"].filter(pc.is_in(keys, clips)).unique())
    return pa.chunked_array(found).unique()


def _common(one: pa.Array, other: pa.Array) -> pa.Array:
    return one.filter(pc.is_in(one, other))


def _overlap_fault(what: str, common: pa.Array, one: str, other: str) -> list[str]:
    if not len(common):
        return []
    return [f"{len(common)} {what} of {one} are also in {other}, the first is {common[0]}"]
