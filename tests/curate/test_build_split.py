import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from avfake.curate.build_split import build_split
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.files import sha256_of
from avfake.manifest.schema import SPLIT_SCHEMA, SPLITS
from avfake.manifest.table import read_metadata
from tests.split_tables import METHODS, VOCODERS, make_tables, people, sha

Row = dict[str, Any]
FILES = [f"{split}.parquet" for split in SPLITS]


def rows_of(workspace: Workspace, split: str, name: str = "balanced", **facts: Any) -> list[Row]:
    rows = pq.read_table(workspace.split(name) / f"{split}.parquet").to_pylist()
    return [row for row in rows if all(row[key] == value for key, value in facts.items())]


def hashes(workspace: Workspace, name: str = "balanced") -> list[str]:
    return [sha256_of(workspace.split(name) / file) for file in [*FILES, "report.json"]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("built") / "avfake-data")
    make_tables(workspace, people(40))
    build_split(workspace)
    return workspace


@pytest.mark.parametrize("split", SPLITS)
def test_quadrants_methods_and_vocoders_are_equal(built: Workspace, split: str) -> None:
    rows = rows_of(built, split)
    assert len(set(Counter(row["quadrant"] for row in rows).values())) == 1
    for key, names in (("video_method", METHODS), ("vocoder", VOCODERS)):
        for quadrant in {row["quadrant"] for row in rows if row[key]}:
            counts = Counter(row[key] for row in rows if row["quadrant"] == quadrant)
            assert set(counts) == set(names)
            assert max(counts.values()) - min(counts.values()) <= 1


def test_pairs_differ_in_their_sound_alone(built: Workspace) -> None:
    by_clip: dict[str, list[Row]] = {}
    for row in rows_of(built, "train"):
        by_clip.setdefault(row["clip_id"], []).append(row)
    same = ("identity_group", "video_path", "video_method", "duration_s", "n_samples", "sample_rate", "pad_s")
    for pair in by_clip.values():
        real, fake = sorted(pair, key=lambda row: row["audio_label"])
        assert (real["vocoder"], real["audio_path"].split("/")[0]) == (None, "audio")
        assert fake["audio_path"] == f"vocoded/{fake['vocoder']}/folk/{fake['clip_id']}.flac"
        assert [real[name] for name in same] == [fake[name] for name in same]


def test_vocoders_of_the_two_fake_audio_quadrants_are_drawn_apart(built: Workspace) -> None:
    voices = {
        quadrant: {
            row["identity_group"]: row["vocoder"] for row in rows_of(built, "train", quadrant=quadrant)
        }
        for quadrant in ("real-fake", "fake-fake")
    }
    both = set(voices["real-fake"]) & set(voices["fake-fake"])
    equal = sum(voices["real-fake"][group] == voices["fake-fake"][group] for group in both)
    assert 0 < equal < len(both)


def test_window_and_padding(workspace: Workspace) -> None:
    clips = people(12)
    for clip in clips[::3]:
        clip["seconds"] = 1.5
    make_tables(workspace, clips)
    build_split(workspace, window_s=2.5)
    for row in rows_of(workspace, "train"):
        short = row["clip_id"].endswith("_real")
        assert row["duration_s"] == (1.5 if short else 2.5)
        assert row["n_samples"] == row["duration_s"] * row["sample_rate"]
        assert row["pad_s"] == (1.0 if short else 0.0)
        assert row["start_s"] == 0


def test_manifest_opens_in_pandas_polars_duckdb_and_pyarrow(built: Workspace) -> None:
    path = built.split("balanced") / "train.parquet"
    table = pq.read_table(path)
    assert table.schema.equals(SPLIT_SCHEMA)
    names, n_rows = SPLIT_SCHEMA.names, table.num_rows
    assert list(pd.read_parquet(path).columns) == names
    assert pl.read_parquet(path).shape == (n_rows, len(names))
    assert duckdb.connect().execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone() == (
        n_rows,
    )
    ids = table["sample_id"].to_pylist()
    assert ids == sorted(set(ids))


def test_tables_tell_how_they_were_made(built: Workspace) -> None:
    facts = read_metadata(built.split("balanced") / "val.parquet")
    assert facts["split"] == "val"
    assert facts["seed"] == facts["config"]["seed"] == 0
    assert facts["config"]["vocoders"] == list(VOCODERS)
    assert facts["methods"] == list(METHODS)
    assert facts["proof"]["violations"] == []
    report = json.loads((built.split("balanced") / "report.json").read_bytes())
    assert report["build"] == facts["build"]


def test_same_inputs_give_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    make_tables(workspace, people(12))
    build_split(workspace)
    turned = Workspace(tmp_path / "turned")
    make_tables(turned, people(12), reverse=True)
    build_split(turned, jobs=2)
    assert hashes(turned) == hashes(workspace)
    build_split(workspace)
    assert hashes(turned) == hashes(workspace)
    build_split(workspace, seed=1)
    assert hashes(turned)[0] != hashes(workspace)[0]


