"""The ways in which a clip's frames may follow an upload's: one by one, two to one, or by the clock."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.video.agreement import frame_period_s, spans
from avfake.video.track import FrameTrack

_SAME = 0.003  # two rates that differ less are one: 30 and 29.97, 24 and 23.976
_FAR = 4 / 3  # fakes claim the rate of another video, 24 to 30; what is farther off may be another pace


class Pace(NamedTuple):
    """One way.

    Attributes:
        frames: Of the upload, the one shown at each place where a frame of the clip may lie, [places].
        times_s: When each place is, [places].
        step: In places, from one frame of the clip to the next.
        spans: Frames over which the motion of clip and upload is taken.
        exact: Whether the clip's frames are frames of the upload, or would be if that had all of them.
    """

    frames: NDArray[np.int64]
    times_s: NDArray[np.float64]
    step: float
    spans: tuple[int, int]
    exact: bool

    def at(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Times of places, which may lie between two."""
        times_s: NDArray[np.float64] = np.interp(places, np.arange(len(self.times_s)), self.times_s)
        return times_s


def paces(clip: FrameTrack, upload: FrameTrack) -> Iterator[Pace]:
    """Ways worth trying, the likeliest first.

    The rate that a clip's file claims may be wrong, so at first only the order of frames counts: each frame
    of the clip is one of the upload. Where the claimed rates are far apart, the upload may have been thinned
    to half its frames, or the clip. Last, the clip may have been sampled anew, at its own rate, by repeating
    or leaving out frames.
    """
    every = np.arange(len(upload.times_s))
    yield Pace(every, upload.times_s, 1.0, (1, 1), exact=True)
    ratio = frame_period_s(clip.times_s) / frame_period_s(upload.times_s)
    if ratio < 1 / _FAR:
        yield Pace(every, upload.times_s, 0.5, (2, 1), exact=True)
    if ratio > _FAR:
        yield Pace(every, upload.times_s, 2.0, (1, 2), exact=True)
    if all(abs(ratio / exact - 1) > _SAME for exact in (0.5, 1, 2)):
        grid_s = np.arange(upload.times_s[0], upload.times_s[-1], frame_period_s(clip.times_s))
        middles_s = (upload.times_s[1:] + upload.times_s[:-1]) / 2
        nearest = np.searchsorted(middles_s, grid_s)
        yield Pace(nearest, grid_s, 1.0, spans(ratio, 1.0), exact=False)
