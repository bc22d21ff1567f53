"""The whole: uploads, the data set cut from them, and the truth about every clip."""

import shutil
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.ffpp_world.filming import cut_clips, film, originals_of, plan_reel
from tests.ffpp_world.footage import Take
from tests.ffpp_world.truth import Case, Truth

NTSC, FILM = Fraction(30_000, 1001), Fraction(24_000, 1001)
QUICK = (
    Case("-9Gg5zdX7nU", methods=("Deepfakes",)),
    Case("zPdvu-SUnbg", NTSC, rounded=True, methods=("NeuralTextures",)),  # holds two sequences
    Case("-C5sgroT610", FILM, gaps=True, methods=("FaceSwap",), late=2, n_takes=2),
    Case("--b1Ua-kWJE", None),
)


class World(NamedTuple):
    """What :func:`build_world` left on disk.

    Attributes:
        root: Of the data set; frame lists lie in ``downloaded_videos_info``.
        streams: Files of each upload, by YouTube id and by name in STREAMS.
        clips: Truth of each clip, by clip id.
    """

    root: Path
    streams: Mapping[str, Mapping[str, Path]]
    clips: Mapping[str, Truth]

    def lay_out(
        self,
        folder: Path,
        *,
        sound: str = "sound.m4a",
        pictures: str | None = "pictures.mp4",
        swap: bool = False,
    ) -> Path:
        """Copy a folder of uploads as a user has it: ``<id>.sound.<ext>`` and ``<id>.pictures.<ext>``.

        Args:
            folder: Made if absent.
            sound: Name of the stream that is to give the sound: ``silence.m4a`` for digital silence,
                ``pictures.mp4`` for a file without a sound track, ``both.mp4`` for one file with both.
            pictures: Name of the stream that is to give the pictures; None for none.
            swap: Put under each id another upload, which shares no shot with it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        ids = list(self.streams)
        for place, youtube_id in enumerate(ids):
            offered = self.streams[ids[place ^ 1] if swap else youtube_id]
            for role, name in (("sound", sound), ("pictures", pictures)):
                if name is not None:
                    file = offered[name]
                    shutil.copyfile(file, folder / f"{youtube_id}.{role}{file.suffix}")
        return folder


def build_world(
    folder: Path,
    takes: Sequence[Take],
    cases: Sequence[Case] = QUICK,
    *,
    streams: Sequence[str] = ("sound.m4a", "pictures.mp4"),
    seed: int = 0,
) -> World:
    """Film the uploads, offer them as streams, and cut the data set from them.

    Args:
        folder: Gets ``ffpp`` and ``uploads``.
        takes: Neighbouring uploads have none of them in common.
        cases: Each YouTube id at most once; an even number, if they are to be swapped.
        streams: Which of STREAMS to write.
        seed: Decides what is shown and cut where.
    """
    root = folder / "ffpp"
    shuffled = [takes[place] for place in np.random.default_rng(seed).permutation(len(takes))]
    rates = {one.sequence_id: case.clip_rate for case in cases for one in originals_of(case)}
    offered, truths = {}, []
    for number, case in enumerate(cases):
        rng = np.random.default_rng((seed, number))
        reel = plan_reel(case, shuffled[number % 2 :: 2], rng)
        clips = list(cut_clips(root, case, reel, rng))
        paths = {name: folder / "uploads" / case.youtube_id / name for name in streams}
        film(root, clips, reel, paths, rates)
        offered[case.youtube_id] = paths
        truths += clips
    return World(root, offered, {truth.clip_id: truth for truth in truths})
