from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.manifest.candidates import judge_clips, known_vocoders, load_tables
from avfake.manifest.database import open_database
from avfake.manifest.split_config import SplitConfig
from tests.split_tables import VOCODERS, make_tables, tables_of

FINE = {"clip_id": "fine", "corpus": "folk", "identity_group": "a"}
UNLABELLED = {"video_label": 1, "audio_label": None}  # a fake whose sound may be altered too
COPIED = {"audio": {"audio_matches_original": True}}
ALTERED = {"audio": {"audio_matches_original": False}}

CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "usable": ({}, None),
    "broken video": ({"status": "failed"}, "video unreadable"),
    "fake sound": ({"audio_label": 1}, "audio already fake"),
    "unlabelled sound": ({"audio_label": None}, "audio label unknown"),
    "silent film": ({"audio_label": None, "has_audio": False, "fetched": False}, "no audio"),
    "broken sound": ({"fetched": False}, "audio failed: corrupt"),
    "the target's sound": ({"audio_label": None, "audio": {"audio_from": "target"}}, None),
    "the source's sound": ({"audio_label": None, "audio": {"audio_from": "source"}}, None),
    "fake with its original's sound": ({**UNLABELLED, **COPIED}, None),
    "fake with altered sound": ({**UNLABELLED, **ALTERED}, "audio differs from its original"),
    "fake without an original": (UNLABELLED, "audio label unknown"),
    "fake whose sound failed": ({**UNLABELLED, "fetched": False}, "audio label unknown"),
    "fake of which the label says more": ({**UNLABELLED, **COPIED, "audio_label": 1}, "audio already fake"),
    "copied, then vocoded by one": (
        {**UNLABELLED, **COPIED, "vocoded_with": ("world",)},
        "not vocoded with griffin-lim",
    ),
    "copied, but short": ({**UNLABELLED, **COPIED, "seconds": 1.0}, "too short"),
    "real, compared by mistake": ({"audio_label": None, **COPIED}, "audio label unknown"),
    "one vocoder": ({"vocoded_with": ("griffin-lim",)}, "not vocoded with world"),
    "no vocoder": ({"vocoded_with": ()}, "not vocoded with griffin-lim"),
    "vocoded before it changed": ({"vocoded": {"source_sha256": "0"}}, "not vocoded with griffin-lim"),
    "vocoded to another length": ({"vocoded": {"n_samples": 7}}, "not vocoded with griffin-lim"),
    "vocoded at another rate": ({"vocoded": {"sample_rate": 16_000}}, "not vocoded with griffin-lim"),
    "just too short": ({"seconds": 1.99}, "too short"),
    "just long enough": ({"seconds": 2.0}, None),
}


def test_unusable_clip_has_its_reason(workspace: Workspace) -> None:
    make_tables(workspace, [{**FINE, "clip_id": name, **facts} for name, (facts, _) in CASES.items()])
    config = SplitConfig(corpora=("folk",), vocoders=VOCODERS, min_duration_s=2.0)
    with open_database(workspace.root / "building", threads=1) as database:
        load_tables(database, tables_of(workspace))
        judge_clips(database, config)
        found = dict(database.execute("SELECT clip_id, reason FROM clips").fetchall())
    assert found == {name: reason for name, (_, reason) in CASES.items()}


def test_ledger_from_before_sounds_were_compared_says_nothing_of_them(workspace: Workspace) -> None:
    """Clips of the second corpus were fetched anew since; those of the first count as not compared."""
    copied = {**FINE, **UNLABELLED, **COPIED}
    make_tables(workspace, [copied, {**FINE, "clip_id": "real"}, {**copied, "corpus": "later"}])
    part = part_of(workspace)
    pq.write_table(pq.read_table(part).drop_columns(["audio_matches_original"]), part)
    config = SplitConfig(corpora=("folk", "later"), vocoders=VOCODERS)
    with open_database(workspace.root / "building", threads=1) as database:
        load_tables(database, tables_of(workspace))
        judge_clips(database, config)
        found = database.execute("SELECT corpus, clip_id, reason FROM clips ORDER BY ALL").fetchall()
    assert found == [
        ("folk", "fine", "audio label unknown"),
        ("folk", "real", None),
        ("later", "fine", None),
    ]


