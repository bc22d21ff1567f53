"""Faces are followed through gaps, crossings and crowds, never from one person to another."""

import re

import numpy as np
import pytest

from avfake.errors import ClipError, ErrorKind
from avfake.faces.cuts import Sight
from avfake.faces.track import MOST_CANDIDATES, find_tracks
from tests.faces.sightings import face, sight, still


def refusal(sights: list[Sight]) -> ClipError:
    with pytest.raises(ClipError) as caught:
        find_tracks(sights)
    assert "\n" not in str(caught.value)
    return caught.value


def without(sights: list[Sight], first: int, behind: int) -> list[Sight]:
    """The same pictures, but in some of them nothing is seen."""
    return [sight([]) if first <= number < behind else seen for number, seen in enumerate(sights)]


def test_a_face_that_stays_is_one_track() -> None:
    (track,) = find_tracks(still(12, face(200, 150, score=0.95)))
    assert track.time_s == pytest.approx(np.arange(12) / 10)
    assert track.boxes.shape == (12, 4)
    assert track.landmarks.shape == (12, 5, 2)
    assert track.boxes == pytest.approx(np.tile([150, 100, 250, 200], (12, 1)))
    assert track.scores == pytest.approx(np.full(12, 0.95))
    assert {values.dtype.name for values in (track.boxes, track.landmarks, track.scores)} == {"float32"}


def test_a_gap_of_half_a_second_is_bridged_in_a_straight_line() -> None:
    moving = [sight([face(200 + 10 * number, 150)]) for number in range(20)]
    (track,) = find_tracks(without(moving, 6, 11))
    assert track.landmarks.mean(axis=1)[:, 0] == pytest.approx(
        face(0, 0).landmarks.mean(axis=0)[0] + 200 + 10 * np.arange(20), abs=1e-3
    )
    assert np.flatnonzero(track.scores == 0).tolist() == [6, 7, 8, 9, 10]


def test_before_the_first_and_behind_the_last_sight_the_face_stays() -> None:
    moving = [sight([face(200 + 10 * number, 150)]) for number in range(20)]
    (track,) = find_tracks(without(without(moving, 0, 5), 15, 20))
    assert track.boxes[:5, 0] == pytest.approx(200.0)
    assert track.boxes[15:, 0] == pytest.approx(290.0)
    assert (track.scores == 0).sum() == 10


@pytest.mark.parametrize(("first", "behind"), [(0, 6), (7, 13), (14, 20)])
def test_a_longer_gap_is_told_with_its_times(first: int, behind: int) -> None:
    error = refusal(without(still(20, face(200, 150)), first, behind))
    assert error.kind == ErrorKind.FACE_LOST
    assert f"from {first / 10} to {behind / 10} s" in str(error)


@pytest.mark.parametrize(("first", "behind"), [(0, 6), (7, 13), (14, 20)])
def test_a_track_with_gaps_says_where_the_face_is_lost(first: int, behind: int) -> None:
    sights = without(still(20, face(200, 150)), first, behind)
    (track,) = find_tracks(sights, with_gaps=True)
    assert track.lost == [(first, behind)]
    assert len(track.boxes) == 20
    assert np.flatnonzero(track.scores == 0).tolist() == list(range(first, behind))


def test_gaps_are_allowed_only_where_no_face_lasts() -> None:
    brief, lasting = face(200, 150, size=160), face(450, 150)
    sights = [
        sight([brief, lasting] if number < 20 else [lasting], [0, 1][number >= 20 :]) for number in range(30)
    ]
    plain, allowed = (find_tracks(sights, with_gaps=with_gaps) for with_gaps in (False, True))
    assert len(plain) == len(allowed) == 1
    assert np.array_equal(plain[0].boxes, allowed[0].boxes)
    assert allowed[0].boxes[:, 0] == pytest.approx(400)
    assert allowed[0].lost == []


def test_without_a_face_there_is_no_track_with_gaps_either() -> None:
    with pytest.raises(ClipError, match="no face"):
        find_tracks(still(10), with_gaps=True)


def test_who_leaves_the_picture_is_lost() -> None:
    leaving = [sight([face(200 + 30 * number, 150)] if number < 12 else []) for number in range(30)]
    assert "from 1.2 to 3.0 s" in str(refusal(leaving))


def test_a_clip_without_a_face_is_told_as_such() -> None:
    for nothing in (still(10), still(1), still(10, face(200, 150, score=0.85))):
        assert refusal(nothing).kind == ErrorKind.NO_FACE


def test_unsure_detections_continue_a_face() -> None:
    scores = [0.6] * 8 + [0.95] + [0.6] * 8
    (track,) = find_tracks([sight([face(200, 150, score=score)]) for score in scores])
    assert track.scores == pytest.approx(scores)


