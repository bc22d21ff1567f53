from pathlib import Path

import pytest

from avfake.corpora.base import Labelling, Skipped
from avfake.corpora.folder import rows
from avfake.errors import AvfakeError
from avfake.manifest.schema import Row


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    for name in ("anna/1.mp4", "anna/2.WEBM", "bert/1.mp4", "bert/notes.txt", ".cache/x.mp4", "bert/._1.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def scan(root: Path, **labelling: object) -> dict[str, Row]:
    findings = rows(root, corpus="mine", labelling=Labelling(**labelling))  # type: ignore[arg-type]
    return {finding.video_path: finding for finding in findings if isinstance(finding, Row)}


def labels(root: Path, text: str) -> Path:
    path = root.parent / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_clips_are_real_and_their_own_identity_by_default(root: Path) -> None:
    found = scan(root)
    assert list(found) == ["anna/1.mp4", "anna/2.WEBM", "bert/1.mp4"]
    assert {(row.video_label, row.audio_label, row.video_method) for row in found.values()} == {(0, 0, None)}
    groups = [row.identity_group for row in found.values()]
    assert len(set(groups)) == 3
    assert all(group.startswith("mine-") for group in groups)


def test_given_identity_stands_without_the_corpus(root: Path) -> None:
    found = scan(root, identity_regex=r"^([^/]+)/")
    assert [row.identity_group for row in found.values()] == ["anna", "anna", "bert"]
    whole = scan(root, identity_regex=r"\d")
    assert [row.identity_group for row in whole.values()] == ["1", "2", "1"]


def test_whole_folder_is_fake_on_request(root: Path) -> None:
    found = scan(root, video_label="fake", method="Wav2Lip", audio_label="unknown")
    assert {(row.video_label, row.audio_label, row.video_method) for row in found.values()} == {
        (1, None, "Wav2Lip")
    }


def test_names_alike_give_clip_ids_apart(tmp_path: Path) -> None:
    names = ["a b.mp4", "a-b.mp4", "a_b.mp4", "a b.webm", "a/b.mp4", "ä b.mp4", "A B.mp4", "语.mp4", "话.mp4"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = scan(tmp_path)
    assert set(found) == set(names)
    assert len({row.clip_id.lower() for row in found.values()}) == len(names)


def test_labels_file_says_what_each_clip_is(root: Path) -> None:
    text = (
        "path,video_label,audio_label,method,identity,source_identity\n"
        "anna/1.mp4,fake,1,Wav2Lip,anna,bert\n"
        "./bert/1.mp4,,,,bert,\n"
        "absent.mp4,0,real,,,\n"
    )
    found = scan(root, labels=labels(root, text))
    assert set(found) == {"anna/1.mp4", "bert/1.mp4", "absent.mp4"}
    fake = found["anna/1.mp4"]
    assert (fake.video_label, fake.audio_label, fake.video_method) == (1, 1, "Wav2Lip")
    assert (fake.identity_group, fake.source_group) == ("anna", "bert")
    assert (found["bert/1.mp4"].video_label, found["bert/1.mp4"].audio_label) == (0, 0)


def test_empty_cells_take_the_defaults(root: Path) -> None:
    path = labels(root, "path,identity\nanna/1.mp4,anna\n")
    found = scan(root, labels=path, video_label="fake", method="Wav2Lip")
    assert found["anna/1.mp4"].video_method == "Wav2Lip"


def test_clip_without_a_label_is_skipped_never_taken_for_real(root: Path) -> None:
    path = labels(root, "path\nanna/1.mp4\n")
    findings = list(rows(root, corpus="mine", labelling=Labelling(labels=path)))
    skipped = [finding.path for finding in findings if isinstance(finding, Skipped)]
    assert skipped == ["anna/2.WEBM", "bert/1.mp4"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "columns none"),
        ("file\nanna/1.mp4\n", "path must be there"),
        ("path,colour\nanna/1.mp4,red\n", "columns path, colour"),
        ("path,path\nanna/1.mp4,x\n", "columns"),
        ("path\n", "names no clip"),
        ("path,video_label\nanna/1.mp4,real\nbert/1.mp4,2\n", "line 3: video_label '2'"),
        ("path,audio_label\nanna/1.mp4,loud\n", "line 2: audio_label 'loud'"),
        ("path,video_label\nanna/1.mp4,fake\n", "line 2: a fake video needs a method"),
        ("path,method\nanna/1.mp4,Wav2Lip\n", "line 2: a real video has neither"),
        ("path,method\nanna/1.mp4\n", "line 2: the number of cells"),
        ("path\nanna/1.mp4,more\n", "line 2: the number of cells"),
        ("path\nanna/1.mp4\nanna//1.mp4\n", "line 3: 'anna/1.mp4' is named a second time"),
        ("path\n../x.mp4\n", "line 2: .*stay inside"),
        ("path\n/etc/passwd\n", "line 2: .*stay inside"),
        ('path\n"anna/1.mp4\n', "cannot be read"),
    ],
)
def test_bad_labels_file_is_one_line_that_names_the_place(root: Path, text: str, reason: str) -> None:
    with pytest.raises(AvfakeError, match=reason) as caught:
        scan(root, labels=labels(root, text))
    assert "\n" not in str(caught.value)
    assert "labels.csv" in str(caught.value)


def test_labels_that_are_no_text_are_one_line(root: Path) -> None:
    path = root.parent / "labels.csv"
    path.write_bytes(b"path\n\xff\xfe\n")
    with pytest.raises(AvfakeError, match="cannot be read"):
        scan(root, labels=path)
    with pytest.raises(AvfakeError, match="cannot be read"):
        scan(root, labels=root / "absent.csv")


@pytest.mark.parametrize(
    ("labelling", "reason"),
    [
        ({"video_label": "fake"}, "add --method"),
        ({"method": "Wav2Lip"}, "add --video-label fake"),
        ({"video_label": "Real?"}, "--video-label 'Real\\?' must be one of"),
        ({"audio_label": "x"}, "--audio-label 'x' must be one of"),
        ({"identity_regex": "("}, "no regular expression"),
        ({"identity_regex": "^carl"}, "finds no identity in 'anna/1.mp4'"),
        ({"identity_regex": "(carl)?"}, "finds no identity"),
    ],
)
def test_contradictory_options_are_one_line(root: Path, labelling: dict[str, str], reason: str) -> None:
    with pytest.raises(AvfakeError, match=reason):
        scan(root, **labelling)


def test_linked_folder_is_named_and_not_followed(root: Path) -> None:
    (root / "loop").symlink_to(root, target_is_directory=True)
    findings = list(rows(root, corpus="mine", labelling=Labelling()))
    skipped = [finding.path for finding in findings if isinstance(finding, Skipped)]
    assert skipped == ["loop/"]
    assert len(findings) == 4
