"""How well a clip's motion agrees with an upload's around given times, and where it agrees best."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.errors import ClipError, ErrorKind
from avfake.video.motion import REACH, energies, motion
from avfake.video.track import FrameTrack

FARTHEST_S = 0.5  # from the given times
_SHORTEST_PERIOD_S = 0.001
_CUT_S = 0.2  # from one frame to the next, beyond which the clip leaves something out between them
_PART = 25  # frames that are judged by themselves
_LEAST_MOTION = 12.0  # of a part, in frames that move

Values = NDArray[np.float64]


class Agreement(NamedTuple):
    """Where the motion of a clip and an upload agrees best near some times.

    Attributes:
        offset_s: What to add to the times.
        score: Correlation of motion there, -1 to 1.
        n_moving: How much of the clip moves, in frames.
        worst_part: Lowest correlation of any second of the clip in which enough moves to tell.
    """

    offset_s: float
    score: float
    n_moving: float
    worst_part: float


def agreement(clip: FrameTrack, upload: FrameTrack, times_s: Values) -> Agreement:
    """Compare a clip with an upload near the times its frames are thought to have.

    Args:
        clip: All frames of the clip.
        upload: Frames of the upload, at least those within ``FARTHEST_S`` of the times.
        times_s: Upload time of each frame of the clip, [frames].
    """
    clip_period_s, period_s = frame_period_s(times_s), frame_period_s(upload.times_s)
    near = _Near.of(clip, upload, times_s, spans(clip_period_s, period_s))
    step_s = min(clip_period_s, period_s) / 4
    n_steps = math.floor(FARTHEST_S / step_s)
    offsets_s = step_s * np.arange(-n_steps, n_steps + 1)
    scores = np.array([near.score(offset_s) for offset_s in offsets_s])
    best = int(np.argmax(scores))
    offset_s = float(offsets_s[best] + step_s * _vertex(scores, best))
    return Agreement(offset_s, near.score(offset_s), float(near.clip_energy.sum()), near.worst_part(offset_s))


def frame_period_s(times_s: Values) -> float:
    """Usual time from one frame to the next.

    Raises:
        ClipError: There is only one frame, or the times cannot be those of a film.
    """
    period_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    if period_s < _SHORTEST_PERIOD_S:
        raise ClipError(
            ErrorKind.CORRUPT,
            f"its {len(times_s)} frames are shown within {1000 * float(np.ptp(times_s)):.0f} ms; "
            "times at which a film shows its frames are needed",
        )
    return period_s


def spans(clip_period_s: float, upload_period_s: float) -> tuple[int, int]:
    """Frames over which the motion of clip and upload is to be taken to span about the same time."""
    ratio = clip_period_s / upload_period_s
    return max(1, round(1 / ratio)), max(1, round(ratio))


class _Near(NamedTuple):
    """Products of each frame's motion with that of the upload's frames around it."""

    positions: Values  # of the upload's frames around all times, [upload frames]: their times
    times_s: Values  # [frames]
    first: NDArray[np.int64]  # which of them the first product of each frame belongs to, [frames]
    products: Values  # [frames, neighbours]
    energy: Values  # of those frames, [frames, neighbours]
    clip_energy: Values  # [frames]

    @classmethod
    def of(cls, clip: FrameTrack, upload: FrameTrack, times_s: Values, both: tuple[int, int]) -> "_Near":
        clip_span, upload_span = both
        halo = (REACH + 1) * upload_span
        start, end = np.searchsorted(upload.times_s, [times_s.min() - FARTHEST_S, times_s.max() + FARTHEST_S])
        window = slice(max(0, start - halo), end + halo)
        around_s = upload.times_s[window]
        cuts = np.flatnonzero(np.diff(times_s) > _CUT_S) + 1
        takes = np.split(clip.pictures, cuts)  # across a cut nothing moves
        clip_motion = np.concatenate([motion(take, span=clip_span) for take in takes])
        upload_motion = motion(upload.pictures[window], span=upload_span)
        upload_energy = energies(upload_motion)
        reach = math.ceil(FARTHEST_S / frame_period_s(around_s)) + 2
        first = np.searchsorted(around_s, times_s) - reach
        neighbours = np.clip(first[:, None] + np.arange(2 * reach + 1), 0, len(around_s) - 1)
        products = [np.einsum("fc,fc->f", clip_motion, upload_motion[column]) for column in neighbours.T]
        return cls(
            around_s,
            times_s,
            first,
            np.stack(products, axis=1).astype(np.float64),
            upload_energy[neighbours].astype(np.float64),
            energies(clip_motion).astype(np.float64),
        )

    def at(self, offset_s: float) -> tuple[Values, Values]:
        """Product and upload's energy of each frame if its time is later by ``offset_s``, [frames] each."""
        exact = np.interp(self.times_s + offset_s, self.positions, np.arange(len(self.positions)))
        place = np.clip(exact - self.first, 1, self.products.shape[1] - 2.001)
        whole = place.astype(np.int64)
        part = place - whole
        rows = np.arange(len(place))
        before, here, after, beyond = (self.products[rows, whole + shift] for shift in (-1, 0, 1, 2))
        rise, bend = after - before, 2 * before - 5 * here + 4 * after - beyond
        product = here + part / 2 * (rise + part * (bend + part * (3 * (here - after) + beyond - before)))
        energy = (1 - part) * self.energy[rows, whole] + part * self.energy[rows, whole + 1]
        return product, energy

    def score(self, offset_s: float) -> float:
        product, energy = self.at(offset_s)
        return float(_correlation(product.sum(), self.clip_energy.sum(), energy.sum()))

    def worst_part(self, offset_s: float) -> float:
        product, energy = self.at(offset_s)
        sums = [_moving_sums(values) for values in (product, self.clip_energy, energy)]
        tells = np.minimum(sums[1], sums[2]) >= _LEAST_MOTION
        return float(np.min(_correlation(*sums)[tells], initial=1.0))


def _correlation(product: Values, energy: Values, other_energy: Values) -> Values:
    correlation: Values = product / np.sqrt(np.maximum(energy * other_energy, 1e-12))
    return correlation


def _moving_sums(values: Values) -> Values:
    ends = np.concatenate([[0.0], np.cumsum(values)])
    size = min(_PART, len(values))
    sums: Values = ends[size:] - ends[:-size]
    return sums


def _vertex(values: Values, peak: int) -> float:
    """Where a parabola through the peak and its neighbours is highest, in steps from the peak."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    before, here, after = values[peak - 1 : peak + 2]
    bend = before - 2 * here + after
    return float((before - after) / (2 * bend)) if bend < 0 else 0.0
