from pathlib import Path

import pytest

from avfake.corpora.base import Labelling, Skipped
from avfake.corpora.faceforensics import rows
from avfake.manifest.schema import Row


def scan(root: Path, *names: str) -> tuple[dict[str, Row], dict[str, str]]:
    """Rows by clip id and reasons by skipped path, of a tree with these files."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    findings = list(rows(root, corpus="ffpp", labelling=Labelling()))
    found = {finding.clip_id: finding for finding in findings if isinstance(finding, Row)}
    return found, {finding.path: finding.reason for finding in findings if isinstance(finding, Skipped)}


def test_fake_knows_target_source_and_original(tmp_path: Path) -> None:
    found, skipped = scan(tmp_path, "manipulated_sequences/Face2Face/c40/videos/515_519.mp4")
    assert not skipped
    assert found == {
        "Face2Face-c40-515_519": Row(
            corpus="ffpp",
            clip_id="Face2Face-c40-515_519",
            video_path="manipulated_sequences/Face2Face/c40/videos/515_519.mp4",
            video_label=1,
            audio_label=None,
            identity_group="ffpp-515-519",
            video_method="Face2Face",
            target="515",
            source="519",
            official_split="train",
            original="youtube-c40-515",
            compression="c40",
        )
    }


def test_original_and_its_fakes_share_split_and_identity(tmp_path: Path) -> None:
    found, _ = scan(
        tmp_path,
        "original_sequences/youtube/c23/videos/519.mp4",
        "original_sequences/youtube/c23/videos/515.mp4",
        "manipulated_sequences/Deepfakes/c23/videos/519_515.mp4",
    )
    assert {(row.official_split, row.identity_group) for row in found.values()} == {("train", "ffpp-515-519")}
    assert found["Deepfakes-c23-519_515"].original == found["youtube-c23-519"].clip_id


def test_sequences_of_one_upload_share_an_identity_across_official_splits(tmp_path: Path) -> None:
    found, _ = scan(tmp_path, *(f"original_sequences/youtube/c23/videos/{n}.mp4" for n in (982, 983)))
    first, second = found["youtube-c23-982"], found["youtube-c23-983"]
    assert first.identity_group == second.identity_group == "ffpp-004-113-982-983"
    assert (first.official_split, second.official_split) == ("val", "train")


def test_actors_are_grouped_by_person(tmp_path: Path) -> None:
    found, skipped = scan(
        tmp_path,
        "original_sequences/actors/raw/videos/01__exit_phone_room.mp4",
        "manipulated_sequences/DeepFakeDetection/raw/videos/01_02__exit_phone_room__YVGY8LOK.mp4",
    )
    assert not skipped
    real = found["actors-raw-01__exit_phone_room"]
    fake = found["DeepFakeDetection-raw-01_02__exit_phone_room__YVGY8LOK"]
    assert fake.original == real.clip_id
    assert (real.identity_group, fake.identity_group, fake.source_group) == ("dfd-01", "dfd-01", "dfd-02")
    assert real.official_split is fake.official_split is None


def test_older_folder_c0_is_raw(tmp_path: Path) -> None:
    found, _ = scan(tmp_path, "original_sequences/youtube/c0/videos/000.mp4")
    assert found["youtube-raw-000"].compression == "raw"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("original_sequences/youtube/c23/videos/1000.mp4", "1000 sequences"),
        ("original_sequences/youtube/c23/videos/٠٠١.mp4", "1000 sequences"),
        ("original_sequences/youtube/c23/videos/001.mp4.part", "not an .mp4"),
        ("manipulated_sequences/Deepfakes/c23/videos/519_516.mp4", "not an official pair"),
        ("manipulated_sequences/Deepfakes/c23/videos/519_515_1.mp4", "not an official pair"),
        ("manipulated_sequences/DeepFakeDetection/c23/videos/519_515.mp4", "not named"),
        ("original_sequences/actors/c23/videos/01_exit.mp4", "not named"),
        ("manipulated_sequences/MyMethod/c23/videos/519_515.mp4", "no collection or method"),
    ],
)
def test_foreign_file_is_skipped_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    found, skipped = scan(tmp_path, name)
    assert not found
    (said,) = skipped.values()
    assert reason in said


def test_masks_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    found, skipped = scan(
        tmp_path,
        "manipulated_sequences/Deepfakes/masks/videos/519_515.mp4",
        "original_sequences/youtube/c23/videos/._519.mp4",
    )
    assert not found
    assert not skipped
