import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from avfake.curate.index import index
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.manifest.schema import INDEX_SCHEMA, PROBE_FIELDS
from avfake.manifest.table import read_metadata
from tests.dummies import speech_like, write_clip

Rows = dict[str, dict[str, object]]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("media")
    return write_clip(folder / "a.mp4", speech_like(0.4, 44_100), duration_s=0.4).read_bytes()


@pytest.fixture(scope="session")
def mute_clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_clip(tmp_path_factory.mktemp("media") / "b.mp4", None, duration_s=0.4).read_bytes()


def fill(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def rows_of(workspace: Workspace, corpus: str) -> Rows:
    return {row["video_path"]: row for row in pq.read_table(workspace.index(corpus)).to_pylist()}


def bytes_of(workspace: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in workspace.root.rglob("*.parquet") if path.is_file()}


def test_index_has_the_schema_and_sorted_rows(workspace: Workspace, tmp_path: Path, clip: bytes) -> None:
    root = fill(tmp_path / "clips", {f"{name}.mp4": clip for name in "cab"})
    report = index(workspace, "folder", root)
    table = pq.read_table(workspace.index("folder"))
    assert table.schema.equals(INDEX_SCHEMA)
    assert table["clip_id"].to_pylist() == sorted(table["clip_id"].to_pylist())
    assert table["n_frames"].to_pylist() == [10] * 3
    assert (report.n_rows, report.n_failed, report.n_identity_groups) == (3, 0, 3)
    facts = read_metadata(workspace.index("folder"))
    assert (facts["kind"], facts["root"]) == ("folder", str(root))
    assert "3 videos in 3 identity groups, 3 ok, 0 failed" in str(report)


def test_broken_files_are_failed_rows_with_reasons(workspace: Workspace, tmp_path: Path, clip: bytes) -> None:
    bad = {
        "cut.mp4": (clip[: len(clip) // 2], "corrupt"),
        "empty.mp4": (b"", "corrupt"),
        "page.mp4": (b"<!doctype html>", "not_media"),
        "text.mp4": (b"hello " * 99, "not_media"),
    }
    root = fill(tmp_path / "clips", {"good.mp4": clip, **{name: data for name, (data, _) in bad.items()}})
    (root / "link.mp4").symlink_to(fill(tmp_path, {"outside.mp4": clip}) / "outside.mp4")
    (root / "gone.mp4").symlink_to(root / "nothing.mp4")
    report = index(workspace, "folder", root)
    rows = rows_of(workspace, "folder")
    kinds = {name: row["error_kind"] for name, row in rows.items()}
    assert kinds == {
        **{name: kind for name, (_, kind) in bad.items()},
        "good.mp4": None,
        "link.mp4": "unsafe_path",
        "gone.mp4": "not_found",
    }
    assert all((row["status"] == "ok") == (row["error"] is None) for row in rows.values())
    assert report.failures == {"corrupt": 2, "not_found": 1, "not_media": 2, "unsafe_path": 1}
    assert report.n_failed == 6


def test_metadata_and_disk_disagreeing_is_told(workspace: Workspace, tmp_path: Path, clip: bytes) -> None:
    real = {"label": "REAL"}
    first = {"aaa.mp4": real, "absent.mp4": real, "../../x.mp4": real}
    files = {
        "dfdc_train_part_0/metadata.json": json.dumps(first).encode(),
        "dfdc_train_part_0/aaa.mp4": clip,
        "dfdc_train_part_0/extra.mp4": clip,
        "train_sample_videos/metadata.json": json.dumps({"aaa.mp4": real}).encode(),
        "train_sample_videos/aaa.mp4": clip,
    }
    report = index(workspace, "dfdc", fill(tmp_path / "dfdc", files))
    assert report.failures == {"not_found": 1, "unsafe_path": 1}
    assert dict(report.skipped) == {
        "dfdc_train_part_0/extra.mp4": "not named in metadata.json",
        "train_sample_videos/aaa.mp4": "the same clip as dfdc_train_part_0/aaa.mp4",
    }
    facts = read_metadata(workspace.index("dfdc"))
    assert facts["n_skipped"] == 2


def test_clip_present_in_one_part_stands_for_its_absent_double(
    workspace: Workspace, tmp_path: Path, clip: bytes
) -> None:
    entries = json.dumps({"aaa.mp4": {"label": "REAL"}}).encode()
    files = {f"{part}/metadata.json": entries for part in ("dfdc_train_part_0", "train_sample_videos")}
    root = fill(tmp_path / "dfdc", {**files, "train_sample_videos/aaa.mp4": clip})
    assert index(workspace, "dfdc", root).n_failed == 0
    assert list(rows_of(workspace, "dfdc")) == ["train_sample_videos/aaa.mp4"]


def test_second_run_changes_no_byte_and_jobs_do_not_matter(tmp_path: Path, clip: bytes) -> None:
    root = fill(tmp_path / "clips", {f"{number}.mp4": clip for number in range(5)})
    one, two = Workspace(tmp_path / "one"), Workspace(tmp_path / "two")
    index(one, "folder", root, jobs=1)
    first = bytes_of(one)
    index(one, "folder", root, jobs=2)
    index(two, "folder", root, jobs=2)
    assert first == bytes_of(one) == bytes_of(two)


def test_changed_file_is_looked_into_again(workspace: Workspace, tmp_path: Path, clip: bytes) -> None:
    root = fill(tmp_path / "clips", {"a.mp4": clip[:500], "b.mp4": clip})
    assert index(workspace, "folder", root).n_failed == 1
    fill(root, {"a.mp4": clip, "c.mp4": clip})
    assert index(workspace, "folder", root).n_failed == 0
    (root / "b.mp4").unlink()
    assert index(workspace, "folder", root).n_rows == 2


def test_without_probing_only_the_listing_counts(workspace: Workspace, tmp_path: Path) -> None:
    root = fill(tmp_path / "clips", {"a.mp4": b"never opened"})
    assert index(workspace, "folder", root, probe=False).n_failed == 0
    (row,) = rows_of(workspace, "folder").values()
    assert row["status"] == "ok"
    assert {row[field.name] for field in PROBE_FIELDS} == {None}
    assert not workspace.ledger("probe").exists()


def test_file_without_sound_has_no_label_for_it(
    workspace: Workspace, tmp_path: Path, mute_clip: bytes
) -> None:
    index(workspace, "folder", fill(tmp_path / "clips", {"a.mp4": mute_clip}))
    (row,) = rows_of(workspace, "folder").values()
    assert row["has_audio"] is False
    assert row["audio_label"] is None


def test_two_corpora_cannot_share_a_name(workspace: Workspace, tmp_path: Path, clip: bytes) -> None:
    one, two = (fill(tmp_path / name, {"a.mp4": clip}) for name in ("one", "two"))
    index(workspace, "folder", one, name="mine")
    with pytest.raises(AvfakeError, match=r"'mine' is already the name of folder at .*one; .*--name"):
        index(workspace, "folder", two, name="mine")
    index(workspace, "folder", two, name="others")
    assert workspace.corpora() == ["mine", "others"]


def test_workspace_inside_the_corpus_is_no_part_of_it(tmp_path: Path, clip: bytes) -> None:
    fill(tmp_path, {"a.mp4": clip, "avfake-data/faces/folder/x.mkv": clip})
    assert index(Workspace(tmp_path / "avfake-data"), "folder", tmp_path).n_rows == 1


def test_root_that_is_no_folder_is_one_line(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="is no folder"):
        index(workspace, "folder", tmp_path / "absent")
    assert not workspace.root.exists()


def test_failed_scan_leaves_nothing_behind(workspace: Workspace, tmp_path: Path) -> None:
    root = fill(tmp_path / "dfdc", {"dfdc_train_part_0/metadata.json": b"{"})
    with pytest.raises(AvfakeError, match="cannot be read"):
        index(workspace, "dfdc", root)
    assert [path.name for path in workspace.root.rglob("*") if path.is_file()] in ([], [".lock"])


def test_names_no_table_can_hold_are_skipped(workspace: Workspace, tmp_path: Path, clip: bytes) -> None:
    root = fill(tmp_path / "clips", {"a b–ü\n.mp4": clip, "bad\udcff.mp4": clip})
    report = index(workspace, "folder", root)
    assert (report.n_rows, report.n_failed, report.n_skipped) == (1, 0, 1)
    assert report.skipped[0][0] == "bad\\udcff.mp4"


@pytest.mark.shared
def test_real_corpora_are_indexed(workspace: Workspace, shared: Path, tmp_path: Path) -> None:
    data = shared / "data"
    with (data / "index.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))

    def count(folder: str) -> int:
        return sum(line["path"].startswith(f"{folder}/") for line in listed)

    ffpp = index(workspace, "ffpp", data / "ffpp")
    assert (ffpp.n_rows, ffpp.n_failed, ffpp.n_skipped) == (count("ffpp"), 0, 0)
    assert all(group.official_split for group in ffpp.groups)
    dfdc = index(workspace, "dfdc", data / "dfdc")
    assert dfdc.n_rows - dfdc.n_failed == count("dfdc")
    assert set(dfdc.failures) <= {"not_found"}
    talking = index(workspace, "folder", data / "talking", name="talking")
    assert (talking.n_rows, talking.n_failed) == (count("talking"), 0)
    labels = tmp_path / "labels.csv"
    with labels.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "method", "identity"])
        for line in listed:
            if line["path"].startswith("videofake/"):
                name = line["path"].removeprefix("videofake/")
                writer.writerow([name, name.partition("/")[0], line["speaker"]])
    fake = index(workspace, "folder", data / "videofake", name="videofake", video_label="fake", labels=labels)
    assert (fake.n_rows, fake.n_failed, fake.n_skipped) == (count("videofake"), 0, 0)
