"""Make the shipped facts of FaceForensics++ from its authors' JSON files, and the sums of all shipped tables.

    python manifests/make_faceforensics.py FACTS_DIR [OUT_DIR]

FACTS_DIR holds ``conversion_dict.json`` and ``train.json``, ``val.json``, ``test.json``.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SPLITS = ("train", "val", "test")
N_SEQUENCES, N_UPLOADS, N_PAIRS = 1000, 977, {"train": 360, "val": 70, "test": 70}

METHODS = [  # folder, what it changes, which originals it was made from
    {"method": "Deepfakes", "manipulation": "identity-swap", "originals": "youtube"},
    {"method": "Face2Face", "manipulation": "reenactment", "originals": "youtube"},
    {"method": "FaceSwap", "manipulation": "identity-swap", "originals": "youtube"},
    {"method": "NeuralTextures", "manipulation": "reenactment", "originals": "youtube"},
    {"method": "FaceShifter", "manipulation": "identity-swap", "originals": "youtube"},
    {"method": "DeepFakeDetection", "manipulation": "identity-swap", "originals": "actors"},
]

SEQUENCES = pa.schema(
    [
        pa.field("sequence_id", pa.string(), nullable=False),
        pa.field("youtube_id", pa.string(), nullable=False),
        pa.field("youtube_sequence", pa.int8(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("identity_group", pa.string(), nullable=False),
    ]
)
PAIRS = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("target", "source", "split")])
METHOD = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("method", "manipulation", "originals")]
)


def main(facts: Path, out: Path) -> None:
    """Write ``faceforensics/*.parquet`` and ``SHA256SUMS`` under ``out``."""
    uploads = _uploads(facts)
    pairs = [
        {"target": target, "source": source, "split": split}
        for split in SPLITS
        for target, source in json.loads((facts / f"{split}.json").read_text())
    ]
    split_of = {pair[end]: pair["split"] for pair in pairs for end in ("target", "source")}
    _check(uploads, pairs, split_of)
    groups = _identity_groups(uploads, pairs)
    sequences = [
        {
            "sequence_id": sequence,
            "youtube_id": youtube_id,
            "youtube_sequence": number,
            "split": split_of[sequence],
            "identity_group": groups[sequence],
        }
        for sequence, (youtube_id, number) in sorted(uploads.items())
    ]
    folder = out / "faceforensics"
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "sequences.parquet", sequences, SEQUENCES)
    _write(folder / "pairs.parquet", pairs, PAIRS)
    _write(folder / "methods.parquet", METHODS, METHOD)
    _write_sums(out)


def _uploads(facts: Path) -> dict[str, tuple[str, int]]:
    """YouTube id and sequence number by sequence id; ids may hold ``-`` and ``_``, so cut at the space."""
    table = json.loads((facts / "conversion_dict.json").read_text())
    cut = {sequence: value.rpartition(" ") for sequence, value in table.items()}
    return {sequence: (youtube_id, int(number)) for sequence, (youtube_id, _, number) in cut.items()}


def _check(
    uploads: Mapping[str, tuple[str, int]], pairs: list[dict[str, str]], split_of: Mapping[str, str]
) -> None:
    n_uploads = len({youtube_id for youtube_id, _ in uploads.values()})
    n_pairs = {split: sum(pair["split"] == split for pair in pairs) for split in SPLITS}
    if (len(uploads), n_uploads, n_pairs) != (N_SEQUENCES, N_UPLOADS, N_PAIRS):
        raise SystemExit(
            f"expected 1000 sequences of 977 uploads and {N_PAIRS}, got {len(uploads)}, {n_pairs}"
        )
    if split_of.keys() != uploads.keys() or 2 * len(pairs) != len(split_of):
        raise SystemExit("each sequence must stand in exactly one pair")


def _identity_groups(
    uploads: Mapping[str, tuple[str, int]], pairs: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """Name of the connected component of each sequence, over pairs and over shared uploads."""
    members: dict[str, set[str]] = {sequence: {sequence} for sequence in uploads}
    first_of_upload: dict[str, str] = {}
    links = [(pair["target"], pair["source"]) for pair in pairs]
    for sequence, (youtube_id, _) in sorted(uploads.items()):
        links.append((first_of_upload.setdefault(youtube_id, sequence), sequence))
    for one, other in links:
        joined = members[one] | members[other]
        members.update(dict.fromkeys(joined, joined))
    return {sequence: "ffpp-" + "-".join(sorted(group)) for sequence, group in members.items()}


def _write(path: Path, rows: list[dict[str, object]], schema: pa.Schema) -> None:
    table = pa.Table.from_pylist(rows, schema=schema)
    pq.write_table(table, path, compression="none")  # a few kilobytes, readable by the plainest reader


def _write_sums(out: Path) -> None:
    tables = sorted(out.glob("*/*.parquet"))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n"
        for path in tables
    ]
    (out / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent)
