"""The demo's corpus: real talking clips, as many fakes of them, and the table that says which is which."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from avfake.curate.executors import run_local
from avfake.demo.draws import draws_for
from avfake.demo.face import Performance, render, shoot
from avfake.demo.identity import draw_identity
from avfake.demo.manipulations import METHODS, Scene
from avfake.demo.motion import draw_motion
from avfake.demo.video import write_mp4
from avfake.demo.voice import SPEECH_RATE, VIDEO_FPS, Speech, speak
from avfake.errors import AvfakeError
from avfake.files import write_bytes
from avfake.progress import track

LABELS = "labels.csv"
COLUMNS = ("path", "video_label", "audio_label", "method", "identity", "source_identity")
N_FRAMES = 80  # 3.2 s
_RECIPE = "recipe.json"
_VERSION = 1  # raise it when a clip of the same seed looks or sounds different


@dataclass(frozen=True)
class Clip:
    """One clip to make.

    Attributes:
        target: Number of the identity who is seen and heard.
        take: Which of the target's performances.
        method: Key of ``METHODS``; None for a real clip.
        source: Number of the identity whose face or mouth is put in; None for a real clip.
        source_take: Which of the source's performances.
    """

    target: int
    take: int
    method: str | None = None
    source: int | None = None
    source_take: int | None = None

    @property
    def path(self) -> str:
        """Relative to the corpus; a fake is named after its target and its source."""
        target = f"id{self.target:02d}"
        if self.method is None:
            return f"real/{target}/{target}-{self.take}.mp4"
        return f"fake/{self.method}/{target}-{self.take}_id{self.source:02d}-{self.source_take}.mp4"

    @property
    def pair(self) -> str:
        """Target and the only partner it is ever faked with: what must stay in one split."""
        first = self.target // 2 * 2
        return f"id{first:02d}+id{first + 1:02d}"


@dataclass(frozen=True)
class ClipsReport:
    """What :func:`make_clips` left on disk.

    Attributes:
        folder: Root of the corpus.
        n_real: Real clips.
        n_fake: Fake clips.
        n_made: Clips made by this run; the others were there.
    """

    folder: str
    n_real: int
    n_fake: int
    n_made: int
    n_failed: int = 0

    def __str__(self) -> str:
        """One line."""
        return f"{self.n_real} real and {self.n_fake} fake clips in {self.folder} ({self.n_made} made now)"


def plan_clips(*, n_identities: int, clips_per_identity: int) -> list[Clip]:
    """Every real clip and one fake of it; partners are 0 and 1, 2 and 3, and so on.

    Raises:
        AvfakeError: The number of identities is odd, or a number is too small.
    """
    if n_identities < 2 or n_identities % 2 or clips_per_identity < 1:
        raise AvfakeError(
            f"got {n_identities} identities with {clips_per_identity} clips each; "
            "fakes need pairs: give an even number of identities and at least one clip"
        )
    methods = list(METHODS)
    takes = [(number, take) for number in range(n_identities) for take in range(clips_per_identity)]
    real = [Clip(number, take) for number, take in takes]
    fake = [
        Clip(number, take, methods[take % len(methods)], number ^ 1, (take + 1) % clips_per_identity)
        for number, take in takes
    ]
    return real + fake


def make_clips(
    folder: Path,
    *,
    n_identities: int = 12,
    clips_per_identity: int = 2,
    n_frames: int = N_FRAMES,
    seed: int = 0,
    jobs: int = 1,
) -> ClipsReport:
    """Make the corpus, or what is missing of it.

    Args:
        folder: Root of the corpus; ``real/``, ``fake/`` and ``labels.csv`` are put there.
        n_identities: People, even.
        clips_per_identity: Real clips of each; every one gets one fake.
        n_frames: Length of each clip, at 25 frames per second.
        seed: Decides everybody's looks, voice and words.
        jobs: Processes to work in.

    Raises:
        AvfakeError: The folder holds clips of another recipe, or the numbers make no pairs.
        StorageError: The disk is full or the folder cannot be written.
    """
    clips = plan_clips(n_identities=n_identities, clips_per_identity=clips_per_identity)
    _keep_recipe(folder, {"version": _VERSION, "seed": seed, "n_frames": n_frames})
    missing = [clip for clip in clips if not (folder / clip.path).exists()]
    with track("clips", total=len(clips)) as advance:
        advance(len(clips) - len(missing))
        for _ in run_local(_Make(folder, seed, n_frames), missing, jobs=jobs):
            advance(1)
    write_bytes(folder / LABELS, _labels(clips).encode())
    n_fake = sum(clip.method is not None for clip in clips)
    return ClipsReport(str(folder), len(clips) - n_fake, n_fake, len(missing))


@dataclass(frozen=True)
class _Make:
    """Make one clip; a picklable function of one argument."""

    folder: Path
    seed: int
    n_frames: int

    def __call__(self, clip: Clip) -> None:
        person = draw_identity(self.seed, clip.target)
        speech = self._speech(clip.target, clip.take)
        # A fake is made from its target's clip: same movements, light, wall and grain of the skin.
        rng = draws_for(self.seed, "take", clip.target, clip.take)
        light = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, -0.2)
        performance = Performance(speech.opening, speech.width, draw_motion(rng, speech.opening), light)
        frames = render(person, performance, rng)
        rng = draws_for(self.seed, "file", clip.path)
        if clip.method is not None and clip.source is not None and clip.source_take is not None:
            source_speech = self._speech(clip.source, clip.source_take)
            scene = Scene(person, performance, draw_identity(self.seed, clip.source), source_speech)
            METHODS[clip.method](frames, scene, rng)
        write_mp4(
            self.folder / clip.path,
            shoot(frames, rng),
            speech.waveform,
            fps=VIDEO_FPS,
            sample_rate=SPEECH_RATE,
        )

    def _speech(self, number: int, take: int) -> Speech:
        rng = draws_for(self.seed, "speech", number, take)
        return speak(draw_identity(self.seed, number).voice, rng, n_frames=self.n_frames)


def _keep_recipe(folder: Path, recipe: dict[str, int]) -> None:
    """Never mix clips of two recipes in one folder."""
    path = folder / _RECIPE
    if not path.exists():
        write_bytes(path, json.dumps(recipe, sort_keys=True).encode())
    elif (before := path.read_text()) != (now := json.dumps(recipe, sort_keys=True)):
        raise AvfakeError(f"{folder} holds clips made with {before}, now {now}; choose another folder")


def _labels(clips: list[Clip]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(_label_rows(clips))
    return text.getvalue()


def _label_rows(clips: list[Clip]) -> Iterator[dict[str, str]]:
    """The identity is the pair, so that build-split keeps both sides of every fake together."""
    for clip in sorted(clips, key=lambda clip: clip.path):
        fake = clip.method is not None
        yield {
            "path": clip.path,
            "video_label": "fake" if fake else "real",
            "audio_label": "real",
            "method": clip.method or "",
            "identity": clip.pair,
            "source_identity": clip.pair if fake else "",
        }
