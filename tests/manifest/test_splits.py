"""The shipped facts of FaceForensics++: sums, counts, and that the script makes them again."""

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from avfake.manifest.schema import INDEX_SCHEMA, SPLIT_SCHEMA, SPLITS
from avfake.manifest.splits import ffpp_methods, ffpp_pairs, ffpp_sequences, shipped
from avfake.resources import resource_folder

MANIFESTS = resource_folder("manifests")
TABLES = [path.relative_to(MANIFESTS).with_suffix("").as_posix() for path in MANIFESTS.glob("*/*.parquet")]
# Uploads with sequences in two official splits, as the README lists them.
STRADDLING = [("605", "606"), ("639", "640"), ("755", "756"), ("837", "838"), ("875", "876"), ("954", "955")]
STRADDLING += [("982", "983")]


def test_shipped_tables_match_their_sums() -> None:
    lines = (MANIFESTS / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ", 1)) for line in lines)
    assert sums == {f"{name}.parquet": digest_of(MANIFESTS / f"{name}.parquet") for name in TABLES}


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_sequences_have_their_published_counts() -> None:
    sequences = ffpp_sequences()
    assert sorted(sequences) == [f"{number:03d}" for number in range(1000)]
    assert len({sequence.youtube_id for sequence in sequences.values()}) == 977
    assert all(len(sequence.youtube_id) == 11 for sequence in sequences.values())
    assert Counter(sequence.youtube_sequence for sequence in sequences.values()) == {0: 977, 1: 22, 2: 1}
    assert Counter(sequence.split for sequence in sequences.values()) == {
        "train": 720,
        "val": 140,
        "test": 140,
    }


def test_pairs_have_their_published_counts_and_stay_in_one_split() -> None:
    pairs = shipped("faceforensics/pairs").to_pylist()
    assert Counter(pair["split"] for pair in pairs) == {"train": 360, "val": 70, "test": 70}
    sequences = ffpp_sequences()
    for pair in pairs:
        assert sequences[pair["target"]].split == sequences[pair["source"]].split == pair["split"]
    assert len(ffpp_pairs()) == 1000
    assert {target for target, _ in ffpp_pairs()} == set(sequences)
    assert all((source, target) in ffpp_pairs() for target, source in ffpp_pairs())


def test_identity_groups_hold_pairs_and_uploads_together() -> None:
    sequences = ffpp_sequences()
    for target, source in ffpp_pairs():
        assert sequences[target].identity_group == sequences[source].identity_group
    group_of_upload: dict[str, str] = {}
    for sequence in sequences.values():
        group = group_of_upload.setdefault(sequence.youtube_id, sequence.identity_group)
        assert group == sequence.identity_group
        assert sequence.sequence_id in sequence.identity_group.split("-")
    sizes = Counter(sequence.identity_group for sequence in sequences.values()).values()
    assert Counter(sizes) == {2: 460, 4: 15, 6: 2, 8: 1}


def test_seven_uploads_straddle_two_splits() -> None:
    sequences = ffpp_sequences()
    by_upload: dict[str, list[str]] = {}
    for sequence in sequences.values():
        by_upload.setdefault(sequence.youtube_id, []).append(sequence.sequence_id)
    straddling = [
        tuple(ids) for ids in by_upload.values() if len({sequences[name].split for name in ids}) > 1
    ]
    assert sorted(straddling) == STRADDLING


def test_methods_say_whose_mouth_they_show() -> None:
    methods = ffpp_methods()
    reenactments = {name for name, method in methods.items() if method.manipulation == "reenactment"}
    assert reenactments == {"Face2Face", "NeuralTextures"}
    assert {method.manipulation for method in methods.values()} == {"identity-swap", "reenactment"}
    assert len(methods) == 6


def test_unknown_table_is_answered_with_the_shipped_ones() -> None:
    with pytest.raises(ValueError, match=r"'celebdf/pairs' is not shipped; .*faceforensics/pairs"):
        shipped("celebdf/pairs")


@pytest.mark.parametrize("columns", [INDEX_SCHEMA.names, SPLIT_SCHEMA.names], ids=["index", "split"])
def test_readme_documents_every_column(columns: list[str]) -> None:
    text = (MANIFESTS / "README.md").read_text()
    assert [name for name in columns if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("name", TABLES)
def test_readme_documents_every_shipped_table(name: str) -> None:
    text = (MANIFESTS / "README.md").read_text()
    assert f"{name}.parquet" in text
    section = text.split(f"{name}.parquet`", 1)[1]
    assert all(f"| `{column}` |" in section for column in shipped(name).column_names)
    assert f"{shipped(name).num_rows} rows" in text


@pytest.mark.shared
def test_script_makes_the_shipped_tables_again(shared: Path, tmp_path: Path) -> None:
    script = MANIFESTS / "make_faceforensics.py"
    subprocess.run([sys.executable, script, shared / "facts" / "ffpp", tmp_path], check=True)
    assert {split.stem for split in (shared / "facts" / "ffpp").glob("*.json")} >= set(SPLITS)
    for name in TABLES:
        old, new = MANIFESTS / f"{name}.parquet", tmp_path / f"{name}.parquet"
        assert pq.ParquetFile(new).read().equals(pq.ParquetFile(old).read())
        # Parquet files name the version that wrote them; the same version gives the same bytes.
        if pq.ParquetFile(new).metadata.created_by == pq.ParquetFile(old).metadata.created_by:
            assert new.read_bytes() == old.read_bytes()
