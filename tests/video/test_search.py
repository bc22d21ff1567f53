"""The search finds the same however large the table is, and says how sure it is."""

import numpy as np
import pytest

from avfake.video import search
from avfake.video.motion import energies, motion
from avfake.video.pace import paces
from avfake.video.search import follow, multiply, slices
from tests.video.shooting import Film, part_of


def test_products_are_those_of_all_motion(uploads: dict[str, Film], monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploads["25"].track
    clip = part_of(upload, slice(200, 260))
    monkeypatch.setattr(search, "_BLOCK", 100)
    found = multiply(clip, upload, (1, 1))
    assert found.table == pytest.approx(motion(clip.pictures) @ motion(upload.pictures).T, abs=2e-3)
    assert found.energy == pytest.approx(energies(motion(upload.pictures)), abs=1e-5)
    assert found.every == 1


def test_a_table_too_large_is_thinned_and_finds_the_same(
    uploads: dict[str, Film], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploads["25"].track
    clip = part_of(upload, slice(200, 310))
    pace = next(paces(clip, upload))
    for most in (search._LARGEST_TABLE, 110 * len(upload.times_s) // 3 + 1):
        monkeypatch.setattr(search, "_LARGEST_TABLE", most)
        products = multiply(clip, upload, (1, 1))
        way = follow(products, pace, 110)
        assert way is not None
        assert way.certain
        assert way.offsets.tolist() == [200] * 110
    assert products.every == 3
    assert products.table.size <= most + len(upload.times_s)


def test_the_right_moment_leads_and_a_wrong_one_does_not(uploads: dict[str, Film]) -> None:
    upload = uploads["25"].track
    right = part_of(upload, slice(200, 280))
    wrong = right._replace(pictures=right.pictures[::-1])
    ways = []
    for clip in (right, wrong):
        way = follow(multiply(clip, upload, (1, 1)), next(paces(clip, upload)), 80)
        assert way is not None
        ways.append(way)
    assert ways[0].score > 0.9
    assert ways[0].lead > 0.5
    assert ways[0].certain
    assert not ways[1].certain


def test_a_clip_longer_than_its_upload_has_no_way(uploads: dict[str, Film]) -> None:
    upload = part_of(uploads["25"].track, slice(0, 50))
    clip = part_of(uploads["25"].track, slice(0, 51))
    assert follow(multiply(clip, upload, (1, 1)), next(paces(clip, upload)), 51) is None


def test_slices_cover_all_rows_once() -> None:
    for cuts in ([], [3], [1, 2, 9]):
        parts = slices(np.array(cuts, np.int64), 10)
        assert np.concatenate([np.arange(10)[part] for part in parts]).tolist() == list(range(10))