def test_excluded_clips_are_counted_by_reason(workspace: Workspace) -> None:
    clips = people(12)
    clips[0]["audio_label"] = 1
    clips[3]["vocoded_with"] = ("griffin-lim",)
    make_tables(workspace, clips)
    report = build_split(workspace)
    assert report.excluded["audio already fake"] == report.excluded["not vocoded with world"] == 1
    n_used = len({row["clip_id"] for split in SPLITS for row in rows_of(workspace, split)})
    assert n_used + sum(report.excluded.values()) == report.n_clips == len(clips)
    assert "1 audio already fake" in str(report)
    assert (
        json.loads((workspace.split("balanced") / "report.json").read_bytes())["excluded"] == report.excluded
    )


def test_unseen_pair_is_in_test_alone(built: Workspace) -> None:
    build_split(built, name="unseen", leave_out_method=["FaceSwap"], leave_out_vocoder=["world"])
    for split, method, vocoder in (
        ("train", "Face2Face", "griffin-lim"),
        ("val", "Face2Face", "griffin-lim"),
        ("test", "FaceSwap", "world"),
    ):
        rows = rows_of(built, split, "unseen")
        assert {row["video_method"] for row in rows} == {None, method}
        assert {row["vocoder"] for row in rows} == {None, vocoder}


def test_swap_takes_each_training_clip_once(built: Workspace) -> None:
    build_split(built, name="swapped", train_policy="swap")
    rows = rows_of(built, "train", "swapped")
    fake = [row for row in rows if row["audio_label"]]
    assert len({row["clip_id"] for row in rows}) == len(rows)
    assert 0.3 < len(fake) / len(rows) < 0.7
    assert {row["vocoder"] for row in fake} == set(VOCODERS)
    balanced = [row["sample_id"] for row in rows_of(built, "val")]
    assert [row["sample_id"] for row in rows_of(built, "val", "swapped")] == balanced


def test_without_balance_every_clip_has_every_vocoder(built: Workspace) -> None:
    report = build_split(built, name="all", balanced=False)
    assert report.excluded == {}
    rows = [row for split in SPLITS for row in rows_of(built, split, "all")]
    assert Counter(row["vocoder"] for row in rows) == dict.fromkeys((None, *VOCODERS), 120)


def test_shuffled_clip_gets_the_sound_of_another_person(workspace: Workspace) -> None:
    clips = people(30)
    for clip in clips[::2]:
        clip["seconds"] = 2.0
    make_tables(workspace, clips)
    build_split(workspace, shuffle_audio=True, per_quadrant=4, ratios=(0.4, 0.3, 0.3))
    seconds = {clip["clip_id"]: clip.get("seconds", 3.0) for clip in clips}
    group = {clip["clip_id"]: clip["identity_group"] for clip in clips}
    for split in SPLITS:
        rows = rows_of(workspace, split)
        assert len({row["audio_sha256"] for row in rows if row["video_label"] == 0}) == 8
        for row in rows:
            assert group[row["clip_id"]] != group[row["audio_clip_id"]]
            assert row["duration_s"] == min(seconds[row["clip_id"]], seconds[row["audio_clip_id"]])
            assert row["audio_path"].endswith(f"/{row['audio_clip_id']}.flac")
            assert row["audio_from"] == "shuffled"


def test_every_row_has_its_crops_once_faces_were_cropped(workspace: Workspace) -> None:
    clips = people(14)
    for clip in clips[6:]:
        clip["faces"] = {}
    clips[0]["faces"] = {
        "status": "failed",
        "error_kind": "face_lost",
        "faces_path": None,
        "faces_sha256": None,
    }
    clips[1]["faces"] = {"n_frames": 39}  # of 4 s
    make_tables(workspace, clips)
    report = build_split(workspace, ratios=(0.4, 0.3, 0.3))
    assert {name: report.excluded[name] for name in report.excluded if "face" in name or "crops" in name} == {
        "faces failed: face_lost": 1,
        "faces not cropped": 4,
        "fewer crops than sound": 1,
    }
    for split in SPLITS:
        for row in rows_of(workspace, split):
            assert row["faces_path"] == f"faces/folk/{row['clip_id']}.avi"
            assert row["faces_sha256"] == sha(f"faces/{row['clip_id']}")


def test_clips_out_of_sync_are_left_out_where_that_is_wanted(workspace: Workspace) -> None:
    clips = people(14)
    for number, clip in enumerate(clips[1:]):
        clip["sync"] = number / 100
    make_tables(workspace, clips)
    assert "out of sync" not in build_split(workspace, ratios=(0.4, 0.3, 0.3)).excluded
    report = build_split(workspace, min_sync=0.05, ratios=(0.4, 0.3, 0.3))
    assert (report.excluded["out of sync"], report.excluded["no sync score"]) == (5, 1)
    assert min(row["sync_score"] for split in SPLITS for row in rows_of(workspace, split)) >= 0.05
    shuffled = build_split(workspace, name="shuffled", shuffle_audio=True, ratios=(0.4, 0.3, 0.3))
    assert shuffled.n_rows["test"]
    assert {row["sync_score"] for row in rows_of(workspace, "test", "shuffled")} == {None}


