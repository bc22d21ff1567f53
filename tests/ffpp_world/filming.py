"""Uploads are filmed, and the clips of the data set are cut from them in the same pass."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.manifest.splits import Sequence as Original
from avfake.manifest.splits import ffpp_methods, ffpp_pairs, ffpp_sequences
from tests.dummies import Waveform
from tests.ffpp_world.files import STREAMS, PictureFile, Stream, write_sound
from tests.ffpp_world.footage import Planes, Take, shown_at
from tests.ffpp_world.truth import Case, Truth

_CLIP = Stream((426, 240), None)
_SHORTEST_S = 2.8  # of a take that a sequence is cut from
_CRF = {"c23": 23, "c40": 40}


class Reel(NamedTuple):
    """An upload before it is encoded.

    Attributes:
        takes: In order; shown and heard from second 0 on.
        spans_s: Start and end of the takes that hold the sequences.
        time_base: Of the ticks, in seconds.
        ticks: [frames] when each picture is shown.
        sound: [time] at SOUND_RATE.
    """

    takes: list[Take]
    spans_s: list[tuple[float, float]]
    time_base: Fraction
    ticks: NDArray[np.int64]
    sound: Waveform

    @property
    def times_s(self) -> NDArray[np.float64]:
        """[frames] when each picture is shown."""
        return self.ticks * self.time_base.numerator / self.time_base.denominator


def plan_reel(case: Case, takes: Sequence[Take], rng: np.random.Generator) -> Reel:
    """Choose the takes of an upload: long ones for its sequences, others before, between and after."""
    n_sequences = len(originals_of(case))
    order = [takes[place] for place in rng.permutation(len(takes))]
    long = [take for take in order if take.length_s >= _SHORTEST_S][: n_sequences * case.n_takes]
    others = [take for take in order if take not in long]
    wanted_s = case.length_s - _length_s(long)
    n_enough = 1 + int(np.searchsorted(np.cumsum([take.length_s for take in others]), wanted_s))
    n_others = min(len(others), max(n_sequences + 1, n_enough))
    reel: list[Take] = []
    spans_s = []
    for number, group in enumerate(np.array_split(np.arange(n_others), n_sequences + 1)):
        reel += [others[place] for place in group]
        if number < n_sequences:
            start_s = _length_s(reel)
            reel += long[number * case.n_takes :][: case.n_takes]
            spans_s.append((start_s, _length_s(reel)))
    time_base, ticks = _clock(case, _length_s(reel), rng)
    return Reel(reel, spans_s, time_base, ticks, np.concatenate([take.sound for take in reel]))


def originals_of(case: Case) -> list[Original]:
    """The sequences FaceForensics++ cut from an upload, in order."""
    found = [one for one in ffpp_sequences().values() if one.youtube_id == case.youtube_id]
    return sorted(found, key=lambda one: one.youtube_sequence)


def cut_clips(root: Path, case: Case, reel: Reel, rng: np.random.Generator) -> Iterator[Truth]:
    """Decide which frames each original and its fakes are made of; write the frame lists."""
    folder = root / "downloaded_videos_info" / case.youtube_id
    for original, span_s in zip(originals_of(case), reel.spans_s, strict=True):
        numbers = _cut(reel.times_s, span_s, case, rng)
        if case.listed:
            _write_json(
                folder / "extracted_sequences" / f"{original.youtube_sequence}.json", numbers.tolist()
            )
        own = original.sequence_id
        partner = next(source for target, source in sorted(ffpp_pairs()) if target == own)
        for collection in ("youtube", *case.methods):
            stem = own if collection == "youtube" else f"{own}_{partner}"
            top = "original" if collection == "youtube" else "manipulated"
            kept = numbers[: round(0.8 * len(numbers))] if collection == "FaceSwap" else numbers
            yield Truth(
                clip_id=f"{collection}-{case.quality}-{stem}",
                path=f"{top}_sequences/{collection}/{case.quality}/videos/{stem}.mp4",
                youtube_id=case.youtube_id,
                case=case,
                numbers=kept,
                times_s=reel.times_s[kept],
                frame_rate=float(case.nominal_rate),
                upload_sound=reel.sound,
            )
    if case.listed:
        facts = {"id": case.youtube_id, "fps": round(case.nominal_rate)}  # whole, as YouTube says it
        _write_json(folder / f"{case.youtube_id}.json", facts)


def film(
    root: Path,
    clips: Sequence[Truth],
    reel: Reel,
    streams: dict[str, Path],
    source_rates: dict[str, Fraction],
) -> None:
    """Write the streams of an upload and the clips cut from it.

    Args:
        root: Of the data set.
        clips: Of this upload.
        reel: What it shows.
        streams: Paths by name in STREAMS.
        source_rates: Frame rate that clips made from a sequence claim, by its id.
    """
    every_tick = dict(enumerate(reel.ticks.tolist()))
    with ExitStack() as files:
        sinks: list[tuple[PictureFile, dict[int, int]]] = []  # and at which tick it shows which picture
        for name, path in streams.items():
            stream = STREAMS[name]
            sound = np.zeros_like(reel.sound) if name == "silence.m4a" else reel.sound
            if stream.size is None:
                write_sound(path, sound, stream)
                continue
            rate = clips[0].case.nominal_rate / stream.every
            file = PictureFile(path, stream, reel.time_base, rate, sound=sound)
            ticks = {number: tick for number, tick in every_tick.items() if number % stream.every == 0}
            sinks.append((files.enter_context(file), ticks))
        for clip in clips:
            _, method, quality, _, stem = clip.path.split("/")
            source = stem.removesuffix(".mp4").partition("_")[2]
            rate = source_rates.get(source, _elsewhere(clip.case)) if source else clip.case.clip_rate
            change = partial(_forge, ffpp_methods()[method].manipulation) if source else None
            file = PictureFile(root / clip.path, _CLIP, 1 / rate, rate, crf=_CRF[quality], change=change)
            sinks.append(
                (files.enter_context(file), {number: k for k, number in enumerate(clip.numbers.tolist())})
            )
        for number, picture in enumerate(shown_at(reel.takes, reel.times_s)):
            for file, ticks in sinks:
                if number in ticks:
                    file.write(picture, ticks[number])


def _length_s(takes: Sequence[Take]) -> float:
    return sum(take.length_s for take in takes)


def _elsewhere(case: Case) -> Fraction:
    """Frame rate of fakes whose source was cut from none of the uploads: never that of their target."""
    return Fraction(30 if case.clip_rate == 25 else 25)


def _clock(case: Case, length_s: float, rng: np.random.Generator) -> tuple[Fraction, NDArray[np.int64]]:
    """Unit, in seconds, and ticks at which pictures are shown; the last one ends with the reel."""
    n_frames = int(length_s * case.nominal_rate)
    if case.rate:
        return 1 / case.rate, np.arange(case.late, n_frames)
    unit = Fraction(1, 90_000)
    jitter = np.clip(rng.normal(0, 0.003, n_frames), -0.01, 0.01) * (np.arange(n_frames) > 0)
    times_s = np.arange(n_frames) / float(case.nominal_rate) + jitter
    kept = rng.random(n_frames) > 0.03  # the others are lost, as by a telephone short of light
    kept[0] = True
    return unit, np.rint(times_s[kept] / float(unit)).astype(np.int64)


def _cut(
    times_s: NDArray[np.float64], span_s: tuple[float, float], case: Case, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Numbers of the frames of a sequence: of its take, a bit less at both ends, perhaps with gaps."""
    start_s, end_s = span_s + rng.uniform(0.05, 0.3, 2) * [1, -1]
    numbers = np.flatnonzero((times_s >= start_s) & (times_s < end_s))
    if not case.gaps:
        return numbers
    n_gaps = 1 if end_s - start_s < 3.5 else 2
    kept = np.ones(len(numbers), bool)
    for place in np.linspace(0, len(numbers), n_gaps + 2)[1:-1].astype(int):
        n_missing = int(rng.integers(3, 16))
        kept[place - n_missing // 2 :][:n_missing] = False
    return numbers[kept]


def _forge(manipulation: str, planes: Planes, tick: int) -> Planes:
    """Put another face on: a blurred one that flickers, or one whose mouth moves on its own."""
    changed = planes.copy()
    luma = changed[: len(planes) * 2 // 3]
    height, width = luma.shape
    y, x = np.mgrid[:height, :width]
    face = ((x - width / 2) / (0.15 * width)) ** 2 + ((y - height / 2) / (0.38 * height)) ** 2 < 1
    if manipulation == "identity-swap":
        blocks = luma[: height // 8 * 8, : width // 8 * 8].reshape(height // 8, 8, -1, 8).mean((1, 3))
        put = np.pad(np.kron(blocks, np.ones((8, 8))), ((0, height % 8), (0, width % 8)), "edge")
        put = put + 12 + 6 * np.sin(1.7 * tick)
    else:
        face &= y > 0.52 * height
        put = np.roll(luma, round(0.02 * height * np.sin(0.9 * tick) * np.sin(0.23 * tick)), axis=0)
    luma[face] = np.clip(put[face], 16, 235)
    return changed


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
