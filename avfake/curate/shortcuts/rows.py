"""The rows an audit looks at: all of a split, or whole identity groups of it drawn by hash."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from avfake.curate.faces import face_parts
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError, one_line
from avfake.manifest.schema import SCHEMA_VERSION, SPLIT_SCHEMA, SPLITS
from avfake.manifest.table import read_metadata

COLUMNS = (
    "sample_id",
    "corpus",
    "video_label",
    "audio_label",
    "label",
    "clip_id",
    "identity_group",
    "faces_path",
    "audio_path",
    "audio_clip_id",
    "audio_sha256",
    "start_s",
    "duration_s",
    "video_fps",
    "pad_s",
)
VIDEO_COLUMNS = ("width", "height", "n_frames", "video_codec")
FACE_COLUMNS = ("face_height_px", "brightness", "n_frames")

Facts = dict[str, object]


def read_rows(workspace: Workspace, split_name: str, *, max_rows: int, seed: int) -> tuple[pa.Table, int]:
    """Rows of train, val and test together, sorted by ``sample_id``, and how many the split holds.

    A larger split is cut to ``max_rows``: identity groups are ranked by a hash of seed and name and taken
    whole until there are enough rows. Memory grows with the rows taken, not with the split. Identity groups
    that share a sound come back as one.

    Raises:
        AvfakeError: The split is not there, is empty, or is no split of this version.
    """
    folder = workspace.split(split_name)
    paths = [path for name in SPLITS if (path := folder / f"{name}.parquet").exists()]
    if not paths:
        raise AvfakeError(f"split {split_name!r} is not in {folder}; build it with avfake build-split")
    builds = {_check(path) for path in paths}
    if len(builds) > 1:
        raise AvfakeError(f"the tables in {folder} are of different builds; run avfake build-split again")
    sizes = _count_groups(paths)
    n_rows = sum(sizes.values())
    if not n_rows:
        raise AvfakeError(f"split {split_name!r} in {folder} has no rows; nothing can be audited")
    chosen = _choose_groups(sizes, max_rows, seed)
    wanted = pc.field("identity_group").isin(chosen)
    tables = [pq.read_table(path, columns=list(COLUMNS), filters=wanted) for path in paths]
    table = pa.concat_tables([part.replace_schema_metadata(None) for part in tables])
    _check_values(table, folder)
    return _joined_by_sound(table.sort_by("sample_id").slice(0, max_rows)), n_rows


def read_video_facts(workspace: Workspace, rows: pa.Table) -> tuple[list[Facts], list[str]]:
    """What the index knows of each row's video, [rows], and a note per corpus that has no index.

    Raises:
        AvfakeError: An index cannot be read.
    """
    facts: dict[tuple[str, str], Facts] = {}
    notes = []
    for corpus in pc.unique(rows["corpus"]).to_pylist():
        path = workspace.index(corpus)
        if not path.exists():
            notes.append(f"video cues of {corpus} are missing: there is no {path}")
            continue
        try:
            found = pq.read_table(path, columns=["clip_id", *VIDEO_COLUMNS], filters=_clips(rows, corpus))
        except (OSError, pa.ArrowException) as error:
            raise AvfakeError(f"{path} is no index of this version: {one_line(error)}") from error
        facts |= {(corpus, row["clip_id"]): row for row in found.to_pylist()}
    return _by_row(facts, rows), notes


def read_face_facts(workspace: Workspace, rows: pa.Table) -> list[Facts]:
    """What the ledger of faces knows of each row's crops, [rows]; empty where there are none."""
    facts: dict[tuple[str, str], Facts] = {}
    if rows["faces_path"].null_count < rows.num_rows:
        columns = ["corpus", "clip_id", *FACE_COLUMNS]
        for corpus in pc.unique(rows["corpus"]).to_pylist():
            for part in face_parts(workspace, corpus):
                found = pq.read_table(part, columns=columns, filters=_clips(rows, corpus))
                facts |= {(corpus, row["clip_id"]): row for row in found.to_pylist()}
    return _by_row(facts, rows)


def _clips(rows: pa.Table, corpus: str) -> pc.Expression:
    """Whether a clip is one that a row of this corpus shows."""
    shown = pc.unique(rows.filter(pc.field("corpus") == corpus)["clip_id"])
    return pc.field("clip_id").isin(shown)


def _by_row(facts: Mapping[tuple[str, str], Facts], rows: pa.Table) -> list[Facts]:
    keys = zip(rows["corpus"].to_pylist(), rows["clip_id"].to_pylist(), strict=True)
    return [facts.get(key, {}) for key in keys]


def _check(path: Path) -> str | None:
    """Refuse a table that is no split of this version; give the fingerprint of its build."""
    facts = read_metadata(path)
    version = facts.get("schema_version")
    if version != SCHEMA_VERSION:
        raise AvfakeError(f"{path} has schema version {version}, this avfake reads {SCHEMA_VERSION}")
    schema = pq.read_schema(path)
    wrong = [name for name in COLUMNS if name not in schema.names or not _same_type(schema, name)]
    if wrong:
        raise AvfakeError(f"{path} lacks columns or has others under their names: {', '.join(wrong)}")
    return facts.get("build")


def _check_values(rows: pa.Table, folder: Path) -> None:
    for name in COLUMNS:
        if rows[name].null_count and not SPLIT_SCHEMA.field(name).nullable:
            raise AvfakeError(f"column {name} in {folder} has empty values; run avfake build-split again")
    for name in ("video_label", "audio_label", "label"):
        if not set(rows[name].unique().to_pylist()) <= {0, 1}:
            raise AvfakeError(f"column {name} in {folder} must hold 0 and 1; run avfake build-split again")


def _same_type(schema: pa.Schema, name: str) -> bool:
    return bool(schema.field(name).type == SPLIT_SCHEMA.field(name).type)


def _joined_by_sound(rows: pa.Table) -> pa.Table:
    """Rows with one name for identity groups that share a sound, which build-split keeps together too.

    Otherwise any cue that varies would tell a recording that was heard in training, and that it is real:
    the copies of a real sound are equal to the last digit, its resyntheses are not.
    """
    names, group = np.unique(rows["identity_group"].to_numpy(), return_inverse=True)
    sounds, sound = np.unique(rows["audio_sha256"].to_numpy(), return_inverse=True)
    n_nodes = len(names) + len(sounds)
    links = coo_array((np.ones(len(group)), (group, len(names) + sound)), shape=(n_nodes, n_nodes))
    component = connected_components(links, directed=False)[1][: len(names)]
    _, first, which = np.unique(component, return_index=True, return_inverse=True)
    place = rows.schema.get_field_index("identity_group")
    return rows.set_column(place, "identity_group", pa.array(names[first[which[group]]], pa.string()))


def _count_groups(paths: list[Path]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["identity_group"]):
                for entry in batch.column(0).value_counts():
                    sizes[entry["values"].as_py()] += entry["counts"].as_py()
    return sizes


def _choose_groups(sizes: Counter[str], max_rows: int, seed: int) -> pa.Array:
    def rank(group: str) -> bytes:
        return hashlib.sha256(f"{seed}/audit/{group}".encode()).digest()

    chosen, n_rows = [], 0
    for group in sorted(sizes, key=rank):
        if n_rows >= max_rows:
            break
        chosen.append(group)
        n_rows += sizes[group]
    return pa.array(chosen, pa.string())