def test_people_side_by_side_are_not_mistaken_for_each_other() -> None:
    rng = np.random.default_rng(0)
    sights = []
    for number in range(40):
        sway = 30 * np.sin(number / 4)
        people = [
            face(200 + sway, 200, size=130),
            face(340 + sway, 210, size=110),
            face(470 - sway, 190, size=120),
        ]
        order = rng.permutation(3)
        sights.append(sight([people[index] for index in order], order.tolist()))
    tracks = find_tracks(sights)
    assert [round(float(np.median(track.boxes[:, 2] - track.boxes[:, 0]))) for track in tracks] == [
        130,
        120,
        110,
    ]
    for track in tracks:
        assert np.ptp(track.boxes[:, 2] - track.boxes[:, 0]) == pytest.approx(0, abs=1e-3)


def test_who_is_hidden_is_not_continued_by_a_neighbour() -> None:
    both = still(30, face(200, 200), face(330, 200))
    hidden = [sight(seen.faces[1:], [1]) if 10 <= number < 14 else seen for number, seen in enumerate(both)]
    first, second = find_tracks(hidden)
    assert sorted([np.ptp(first.boxes[:, 0]), np.ptp(second.boxes[:, 0])]) == pytest.approx([0, 0], abs=1e-3)
    assert {(track.scores == 0).sum() for track in (first, second)} == {0, 4}


def test_who_walks_by_does_not_take_the_face_along() -> None:
    sights = []
    for number in range(30):
        x = -100 + 30 * number
        passing, speaker = face(x, 205, size=100), face(320, 200, size=104)
        sights.append(sight([passing], [1]) if abs(320 - x) < 70 else sight([passing, speaker], [1, 0]))
    hidden, passing_by = sorted(find_tracks(sights), key=lambda track: track.scores.sum())
    assert hidden.boxes == pytest.approx(np.tile(speaker.box, (30, 1)))
    assert (hidden.scores == 0).sum() == 5
    assert np.diff(passing_by.boxes[:, 0]) == pytest.approx(30)


@pytest.mark.parametrize(("size", "n_candidates"), [(45, 1), (55, 2)])
def test_much_smaller_faces_are_no_candidates(size: float, n_candidates: int) -> None:
    assert len(find_tracks(still(20, face(200, 200), face(400, 200, size=size)))) == n_candidates


def test_candidates_are_few_and_the_largest_come_first() -> None:
    crowd = [face(150 * number, 100, size=100 - number) for number in range(9)]
    tracks = find_tracks(still(10, *crowd[::-1]))
    assert len(tracks) == MOST_CANDIDATES
    widths = [track.boxes[0, 2] - track.boxes[0, 0] for track in tracks]
    assert widths == pytest.approx([100, 99, 98, 97], abs=1e-3)


def test_who_stays_is_taken_though_somebody_larger_leaves() -> None:
    large, small = face(200, 200, size=130), face(400, 200)
    sights = [
        sight([large, small] if number < 20 else [small], [0, 1] if number < 20 else [1])
        for number in range(30)
    ]
    (track,) = find_tracks(sights)
    assert track.boxes[0] == pytest.approx(small.box)


def test_a_cut_to_somebody_else_at_the_same_place_ends_a_face() -> None:
    speaker = face(200, 200)
    cut = [sight([speaker], [number // 20], scene=number // 20) for number in range(30)]
    error = refusal(cut)
    assert error.kind == ErrorKind.FACE_LOST
    assert re.search(r"from 2\.0 to 3\.0 s \(the scene changes at 2\.0 s\)", str(error))


def test_another_view_of_the_same_person_does_not() -> None:
    cut = [sight([face(200, 200)], [0], scene=number // 20) for number in range(30)]
    assert len(find_tracks(cut)) == 1


def test_the_cut_counts_also_when_no_face_is_seen_just_then() -> None:
    cut = [sight([face(200, 200)], [number // 15], scene=number // 15) for number in range(30)]
    assert refusal(without(cut, 14, 17)).kind == ErrorKind.FACE_LOST


def test_people_in_turn_are_not_one_face() -> None:
    turns = [sight([face(150 if number < 16 else 450, 200)], [number // 16]) for number in range(30)]
    assert "from 1.6 to 3.0 s" in str(refusal(turns))


def test_a_face_found_twice_for_a_moment_is_not_lost() -> None:
    def moved(number: int) -> float:
        return 200 + 0.5 * (number - 12) if number >= 12 else 200.0

    sights = [sight([face(moved(number), 150)]) for number in range(30)]
    sights[11] = sight([face(200, 150), face(207, 150, size=90)], [0, 0])
    sights[12] = sight([face(206, 150)])
    tracks = find_tracks(sights)
    assert len(tracks) == 1
    assert (tracks[0].scores > 0).all()


def test_passers_by_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    speaker = face(900, 500, size=300)
    sights = [
        sight([speaker, *(face(*rng.uniform(0, 800, 2), size=40, score=0.95) for _ in range(3))])
        for _ in range(150)
    ]
    (track,) = find_tracks(sights)
    assert track.boxes[:, 0] == pytest.approx(750.0)
