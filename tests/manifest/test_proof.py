"""The proof must pass on what the builder makes, and name each way of corrupting it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from avfake.curate.build_split import build_split
from avfake.curate.workspace import Workspace
from avfake.manifest.proof import Proof, prove
from avfake.manifest.schema import SPLIT_SCHEMA, SPLITS
from avfake.manifest.table import read_metadata, write_rows
from tests.split_tables import METHODS, make_tables, people

Row = dict[str, Any]
Tables = dict[str, list[Row]]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("proof") / "avfake-data")
    make_tables(workspace, people(30))
    build_split(workspace, name="balanced")
    build_split(workspace, name="unseen", leave_out_method=["FaceSwap"], leave_out_vocoder=["world"])
    build_split(workspace, name="shuffled", shuffle_audio=True, per_quadrant=4, ratios=(0.4, 0.3, 0.3))
    build_split(workspace, name="swapped", train_policy="swap")
    return workspace


@pytest.fixture
def corrupt(workspace: Workspace, tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    """Change the tables of a split as told, sort them again, and prove them."""

    def prove_changed(change: Callable[[Tables], None], name: str = "balanced") -> tuple[str, ...]:
        tables = {split: read(workspace, name, split) for split in SPLITS}
        change(tables)
        for split, rows in tables.items():
            write_rows(tmp_path / f"{split}.parquet", rows, SPLIT_SCHEMA, {})
        return proven(workspace, name, tmp_path).violations

    return prove_changed


def read(workspace: Workspace, name: str, split: str) -> list[Row]:
    return pq.read_table(workspace.split(name) / f"{split}.parquet").to_pylist()


def proven(workspace: Workspace, name: str, folder: Path) -> Proof:
    facts = read_metadata(workspace.split(name) / "train.parquet")
    return prove(folder, facts["config"], facts["methods"], [workspace.index("folk")])


def only(rows: list[Row], **facts: Any) -> list[Row]:
    return [row for row in rows if all(row[name] == value for name, value in facts.items())]


@pytest.mark.parametrize("name", ["balanced", "unseen", "shuffled", "swapped"])
def test_proof_passes_what_was_built_and_is_stored_with_it(workspace: Workspace, name: str) -> None:
    proof = proven(workspace, name, workspace.split(name))
    assert proof.violations == ()
    for split in SPLITS:
        assert read_metadata(workspace.split(name) / f"{split}.parquet")["proof"] == proof.as_json()
    report = json.loads((workspace.split(name) / "report.json").read_bytes())
    assert report["proof"] == proof.as_json()


def test_proof_counts_rows_and_identity_groups_of_every_cell(workspace: Workspace) -> None:
    for cell in proven(workspace, "balanced", workspace.split("balanced")).cells:
        kind = {name: getattr(cell, name) for name in ("quadrant", "video_method", "vocoder")}
        groups = [row["identity_group"] for row in only(read(workspace, "balanced", cell.split), **kind)]
        assert cell.n_rows == len(groups) > 0
        assert cell.n_groups == len(set(groups))
        assert cell.most_of_a_group == max(map(groups.count, groups))


def wrong_label(tables: Tables) -> None:
    tables["val"][0]["label"] = 1 - tables["val"][0]["label"]


def wrong_video_label(tables: Tables) -> None:
    only(tables["val"], quadrant="real-fake")[0]["video_label"] = 1


def unknown_quadrant(tables: Tables) -> None:
    tables["val"][0]["quadrant"] = "fake"


def vocoder_of_real_sound(tables: Tables) -> None:
    only(tables["train"], quadrant="fake-real")[0]["vocoder"] = "world"


def fake_without_method(tables: Tables) -> None:
    only(tables["train"], quadrant="fake-fake")[0]["video_method"] = None


def repeated_row(tables: Tables) -> None:
    tables["train"].insert(1, dict(tables["train"][0]))


def unsorted_rows(tables: Tables) -> None:
    tables["test"].reverse()


def row_in_the_wrong_file(tables: Tables) -> None:
    tables["test"][0]["split"] = "train"


def missing_row(tables: Tables) -> None:
    tables["train"].remove(only(tables["train"], quadrant="real-real")[0])


def one_method_only(tables: Tables) -> None:
    for row in only(tables["train"], video_label=1):
        row["video_method"] = METHODS[0]


def one_vocoder_only(tables: Tables) -> None:
    for row in only(tables["train"], quadrant="fake-fake"):
        row["vocoder"] = "world"


def vocoder_follows_method(tables: Tables) -> None:
    for row in only(tables["train"], quadrant="fake-fake"):
        row["vocoder"] = {"Face2Face": "world", "FaceSwap": "griffin-lim"}[row["video_method"]]


def other_clips_in_real_fake(tables: Tables) -> None:
    only(tables["train"], quadrant="real-fake")[0]["clip_id"] = "somebody"


def other_sound_in_fake_fake(tables: Tables) -> None:
    only(tables["train"], quadrant="fake-fake")[0]["audio_clip_id"] = "somebody"


def clip_in_one_quadrant_twice(tables: Tables) -> None:
    for quadrant in ("real-real", "real-fake"):
        first, second = only(tables["train"], quadrant=quadrant)[:2]
        second["clip_id"] = second["audio_clip_id"] = first["clip_id"]


def shared_identity(tables: Tables) -> None:
    tables["train"][0]["identity_group"] = tables["test"][0]["identity_group"]


def shared_clip(tables: Tables) -> None:
    tables["val"][0]["audio_clip_id"] = tables["test"][0]["clip_id"]


def shared_sound(tables: Tables) -> None:
    tables["val"][0]["audio_sha256"] = tables["train"][0]["audio_sha256"]


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        (wrong_label, "label does not follow from the quadrant"),
        (wrong_video_label, "video_label does not follow from the quadrant"),
        (unknown_quadrant, "quadrant is unknown"),
        (vocoder_of_real_sound, "vocoder and audio_label contradict each other"),
        (fake_without_method, "video_method and video_label contradict each other"),
        (repeated_row, "sample_id is not above the one before it"),
        (unsorted_rows, "sample_id is not above the one before it"),
        (row_in_the_wrong_file, "stands in the wrong file"),
        (missing_row, "quadrants are not equal: real-real"),
        (one_method_only, "fake-real: methods are not equal"),
        (one_vocoder_only, "fake-fake: vocoders are not equal"),
        (vocoder_follows_method, "fake-fake: pairs of method and vocoder are not equal"),
        (other_clips_in_real_fake, "real-real and real-fake do not hold the same clips"),
        (other_sound_in_fake_fake, "fake-real and fake-fake do not hold the same clips"),
        (clip_in_one_quadrant_twice, "a clip occurs twice in real-real or real-fake"),
        (shared_identity, "1 identity groups of train are also in test"),
        (shared_clip, "1 clips of val are also in test"),
        (shared_sound, "1 sounds of train are also in val"),
    ],
)
def test_proof_catches(
    corrupt: Callable[..., tuple[str, ...]], change: Callable[[Tables], None], violation: str
) -> None:
    assert any(violation in found for found in corrupt(change))


def test_proof_catches_every_row_gone(corrupt: Callable[..., tuple[str, ...]]) -> None:
    found = corrupt(lambda tables: tables["val"].clear())
    assert any("val: quadrants are not equal" in fault for fault in found)


def left_out_method_in_train(tables: Tables) -> None:
    only(tables["train"], quadrant="fake-real")[0]["video_method"] = "FaceSwap"


def left_out_vocoder_in_val(tables: Tables) -> None:
    only(tables["val"], quadrant="real-fake")[0]["vocoder"] = "world"


def other_vocoder_in_test(tables: Tables) -> None:
    only(tables["test"], quadrant="real-fake")[0]["vocoder"] = "griffin-lim"


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        (left_out_method_in_train, "train: video_method FaceSwap must not occur here, but does in 1 rows"),
        (left_out_vocoder_in_val, "val: vocoder world must not occur here"),
        (other_vocoder_in_test, "test: vocoder griffin-lim must not occur here"),
    ],
)
def test_proof_catches_what_should_be_left_out(
    corrupt: Callable[..., tuple[str, ...]], change: Callable[[Tables], None], violation: str
) -> None:
    assert any(violation in found for found in corrupt(change, "unseen"))


def own_sound(tables: Tables) -> None:
    tables["train"][0]["audio_clip_id"] = tables["train"][0]["clip_id"]


def sound_of_the_same_person(tables: Tables) -> None:
    first = tables["train"][0]
    for row in tables["train"]:
        if row["clip_id"] == first["audio_clip_id"]:
            row["identity_group"] = first["identity_group"]


@pytest.mark.parametrize("change", [own_sound, sound_of_the_same_person])
def test_proof_catches_unshuffled_sound(
    corrupt: Callable[..., tuple[str, ...]], change: Callable[[Tables], None]
) -> None:
    assert any("rows are not shuffled" in found for found in corrupt(change, "shuffled"))


def test_proof_of_swapped_train_asks_for_labels_and_disjointness_alone(
    corrupt: Callable[..., tuple[str, ...]],
) -> None:
    def halve(tables: Tables) -> None:
        del tables["train"][::2]

    assert corrupt(halve, "swapped") == ()
    assert any("label" in found for found in corrupt(lambda t: t["train"][0].update(label=7), "swapped"))
    assert any("also in" in found for found in corrupt(shared_identity, "swapped"))


def test_proof_catches_a_source_identity_in_another_split(workspace: Workspace, tmp_path: Path) -> None:
    folder = workspace.split("balanced")
    victim = only(read(workspace, "balanced", "test"), quadrant="fake-real")[0]["clip_id"]
    stranger = read(workspace, "balanced", "train")[0]["identity_group"]
    rows = pq.read_table(workspace.index("folk")).to_pylist()
    for row in rows:
        if row["clip_id"] == victim:
            row["source_group"] = stranger
    pq.write_table(pq.read_table(workspace.index("folk")).from_pylist(rows), tmp_path / "index.parquet")
    facts = read_metadata(folder / "train.parquet")
    found = prove(folder, facts["config"], facts["methods"], [tmp_path / "index.parquet"])
    assert found.violations == (f"1 source identities of test are also in train, the first is {stranger}",)
