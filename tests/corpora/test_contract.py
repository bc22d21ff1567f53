"""What every corpus of CORPORA promises."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from avfake.corpora.base import Labelling, Refused, Skipped
from avfake.corpora.presence import Presence
from avfake.corpora.registry import CORPORA, find_corpus
from avfake.errors import AvfakeError
from avfake.manifest.schema import SPLITS, Row


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def small_ffpp(root: Path) -> None:
    touch(root, "original_sequences/youtube/c23/videos/519.mp4")
    touch(root, "manipulated_sequences/FaceSwap/c23/videos/519_515.mp4")


def small_dfdc(root: Path) -> None:
    touch(root, "dfdc_train_part_0/aaa.mp4", "dfdc_train_part_0/bbb.mp4")
    entries = {"aaa.mp4": {"label": "REAL"}, "bbb.mp4": {"label": "FAKE", "original": "aaa.mp4"}}
    (root / "dfdc_train_part_0/metadata.json").write_text(json.dumps(entries))


def small_folder(root: Path) -> None:
    touch(root, "a b/späße.mp4", "a b/späße.webm", "a_b/späße.mp4")


SMALL: dict[str, Callable[[Path], None]] = {
    "ffpp": small_ffpp,
    "dfdc": small_dfdc,
    "folder": small_folder,
}


@pytest.mark.parametrize("kind", CORPORA)
def test_corpus_gives_rows_that_keep_the_contract(kind: str, tmp_path: Path) -> None:
    SMALL[kind](tmp_path)
    findings = list(CORPORA[kind].rows(tmp_path, corpus="mine", labelling=Labelling()))
    rows = [finding for finding in findings if isinstance(finding, Row)]
    assert len(rows) >= 2
    assert len({row.clip_id for row in rows}) == len(rows)
    for row in rows:
        assert row.corpus == "mine"
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", row.clip_id)
        assert Presence(tmp_path).look_up(row.video_path)
        assert row.video_label in (0, 1)
        assert row.audio_label in (0, 1, None)
        assert (row.video_method is not None) == bool(row.video_label)
        assert row.identity_group
        assert row.official_split in (*SPLITS, None)
    assert findings == list(CORPORA[kind].rows(tmp_path, corpus="mine", labelling=Labelling()))


@pytest.mark.parametrize("kind", CORPORA)
def test_corpus_says_in_one_line_that_a_folder_is_not_its_own(kind: str, tmp_path: Path) -> None:
    touch(tmp_path, "holiday/notes.txt")
    with pytest.raises(AvfakeError, match=f"{tmp_path.name}.* holds ") as caught:
        list(CORPORA[kind].rows(tmp_path, corpus=kind, labelling=Labelling()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["ffpp", "dfdc"])
def test_corpus_with_labels_refuses_the_users(kind: str, tmp_path: Path) -> None:
    SMALL[kind](tmp_path)
    with pytest.raises(AvfakeError, match="own labels"):
        list(CORPORA[kind].rows(tmp_path, corpus=kind, labelling=Labelling(video_label="fake")))


def test_every_corpus_is_held_to_the_contract() -> None:
    assert SMALL.keys() == CORPORA.keys()


def test_unknown_kind_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AvfakeError, match="'celebdf' is unknown; choose one of ffpp, dfdc, folder"):
        find_corpus("celebdf")


@pytest.mark.shared
def test_real_metadata_gives_its_counts(shared: Path, tmp_path: Path) -> None:
    source = shared / "facts" / "dfdc" / "train_sample_videos_metadata.json"
    (tmp_path / "train_sample_videos").mkdir()
    (tmp_path / "train_sample_videos/metadata.json").write_bytes(source.read_bytes())
    findings = list(CORPORA["dfdc"].rows(tmp_path, corpus="dfdc", labelling=Labelling()))
    rows = [finding for finding in findings if isinstance(finding, Row)]
    assert not any(isinstance(finding, Refused | Skipped) for finding in findings)
    assert sum(row.video_label for row in rows) == 323
    assert len(rows) == 400
    assert len({row.original for row in rows} - {None}) == 209
