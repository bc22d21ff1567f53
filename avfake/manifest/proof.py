"""Proof that a split is what it claims to be, read back from its files; shares no code with the builder."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from avfake.manifest.overlap import find_overlaps
from avfake.manifest.schema import SPLITS, Quadrant

_LABELS = ("video_label", "audio_label", "label")
_CELL = ("quadrant", "video_method", "vocoder")


@dataclass(frozen=True)
class Cell:
    """How often one kind of row occurs.

    Attributes:
        split: Where.
        quadrant: What is fake.
        video_method: Null when the video is real.
        vocoder: Null when the audio is real.
        n_rows: How many rows.
        n_groups: From how many identity groups.
        most_of_a_group: Rows of the identity group with most rows.
    """

    split: str
    quadrant: str
    video_method: str | None
    vocoder: str | None
    n_rows: int
    n_groups: int
    most_of_a_group: int


@dataclass(frozen=True)
class Proof:
    """What was counted, and what is wrong.

    Attributes:
        cells: Counts, sorted; their number does not grow with the rows.
        n_shared: How many identity groups, clips and sounds stand in more than one split; all 0 if sound.
        violations: One line each; empty when the split is what it claims to be.
    """

    cells: tuple[Cell, ...]
    n_shared: Mapping[str, int]
    violations: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The proof as JSON gives it back."""
        return {
            "cells": [asdict(cell) for cell in self.cells],
            "n_shared": dict(self.n_shared),
            "violations": list(self.violations),
        }


def prove(
    folder: Path, config: Mapping[str, Any], methods: Sequence[str], index: Sequence[Path] = ()
) -> Proof:
    """Check the three tables of a split against its configuration.

    Args:
        folder: With train.parquet, val.parquet and test.parquet.
        config: Options of the build, as stored in the files' metadata.
        methods: Video methods the build could choose from.
        index: Index tables, which know the source identity of each fake; without them it is not checked.

    Returns:
        Counts and violations; no violation raises.
    """
    violations: list[str] = []
    cells: list[Cell] = []
    for split in SPLITS:
        path = folder / f"{split}.parquet"
        violations += [f"{split}: {fault}" for fault in _row_faults(path, split)]
        counted = _count(path, split)
        cells += counted
        violations += [f"{split}: {fault}" for fault in _left_out_faults(counted, split, config, methods)]
        swapped = split == "train" and config["train_policy"] == "swap"
        if config["balanced"] and not swapped:
            violations += [f"{split}: {fault}" for fault in _balance_faults(counted, split, config, methods)]
            violations += [f"{split}: {fault}" for fault in _pair_faults(path)]
        if config["shuffle_audio"]:
            violations += [f"{split}: {fault}" for fault in _shuffle_faults(path)]
    shared, faults = find_overlaps(folder, index)
    return Proof(tuple(cells), shared, tuple(violations + faults))


def _row_faults(path: Path, split: str) -> Iterator[str]:
    """Rows that contradict themselves, and sample ids that are out of order or repeated."""
    seen: set[str] = set()
    before = ""
    columns = ["sample_id", "split", "quadrant", *_LABELS, "video_method", "vocoder"]
    for batch in pq.ParquetFile(path).iter_batches(columns=columns):
        ids = batch["sample_id"]
        previous = pa.concat_arrays([pa.array([before]), ids])[: len(ids)]
        wrong = {
            "sample_id is not above the one before it": pc.less_equal(ids, previous),
            "stands in the wrong file": pc.not_equal(batch["split"], split),
            **_label_faults(batch),
        }
        for fault, where in wrong.items():
            found = batch.filter(where)
            if found.num_rows and fault not in seen:
                seen.add(fault)
                yield f"row {found['sample_id'][0]}: {fault}"
        before = ids[-1].as_py() if len(ids) else before


