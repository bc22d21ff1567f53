"""From the upload's time of every frame of a clip to the clip's sound: frame rate, pieces, waveform."""

from bisect import insort
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avfake.audio.decode import DecodedSound, decode_spans
from avfake.errors import ClipError, ErrorKind

# How far a frame's sound may be from its time in the upload. Lips and sound seem to belong together up to
# some 20 ms, so uneven time stamps need not cost a joint; but frames left out or shown twice are off by whole
# frames, which is always more, at any rate.
LARGEST_ERROR_S = 0.01
LARGEST_ERROR_FRAMES = 0.4
_SHORTEST_STEP_S, _LONGEST_STEP_S = 0.001, 1.0  # between frames: what is no video shall not fill the memory
_STANDARD_RATES = (24 / 1.001, 24.0, 25.0, 30 / 1.001, 30.0, 50.0, 60 / 1.001, 60.0)
_LIKE_STANDARD_S = 0.001  # over the longest stretch: time stamps rounded to milliseconds tell no better
_ROUNDS = 20
_FADE_S = 0.004  # to each side of a joint: long enough for no click, short against a video frame


class Piece(NamedTuple):
    """A stretch of the upload's sound in that of the clip.

    Attributes:
        clip_start_s: Where it begins in the clip, in seconds.
        upload_start_s: Where it begins in the upload, in seconds on the container's clock.
        length_s: How long it is, in seconds.
    """

    clip_start_s: float
    upload_start_s: float
    length_s: float


class Cut(NamedTuple):
    """What the sound of a clip is made of.

    Attributes:
        frame_rate: Of the clip's frames on the axis of its sound, in Hz: frame k belongs to second
            ``k / frame_rate``.
        pieces: One after the other, from 0 to ``n_frames / frame_rate``.
    """

    frame_rate: float
    pieces: tuple[Piece, ...]


def plan_cut(times_s: NDArray[np.float64]) -> Cut:
    """Find the frame rate of a clip, and the few pieces that bring each frame to its time in the upload.

    No frame is further from its time than LARGEST_ERROR_S, nor than LARGEST_ERROR_FRAMES; a piece ends where
    the next frame would be: where frames were left out, are shown twice, or come at another rate.

    Args:
        times_s: Of each frame of the clip in the upload, [frames], in seconds on the container's clock;
            ascending, and equal where a frame is shown again.

    Raises:
        ClipError: All frames lie at one time, or are not spaced like those of a video.
        ValueError: A time is not finite, or times descend.
    """
    if times_s.ndim != 1 or not np.isfinite(times_s).all() or (np.diff(times_s) < 0).any():
        raise ValueError(f"times_s {times_s.shape} must be [frames], finite, and never descend")
    frame_rate = _frame_rate(times_s)
    pieces = []
    for run, offset_s in _runs(times_s, 1 / frame_rate):
        start_s, end_s = run.start / frame_rate, run.stop / frame_rate
        pieces.append(Piece(start_s, start_s + offset_s, end_s - start_s))
    return Cut(frame_rate, tuple(pieces))


def splice(path: Path, cut: Cut) -> DecodedSound:
    """Cut the pieces out of an upload's sound and join them, faded into each other where they meet.

    Args:
        path: Of the upload's sound.
        cut: From :func:`plan_cut`.

    Returns:
        Sound of the clip at the upload's own rate, of ``round(n_frames / frame_rate * sample_rate)`` samples;
        sample 0 belongs to the clip's first frame.

    Raises:
        ClipError: The upload is broken, or lacks some of the sound.
    """
    spans_s = [
        (piece.upload_start_s - _FADE_S, piece.upload_start_s + piece.length_s + _FADE_S)
        for piece in cut.pieces
    ]
    sounds = decode_spans(path, spans_s)
    rate = sounds[0].sample_rate
    waveform = np.zeros(round((cut.pieces[-1].clip_start_s + cut.pieces[-1].length_s) * rate), np.float32)
    joints_s = [-np.inf, *(piece.clip_start_s for piece in cut.pieces[1:]), np.inf]
    for piece, sound, (joint_s, next_s) in zip(cut.pieces, sounds, pairwise(joints_s), strict=True):
        places = round((piece.clip_start_s - _FADE_S) * rate) + np.arange(len(sound.waveform))
        shares = _risen(places / rate - joint_s) - _risen(places / rate - next_s)
        inside = (places >= 0) & (places < len(waveform))
        waveform[places[inside]] += (sound.waveform * shares)[inside]
    return sounds[0]._replace(waveform=waveform, offset_ms=sounds[0].offset_ms - 1000 * _FADE_S)


def _risen(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of a piece, [time], so long after its joint with the one before.

    The shares of all pieces add up to one at any moment, however short the pieces are.
    """
    return 0.5 + 0.5 * np.sin(np.pi / 2 * np.clip(time_s / _FADE_S, -1, 1))


def _frame_rate(times_s: NDArray[np.float64]) -> float:
    """Rate of most frames, in Hz: the standard one where the times allow it.

    The rate follows from stretches without a jump, and these from the rate: a better one makes longer
    stretches, and those a better rate, from the median step on.
    """
    steps_s = np.diff(times_s)
    if not steps_s.any():
        raise ClipError(
            ErrorKind.TOO_SHORT, f"{len(times_s)} frames at one time of the upload tell no frame rate"
        )
    step_s = float(np.quantile(steps_s[steps_s > 0], 0.5, method="lower"))
    if not _SHORTEST_STEP_S <= step_s <= _LONGEST_STEP_S:
        raise ClipError(
            ErrorKind.MISALIGNED,
            f"frames of the clip are {step_s:.3g} s apart in the upload; in a video they are "
            f"{_SHORTEST_STEP_S} to {_LONGEST_STEP_S} s apart",
        )
    runs: list[slice] = []
    for _ in range(_ROUNDS):
        before, runs = runs, [run for run, _ in _runs(times_s, step_s)]
        if runs == before:
            break
        step_s = _fit_step(times_s, runs) or step_s
    longest = max(run.stop - run.start for run in runs)
    standard = min(_STANDARD_RATES, key=lambda rate: abs(1 / rate - step_s))
    return standard if longest * abs(1 / standard - step_s) < _LIKE_STANDARD_S else 1 / step_s


def _fit_step(times_s: NDArray[np.float64], runs: list[slice]) -> float | None:
    """Least-squares step between frames, one for all runs; None when each is of one frame."""
    moment = spread = 0.0
    for run in runs:
        places = np.arange(run.stop - run.start) - (run.stop - run.start - 1) / 2
        moment += float(places @ times_s[run])
        spread += float(places @ places)
    return moment / spread if spread else None


def _runs(times_s: NDArray[np.float64], step_s: float) -> list[tuple[slice, float]]:
    """Split frames into runs with a steady step, each with the time it gives to frame 0.

    That is the median by the run's frames, so that a few of them that stray do not move the rest.
    """
    largest_s = min(LARGEST_ERROR_S, LARGEST_ERROR_FRAMES * step_s)
    runs: list[tuple[slice, float]] = []
    start, offsets_s, median_s = 0, list[float](), 0.0
    for frame, time_s in enumerate(times_s.tolist()):
        offset_s = time_s - frame * step_s
        insort(offsets_s, offset_s)
        middle_s = offsets_s[len(offsets_s) // 2]
        if max(offsets_s[-1] - middle_s, middle_s - offsets_s[0]) > largest_s:
            runs.append((slice(start, frame), median_s))
            start, offsets_s, middle_s = frame, [offset_s], offset_s
        median_s = middle_s
    return [*runs, (slice(start, len(times_s)), median_s)]
