import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avfake.corpora.base import Finding, Labelling, Refused, Skipped
from avfake.corpora.dfdc import rows
from avfake.errors import AvfakeError, ErrorKind
from avfake.files import inside
from avfake.manifest.schema import Row

REAL = {"label": "REAL", "split": "train", "original": None}


def fake_of(original: str | None) -> dict[str, Any]:
    return {"label": "FAKE", "split": "train", "original": original}


def part(root: Path, entries: dict[str, Any] | str, name: str = "dfdc_train_part_0") -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    text = entries if isinstance(entries, str) else json.dumps(entries)
    (folder / "metadata.json").write_text(text)
    return folder


def scan(root: Path) -> list[Finding]:
    return list(rows(root, corpus="dfdc", labelling=Labelling()))


def test_fake_shares_the_identity_of_its_original(tmp_path: Path) -> None:
    part(tmp_path, {"aaa.mp4": REAL, "bbb.mp4": fake_of("aaa.mp4")})
    real, fake = scan(tmp_path)
    assert isinstance(real, Row)
    assert isinstance(fake, Row)
    assert real.identity_group == fake.identity_group == fake.original == real.clip_id == "aaa"
    assert (real.video_label, fake.video_label) == (0, 1)
    assert (real.audio_label, fake.audio_label) == (0, None)
    assert fake.part == "dfdc_train_part_0"
    assert fake.official_split is None


@pytest.mark.parametrize("beside", [True, False])
def test_splits_are_official_once_a_labelled_test_folder_is_there(tmp_path: Path, beside: bool) -> None:
    part(tmp_path, {"aaa.mp4": REAL})
    (tmp_path / "test_videos").mkdir()
    labels = tmp_path / ("labels.csv" if beside else "test_videos/labels.csv")
    labels.write_text("filename,label\nccc.mp4,1\nddd.mp4,0\n")
    (tmp_path / "validation_videos").mkdir()
    (tmp_path / "validation_videos/labels.csv").write_text("filename,label\neee.mp4,REAL\n")
    found = {row.clip_id: row for row in scan(tmp_path) if isinstance(row, Row)}
    assert {name: row.official_split for name, row in found.items()} == {
        "aaa": "train",
        "ccc": "test",
        "ddd": "test",
        "eee": "val",
    }
    assert [found[name].video_label for name in ("ccc", "ddd", "eee")] == [1, 0, 0]
    assert found["ccc"].identity_group == "ccc"


def test_folder_without_labels_is_skipped_and_makes_nothing_official(tmp_path: Path) -> None:
    part(tmp_path, {"aaa.mp4": REAL})
    (tmp_path / "test_videos").mkdir()
    (tmp_path / "dfdc_train_part_1").mkdir()
    findings = scan(tmp_path)
    skipped = [finding.path for finding in findings if isinstance(finding, Skipped)]
    assert skipped == ["dfdc_train_part_1", "test_videos"]
    assert [row.official_split for row in findings if isinstance(row, Row)] == [None]


def test_one_labels_file_beside_two_folders_is_refused(tmp_path: Path) -> None:
    for name in ("test_videos", "validation_videos"):
        (tmp_path / name).mkdir()
    (tmp_path / "labels.csv").write_text("filename,label\nccc.mp4,1\n")
    with pytest.raises(AvfakeError, match="put a labels.csv into each"):
        scan(tmp_path)


def test_file_the_metadata_does_not_name_is_skipped(tmp_path: Path) -> None:
    (part(tmp_path, {"aaa.mp4": REAL}) / "zzz.mp4").touch()
    assert Skipped("dfdc_train_part_0/zzz.mp4", "not named in metadata.json") in scan(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../../x.mp4", "/etc/passwd", "a/b.mp4", "..\\x.mp4", "C:x.mp4", "a\0.mp4", "", "..", "\ud800.mp4"],
)
def test_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    part(tmp_path, {name: REAL})
    (finding,) = scan(tmp_path)
    assert isinstance(finding, Refused)
    assert finding.error.kind == ErrorKind.UNSAFE_PATH
    assert inside(tmp_path, finding.row.video_path)


@given(name=st.text(), original=st.none() | st.text())
def test_no_metadata_leads_out_of_the_root(
    tmp_path_factory: pytest.TempPathFactory, name: str, original: str | None
) -> None:
    root = tmp_path_factory.mktemp("dfdc")
    part(root, {name: fake_of(original)})
    (finding,) = scan(root)
    assert not isinstance(finding, Skipped)
    row = finding.row if isinstance(finding, Refused) else finding
    assert inside(root, row.video_path)
    assert row.clip_id.isascii()


def test_contradicting_duplicate_is_refused_and_a_repeated_one_noted(tmp_path: Path) -> None:
    entries = '{"a.mp4": %s, "a.mp4": %s, "b.mp4": %s, "b.mp4": %s}'
    real, fake = json.dumps(REAL), json.dumps(fake_of("b.mp4"))
    part(tmp_path, entries % (real, fake, real, real))
    note, first, second = scan(tmp_path)
    assert isinstance(first, Refused)
    assert first.error.kind == ErrorKind.BAD_METADATA
    assert isinstance(second, Row)
    assert isinstance(note, Skipped)
    assert note.path.endswith("b.mp4")


def test_fake_without_original_is_refused_for_its_identity_is_unknown(tmp_path: Path) -> None:
    part(tmp_path, {"a.mp4": fake_of(None)})
    (finding,) = scan(tmp_path)
    assert isinstance(finding, Refused)
    assert "identity" in str(finding.error)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "<html>",
        "{",
        '{"a.mp4": "REAL"}',
        '{"a.mp4": {"label": "MAYBE"}}',
        '{"a.mp4": {}}',
        "[" * 100_000,
    ],
)
def test_unreadable_metadata_is_one_line(tmp_path: Path, text: str) -> None:
    part(tmp_path, text)
    with pytest.raises(AvfakeError, match=r"metadata\.json") as caught:
        scan(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "name,label\n", "filename,label\na.mp4,2\n", "filename,label\na.mp4,0\na.mp4,1\n"]
)
def test_unreadable_labels_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "test_videos").mkdir()
    (tmp_path / "test_videos/labels.csv").write_text(text)
    with pytest.raises(AvfakeError, match=r"labels\.csv"):
        scan(tmp_path)
