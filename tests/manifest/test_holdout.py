from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from avfake.curate.workspace import Workspace
from avfake.manifest.candidates import judge_clips, load_tables
from avfake.manifest.database import open_database
from avfake.manifest.holdout import place_clips
from avfake.manifest.schema import SPLITS
from avfake.manifest.split_config import SplitConfig
from tests.split_tables import VOCODERS, make_tables, people, tables_of

Places = dict[str, tuple[str, str | None]]


def places(workspace: Workspace, clips: Iterable[Mapping[str, Any]], **options: Any) -> Places:
    """Split and reason of each clip."""
    make_tables(workspace, clips)
    config = SplitConfig(corpora=tuple(workspace.corpora()), vocoders=VOCODERS, **options)
    with open_database(workspace.root / "building", threads=1) as database:
        load_tables(database, tables_of(workspace))
        judge_clips(database, config)
        place_clips(database, config)
        found = database.execute("SELECT clip_id, split_no, reason FROM placed").fetchall()
    return {clip_id: (SPLITS[split], reason) for clip_id, split, reason in found}


def clip(clip_id: str, group: str, split: str | None = None, **facts: Any) -> dict[str, Any]:
    return {"corpus": "folk", "clip_id": clip_id, "identity_group": group, "official_split": split, **facts}


def test_official_splits_are_kept(workspace: Workspace) -> None:
    clips = [clip("a", "a", "train"), clip("b", "b", "val"), clip("c", "c", "test")]
    assert places(workspace, clips) == {"a": ("train", None), "b": ("val", None), "c": ("test", None)}


def test_straddling_identity_stays_in_its_most_held_out_split(workspace: Workspace) -> None:
    clips = [clip("a", "x", "train"), clip("b", "x", "val"), clip("c", "y", "val"), clip("d", "y", "test")]
    assert places(workspace, clips) == {
        "a": ("train", "identity straddles splits"),
        "b": ("val", None),
        "c": ("val", "identity straddles splits"),
        "d": ("test", None),
    }


def test_shared_sound_stays_in_its_most_held_out_split(workspace: Workspace) -> None:
    clips = [clip("a", "x", "train", sound="s"), clip("b", "x", "train"), clip("c", "y", "test", sound="s")]
    assert places(workspace, clips) == {
        "a": ("train", "sound also in another split"),
        "b": ("train", None),
        "c": ("test", None),
    }


def test_fake_with_its_source_in_another_split_is_dropped(workspace: Workspace) -> None:
    fake = {"video_label": 1, "video_method": "FaceSwap"}
    clips = [
        clip("a", "x", "train"),
        clip("b", "y", "test"),
        clip("x_y", "x", "train", source_group="y", **fake),
        clip("x_stranger", "x", "train", source_group="stranger", **fake),
    ]
    found = places(workspace, clips)
    assert found["x_y"] == ("train", "source identity in another split")
    assert found["x_stranger"] == ("train", None)


def test_clips_without_official_split_follow_their_identity(workspace: Workspace) -> None:
    clips = [clip("a", "x", "test"), clip("b", "x"), clip("c", "y", sound="a")]
    clips[0]["sound"] = "a"
    assert {split for split, _ in places(workspace, clips).values()} == {"test"}


def test_parts_are_held_out_whole(workspace: Workspace) -> None:
    clips = [clip(f"{part}{n}", f"{part}{n}", part=part) for part in "abcdefg" for n in range(5)]
    found = places(workspace, clips)
    by_part = {part: {found[f"{part}{n}"][0] for n in range(5)} for part in "abcdefg"}
    assert all(len(splits) == 1 for splits in by_part.values())
    assert set.union(*by_part.values()) == set(SPLITS)


def test_two_parts_are_too_few_so_identities_are_held_out(workspace: Workspace) -> None:
    clips = [clip(f"{part}{n}", f"{part}{n}", part=part) for part in "ab" for n in range(10)]
    found = places(workspace, clips)
    assert {found[f"a{n}"][0] for n in range(10)} == set(SPLITS)


def test_identities_joined_by_a_sound_stay_together(workspace: Workspace) -> None:
    chain = [clip(f"c{n}_{m}", f"g{n}", sound=f"s{n + m}") for n in range(4) for m in (0, 1)]
    others = [clip(f"o{n}", f"o{n}") for n in range(12)]
    found = places(workspace, [*chain, *others])
    assert len({found[row["clip_id"]][0] for row in chain}) == 1
    assert all(reason is None for _, reason in found.values())


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_in_two_splits_whatever_the_seed(workspace: Workspace, seed: int) -> None:
    clips = people(30)
    for number, row in enumerate(clips):
        if row.get("video_label"):
            row["source_group"] = f"person{(number * 7) % 30:03d}"
    found = places(workspace, clips, seed=seed)
    kept = {name: split for name, (split, reason) in found.items() if reason is None}
    splits_of: dict[str, set[str]] = {}
    for row in clips:
        if row["clip_id"] in kept:
            for group in {row["identity_group"], row.get("source_group")} - {None}:
                splits_of.setdefault(group, set()).add(kept[row["clip_id"]])
    assert all(len(splits) == 1 for splits in splits_of.values())
    assert set(kept.values()) == set(SPLITS)