def test_shuffling_within_one_person_is_refused(workspace: Workspace) -> None:
    make_tables(workspace, people(3))
    with pytest.raises(AvfakeError, match=r"cannot be shuffled: one identity has \d of \d clips"):
        build_split(workspace, shuffle_audio=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"per_quadrant": 5}, r"val x real-real is short by \d: \d usable clips, 5 wanted"),
        ({"corpora": ["dfdc"]}, "corpus 'dfdc' is not indexed (indexed: folk)"),
        ({"vocoders": ["melgan"]}, "no clip is vocoded with 'melgan' (there is: griffin-lim, world)"),
        ({"leave_out_method": ["Deepfakes"]}, "method 'Deepfakes' cannot be left out"),
        ({"leave_out_vocoder": ["melgan"]}, "vocoder 'melgan' cannot be left out"),
        ({"name": "../x"}, "split name '../x' must be"),
        ({"min_duration_s": 9.0}, "no clip can be used: 36 too short"),
    ],
)
def test_impossible_request_is_one_line_and_writes_nothing(
    workspace: Workspace, options: dict[str, Any], message: str
) -> None:
    make_tables(workspace, people(12))
    pattern = message if "\\d" in message else re.escape(message)
    with pytest.raises(AvfakeError, match=pattern) as caught:
        build_split(workspace, **options)
    assert "\n" not in str(caught.value)
    assert not list((workspace.root / "splits").glob("*"))


def test_empty_workspace_says_what_to_run_first(workspace: Workspace) -> None:
    with pytest.raises(AvfakeError, match="holds no index; run avfake index first"):
        build_split(workspace)
    make_tables(workspace, people(2), vocoders=())
    with pytest.raises(AvfakeError, match="no clip is vocoded yet; run avfake vocode first"):
        build_split(workspace)


def test_failed_build_leaves_the_earlier_split_as_it_was(workspace: Workspace) -> None:
    make_tables(workspace, people(12))
    build_split(workspace)
    before = hashes(workspace)
    with pytest.raises(AvfakeError, match="is short by"):
        build_split(workspace, per_quadrant=500)
    assert hashes(workspace) == before


def test_proof_that_fails_stops_the_build(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tables(workspace, people(12))
    same_for_all = "UPDATE rows SET vocoder = 'world' WHERE vocoder IS NOT NULL"

    def pair_badly(database: duckdb.DuckDBPyConnection, **options: Any) -> None:
        database.execute("CREATE TABLE donors AS SELECT corpus, clip_id, clip_id AS donor FROM chosen")
        database.execute(same_for_all)

    monkeypatch.setattr("avfake.curate.build_split.pair_sounds", pair_badly)
    with pytest.raises(AvfakeError, match="its proof failed: train: .* vocoders are not equal"):
        build_split(workspace)
    assert not workspace.split("balanced").exists()


def test_killed_build_leaves_nothing_in_the_way(workspace: Workspace) -> None:
    make_tables(workspace, people(12))
    left = workspace.split("balanced").with_name(".balanced.building")
    left.mkdir(parents=True)
    (left / "build.duckdb").write_bytes(b"torn")
    build_split(workspace)
    assert not left.exists()


def test_ffpp_sound_of_the_target_counts_as_real(workspace: Workspace) -> None:
    """Fakes of one target share its sound, and the splits are the official ones."""
    clips = [clip for split in SPLITS for clip in official_pair(split)]
    make_tables(workspace, clips)
    build_split(workspace)
    for split in SPLITS:
        fakes = rows_of(workspace, split, quadrant="fake-real")
        assert {row["audio_clip_id"] for row in fakes} <= {f"{split}0", f"{split}1"}
        assert {row["audio_from"] for row in fakes} == {"target"}


def official_pair(split: str) -> Sequence[Row]:
    """Two originals, each swapped onto the other by two methods; one identity group, as in FF++."""
    common = {"corpus": "ffpp", "identity_group": split, "official_split": split, "audio_label": None}
    clips = []
    for target, source in (("0", "1"), ("1", "0")):
        sound = {"audio_from": "target", "audio_clip_id": f"{split}{target}"}
        named = {"sound": f"{split}{target}", "audio": sound, **common}
        clips.append({"clip_id": f"{split}{target}", **named})
        for method in METHODS:
            fake = {"video_label": 1, "video_method": method, "source": source}
            clips.append({"clip_id": f"{split}{target}_{source}_{method}", **fake, **named})
    return clips
