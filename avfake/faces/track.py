"""Follow faces through a clip: which detections belong together, and which faces may be the speaker's."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.faces.cuts import Sight, alike, find_cuts
from avfake.faces.detect import Face
from avfake.video.sample import PICTURES_PER_S, picture_times

LONGEST_GAP_S = 0.5  # for which a face may be lost
MOST_CANDIDATES = 4
_SURE = 0.9  # score that a face reaches somewhere; less sure detections only continue it
_FAIR_SHARE = 0.25  # of the most dominant face's dominance, which makes another one a candidate
# How far from where it is expected a face may be in the next picture, in sizes of the face, how much farther
# for each picture it is missing in, and how much it may have grown or shrunk. 99.9 % of the steps of talking
# heads stay below 0.22 and 1.12; who sits beside them is farther away than 1.
_ASTRAY, _ASTRAY_MISSING, _ASTRAY_MOST, _GROWTH = 0.5, 0.1, 1.0, 1.5
_MEMORY = 10 * PICTURES_PER_S  # pictures for which a lost face is looked for, to tell how long it was lost

_GAP = round(LONGEST_GAP_S * PICTURES_PER_S)  # pictures


@dataclass(frozen=True)
class FaceTrack:
    """One face through a whole clip, one entry per sampled picture.

    Attributes:
        time_s: Seconds after the clip's first frame, [frames].
        boxes: Left, top, right and bottom edge in pixels of the upright picture, [frames, 4].
        landmarks: In the order of ``Face``, [frames, 5, 2].
        scores: Of the detections, [frames]; 0 where there is none and the face's place is interpolated.
    """

    time_s: NDArray[np.float64]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]

    @property
    def lost(self) -> list[tuple[int, int]]:
        """Where the face is lost for longer than a clip may lose it: first picture, and the one behind."""
        edges = pairwise([-1, *np.flatnonzero(self.scores).tolist(), len(self.scores)])
        return [(before + 1, after) for before, after in edges if after - before - 1 > _GAP]


def find_tracks(sights: Sequence[Sight], *, with_gaps: bool = False) -> list[FaceTrack]:
    """Find the faces that may be the speaker's: those that last, and are large and sure enough for long.

    Args:
        sights: Of all pictures of a clip.
        with_gaps: Where no face lasts, give the most dominant one, whose ``lost`` says where it is not.

    Returns:
        One to ``MOST_CANDIDATES`` tracks as the faces were detected, not smoothed; the most dominant first.

    Raises:
        ClipError: There is no face, or the most dominant one is lost for too long.
    """
    chains = sorted((chain for chain in _link(sights) if chain.sure), key=lambda chain: -chain.dominance)
    if not chains:
        raise ClipError(ErrorKind.NO_FACE, f"no face is found in its {len(sights)} pictures")
    least = _FAIR_SHARE * chains[0].dominance
    lasting = [chain for chain in chains if chain.dominance >= least and chain.lasts(len(sights))]
    if not lasting and with_gaps:
        return [chains[0].filled(len(sights))]
    if not lasting:
        raise _lost(chains[0], sights)
    return [chain.filled(len(sights)) for chain in lasting[:MOST_CANDIDATES]]


class _Chain:
    """Detections of one face, in time."""

    def __init__(self) -> None:
        self.numbers: list[int] = []  # of the pictures
        self.faces: list[Face] = []
        self.look = np.zeros(0, np.uint8)  # at the last of them

    def expected(self, number: int) -> NDArray[np.float64]:
        """Where the landmarks are by then, should they go on as they went before, [5, 2]."""
        last = self.faces[-1].landmarks.astype(np.float64)
        if len(self.faces) == 1:
            return last
        way = (last - self.faces[-2].landmarks).mean(axis=0) / (self.numbers[-1] - self.numbers[-2])
        there: NDArray[np.float64] = last + way * (number - self.numbers[-1])
        return there

    def add(self, number: int, face: Face, look: NDArray[np.uint8]) -> None:
        self.numbers.append(number)
        self.faces.append(face)
        self.look = look

    @property
    def sure(self) -> bool:
        return any(face.score >= _SURE for face in self.faces)

    @property
    def dominance(self) -> float:
        """Area x duration x score."""
        scores = np.array([face.score for face in self.faces])
        return float(_sizes(self.faces) ** 2 @ scores)

    def gap(self, n_pictures: int) -> tuple[int, int]:
        """The longest run of pictures without a detection: its first, and the one behind it."""
        edges = pairwise([-1, *self.numbers, n_pictures])
        return max(((before + 1, after) for before, after in edges), key=lambda run: run[1] - run[0])

    def lasts(self, n_pictures: int) -> bool:
        first, behind = self.gap(n_pictures)
        return behind - first <= _GAP

    def filled(self, n_pictures: int) -> FaceTrack:
        """The track of all pictures; before the first and behind the last detection the face stays."""
        scores = np.zeros(n_pictures, np.float32)
        scores[self.numbers] = [face.score for face in self.faces]
        points = np.array([[*face.box, *face.landmarks.ravel()] for face in self.faces])
        everywhere = np.arange(n_pictures)
        columns = [np.interp(everywhere, self.numbers, column) for column in points.T]
        places = np.stack(columns, axis=1).astype(np.float32)
        boxes, landmarks = places[:, :4], places[:, 4:].reshape(-1, 5, 2)
        return FaceTrack(picture_times(n_pictures), boxes, landmarks, scores)


def _link(sights: Sequence[Sight]) -> list[_Chain]:
    """Chains of all detections: each continues the face that is expected nearest, or begins another one."""
    chains: list[_Chain] = []
    recent: list[_Chain] = []
    last_cut = 0
    for number, (sight, is_cut) in enumerate(zip(sights, find_cuts(sights), strict=True)):
        last_cut = number if is_cut else last_cut
        recent = [chain for chain in recent if number - chain.numbers[-1] <= _MEMORY]
        continued = _continued(recent, sight, number, last_cut)
        begun = {index: _Chain() for index in range(len(sight.faces)) if index not in continued}
        for index, chain in (continued | begun).items():
            chain.add(number, sight.faces[index], sight.looks[index])
        recent += begun.values()
        chains += begun.values()
    return chains


def _continued(chains: Sequence[_Chain], sight: Sight, number: int, last_cut: int) -> dict[int, _Chain]:
    """Which chain each detection of a picture continues, by its index.

    Faces known for long go first, those lost for long last, so that nothing seen twice or by mistake takes a
    face away; among equals the nearest go first.
    """
    if not chains or not sight.faces:
        return {}
    missing = number - 1 - np.array([chain.numbers[-1] for chain in chains])
    limits = np.minimum(_ASTRAY + _ASTRAY_MISSING * missing, _ASTRAY_MOST)
    astray, growth = _differences(chains, sight.faces, number)
    possible = (astray <= limits[:, None]) & (growth <= _GROWTH)
    known = np.array([len(chain.faces) > _GAP for chain in chains])
    rank = np.where(missing > _GAP, 2, np.where(known, 0, 1))
    continued: dict[int, _Chain] = {}
    taken: set[int] = set()
    for place in np.lexsort((astray.ravel(), np.repeat(rank, len(sight.faces)))):
        before, index = divmod(int(place), len(sight.faces))
        chain = chains[before]
        if not possible[before, index] or before in taken or index in continued:
            continue
        if chain.numbers[-1] >= last_cut or alike(chain.look, sight.looks[index]):
            continued[index] = chain
            taken.add(before)
    return continued


def _differences(
    chains: Sequence[_Chain], faces: Sequence[Face], number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean distance of landmarks from where they are expected, in sizes of the face, and ratio of sizes.

    Both [chains, faces]. The distance says what overlap of boxes would, also of faces that turn.
    """
    before, sizes = _sizes([chain.faces[-1] for chain in chains])[:, None], _sizes(faces)
    expected = np.stack([chain.expected(number) for chain in chains])[:, None]
    landmarks = np.stack([face.landmarks for face in faces])
    ways = np.linalg.norm(landmarks - expected, axis=-1).mean(axis=-1)
    return ways / np.sqrt(before * sizes), np.maximum(sizes / before, before / sizes)


def _sizes(faces: Sequence[Face]) -> NDArray[np.float64]:
    """Side of the square with the area of each face's box, in pixels, [faces]."""
    boxes = np.array([face.box for face in faces], np.float64)
    sizes: NDArray[np.float64] = np.sqrt(np.maximum(boxes[:, 2:] - boxes[:, :2], 1).prod(axis=1))
    return sizes


def _lost(chain: _Chain, sights: Sequence[Sight]) -> ClipError:
    """Say when the face of a chain is lost."""
    first, behind = chain.gap(len(sights))
    cuts = [number for number in np.flatnonzero(find_cuts(sights)) if first <= number <= behind]
    why = f" (the scene changes at {cuts[0] / PICTURES_PER_S:.1f} s)" if cuts else ""
    return ClipError(
        ErrorKind.FACE_LOST,
        f"its face is lost from {first / PICTURES_PER_S:.1f} to {behind / PICTURES_PER_S:.1f} s{why}; "
        f"at most {LONGEST_GAP_S} s may be missing",
    )