def _label_faults(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """Where labels, method and vocoder do not follow from the quadrant, [rows] of bool each."""
    quadrant = batch["quadrant"]
    wrong = {"quadrant is unknown": pc.invert(pc.is_in(quadrant, pa.array([q.value for q in Quadrant])))}
    for name in _LABELS:
        fake = pa.array([q.value for q in Quadrant if getattr(q, name)])
        wrong[f"{name} does not follow from the quadrant"] = pc.not_equal(
            batch[name], pc.is_in(quadrant, fake).cast(pa.int8())
        )
    for name, label in (("video_method", "video_label"), ("vocoder", "audio_label")):
        named = pc.is_valid(batch[name]).cast(pa.int8())
        wrong[f"{name} and {label} contradict each other"] = pc.not_equal(named, batch[label])
    return wrong


def _count(path: Path, split: str) -> list[Cell]:
    """Rows and identity groups of each kind of row; only codes of the groups are kept in memory."""
    groups = pq.read_table(path, columns=["identity_group"])["identity_group"].dictionary_encode()
    codes = pa.chunked_array([chunk.indices for chunk in groups.unify_dictionaries().chunks], pa.int32())
    table = pq.read_table(path, columns=list(_CELL), read_dictionary=list(_CELL)).unify_dictionaries()
    table = table.append_column("group", codes)
    per_group = table.group_by([*_CELL, "group"]).aggregate([([], "count_all")])
    per_cell = per_group.group_by(list(_CELL)).aggregate(
        [("count_all", "sum"), ("count_all", "max"), ([], "count_all")]
    )
    rows = per_cell.to_pylist()
    rows.sort(key=lambda row: tuple(row[name] or "" for name in _CELL))
    return [
        Cell(
            split=split,
            **{name: row[name] for name in _CELL},
            n_rows=row["count_all_sum"],
            n_groups=row["count_all"],
            most_of_a_group=row["count_all_max"],
        )
        for row in rows
    ]


def _expected(split: str, names: Sequence[str], left_out: Sequence[str]) -> list[str]:
    """Methods or vocoders that may occur in a split."""
    if split == "test":
        return list(left_out or names)
    return [name for name in names if name not in left_out]


def _left_out_faults(
    cells: Sequence[Cell], split: str, config: Mapping[str, Any], methods: Sequence[str]
) -> Iterator[str]:
    for what, names, left_out in (
        ("video_method", methods, config["leave_out_method"]),
        ("vocoder", config["vocoders"], config["leave_out_vocoder"]),
    ):
        allowed = {None, *_expected(split, names, left_out)}
        for name in sorted({getattr(cell, what) for cell in cells} - allowed):
            n_rows = sum(cell.n_rows for cell in cells if getattr(cell, what) == name)
            yield f"{what} {name} must not occur here, but does in {n_rows} rows"


def _balance_faults(
    cells: Sequence[Cell], split: str, config: Mapping[str, Any], methods: Sequence[str]
) -> Iterator[str]:
    """Quadrants must be equal; methods, vocoders and their pairs equal give or take one."""
    seen = _expected(split, methods, config["leave_out_method"])
    heard = _expected(split, config["vocoders"], config["leave_out_vocoder"])
    sizes = {}
    for quadrant in Quadrant:
        here = [cell for cell in cells if cell.quadrant == quadrant]
        sizes[quadrant.value] = sum(cell.n_rows for cell in here)
        kinds = list(
            product(seen if quadrant.video_label else [None], heard if quadrant.audio_label else [None])
        )
        counts = dict.fromkeys(kinds, 0)
        counts |= {(cell.video_method, cell.vocoder): cell.n_rows for cell in here}
        for what, place in (("methods", 0), ("vocoders", 1), ("pairs of method and vocoder", None)):
            totals: dict[Any, int] = {}
            for kind, n_rows in counts.items():
                key = kind if place is None else kind[place]
                totals[key] = totals.get(key, 0) + n_rows
            if max(totals.values(), default=0) - min(totals.values(), default=0) > 1:
                yield f"{quadrant}: {what} are not equal: {_table(totals)}"
    if len(set(sizes.values())) > 1 or 0 in sizes.values():
        yield f"quadrants are not equal: {_table(sizes)}"


def _pair_faults(path: Path) -> Iterator[str]:
    """Both quadrants of one video label must show the same clips with the same people's sound, once each."""
    shown: dict[str, list[pa.Array]] = {quadrant.value: [] for quadrant in Quadrant}
    columns = ["quadrant", "corpus", "clip_id", "audio_clip_id"]
    for batch in pq.ParquetFile(path).iter_batches(columns=columns):
        keys = pc.binary_join_element_wise(batch["corpus"], batch["clip_id"], batch["audio_clip_id"], "/")
        for quadrant, found in shown.items():
            found.append(keys.filter(pc.equal(batch["quadrant"], quadrant)))
    for video in ("real", "fake"):
        real, fake = (_sorted(shown[f"{video}-{audio}"]) for audio in ("real", "fake"))
        if len(real.unique()) < len(real) or len(fake.unique()) < len(fake):
            yield f"a clip occurs twice in {video}-real or {video}-fake"
        elif not real.equals(fake):
            yield f"{video}-real and {video}-fake do not hold the same clips with the same sound"


def _shuffle_faults(path: Path) -> Iterator[str]:
    """No clip may keep its own sound, or get that of its own identity group."""
    columns = ["sample_id", "corpus", "clip_id", "audio_clip_id", "identity_group"]
    table = pq.read_table(path, columns=columns)
    clips = pc.binary_join_element_wise(table["corpus"], table["clip_id"], "/")
    sounds = pc.binary_join_element_wise(table["corpus"], table["audio_clip_id"], "/")
    whose = table["identity_group"].take(pc.index_in(sounds, clips.combine_chunks()))
    own = pc.or_(pc.equal(clips, sounds), pc.fill_null(pc.equal(whose, table["identity_group"]), False))
    kept = table.filter(own)
    if kept.num_rows:
        yield f"{kept.num_rows} rows are not shuffled, the first is {kept['sample_id'][0]}"


def _sorted(arrays: Sequence[pa.Array]) -> pa.Array:
    return pa.chunked_array(arrays, pa.string()).combine_chunks().sort()


def _table(counts: Mapping[Any, int]) -> str:
    def name(key: Any) -> str:
        return " + ".join(map(str, key)) if isinstance(key, tuple) else str(key)

    return ", ".join(f"{name(key)} {n}" for key, n in counts.items())