def test_ledgers_that_never_compared_can_be_read(workspace: Workspace) -> None:
    make_tables(workspace, [FINE])
    part = part_of(workspace)
    pq.write_table(pq.read_table(part).drop_columns(["audio_matches_original"]), part)
    with open_database(workspace.root / "building", threads=1) as database:
        load_tables(database, tables_of(workspace))
        assert database.execute("SELECT count(*) FROM compared_rows").fetchall() == [(0,)]


def test_workspace_without_a_usable_clip_says_why(workspace: Workspace) -> None:
    make_tables(workspace, [{**FINE, "audio_label": 1}])
    with (
        pytest.raises(AvfakeError, match="no clip can be used: 1 audio already fake"),
        open_database(workspace.root / "building", threads=1) as database,
    ):
        load_tables(database, tables_of(workspace))
        judge_clips(database, SplitConfig(corpora=("folk",), vocoders=VOCODERS))


def test_fake_without_named_method_gets_the_method_unknown(workspace: Workspace) -> None:
    make_tables(workspace, [{**FINE, "video_label": 1}])
    with open_database(workspace.root / "building", threads=1) as database:
        load_tables(database, tables_of(workspace))
        judge_clips(database, SplitConfig(corpora=("folk",), vocoders=VOCODERS))
        assert database.execute("SELECT method FROM clips").fetchall() == [("unknown",)]


def test_vocoders_of_other_corpora_are_not_wanted(workspace: Workspace) -> None:
    make_tables(workspace, [{**FINE, "corpus": "elsewhere"}], vocoders=["wavernn"])
    make_tables(workspace, [FINE])
    tables = tables_of(workspace)
    folk = [workspace.index("folk")]
    with open_database(workspace.root / "building", threads=1) as database:
        load_tables(database, type(tables)(folk, tables.audio, tables.vocoded))
        assert known_vocoders(database) == VOCODERS


def refuse(workspace: Workspace, message: str) -> None:
    with (
        pytest.raises(AvfakeError, match=message),
        open_database(workspace.root / "building", threads=1) as database,
    ):
        load_tables(database, tables_of(workspace))


def part_of(workspace: Workspace) -> Path:
    return next(workspace.ledger("audio").glob("part-folk-*.parquet"))


def test_parts_of_a_killed_run_are_refused_and_not_counted_twice(workspace: Workspace) -> None:
    make_tables(workspace, [FINE])
    part = part_of(workspace)
    part.with_name("part-folk-00000-00000000.parquet").write_bytes(part.read_bytes())
    refuse(workspace, "folk/fine stands twice in the results of fetch-audio: run avfake fetch-audio again")


def test_broken_part_is_one_line(workspace: Workspace) -> None:
    make_tables(workspace, [FINE])
    part_of(workspace).write_bytes(b"<html>not found</html>")
    refuse(workspace, "audio.parquet cannot be read")


def test_part_with_a_missing_column_is_one_line(workspace: Workspace) -> None:
    make_tables(workspace, [FINE])
    table = pq.read_table(part_of(workspace)).drop_columns(["audio_sha256"])
    pq.write_table(table, part_of(workspace))
    refuse(workspace, "audio.parquet cannot be read: .*audio_sha256")


def test_column_of_another_type_is_one_line(workspace: Workspace) -> None:
    make_tables(workspace, [FINE])
    table = pq.read_table(workspace.index("folk"))
    position = table.column_names.index("video_label")
    table = table.set_column(position, "video_label", pa.array(["real"]))
    pq.write_table(table, workspace.index("folk"))
    refuse(workspace, "index cannot be read: .*real")


def test_unknown_official_split_is_refused(workspace: Workspace) -> None:
    make_tables(workspace, [{**FINE, "official_split": "dev"}])
    refuse(workspace, "folk/fine has the official split 'dev'")


def test_workspace_named_like_a_pattern_can_be_read(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "my [data]* 数据")
    make_tables(workspace, [FINE])
    with open_database(workspace.root / "building", threads=1) as database:
        load_tables(database, tables_of(workspace))
        assert database.execute("SELECT count(*) FROM vocoded_rows").fetchall() == [(2,)]
