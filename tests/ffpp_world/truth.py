"""What is true of a clip, and how far a recovered sound is from it."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, correlate, sosfiltfilt

from avfake.audio.io import SAMPLE_RATE, resample
from tests.dummies import Waveform
from tests.ffpp_world.footage import SOUND_RATE

_VARIABLE = Fraction(30)  # nominal rate of an upload whose pictures come at uneven times
_WINDOW_S, _SHORTEST_S = 1.0, 0.5
_LISTEN_RATE = 8_000  # encoders may put any noise in the place of noise above 4 kHz,
_DEEPEST_HZ = 100  # and nothing in that of a rumble nobody hears
_MARGIN_S = 1.0  # of the upload's sound on either side of where a window should lie
_QUIET = 0.1  # of the clip's level; below it, noise of the codec is all that could be compared
_ALIKE = 0.5  # similarity from which on two sounds are one; of speech of two it is rarely above 0.3


@dataclass(frozen=True)
class Case:
    """One upload and what is cut from it.

    Attributes:
        youtube_id: An upload FaceForensics++ names; each of its sequences is cut.
        rate: Of its pictures, in Hz; None for pictures that come at uneven times, 30 a second or less.
        rounded: Whether the clips claim the nearest whole rate, as the data set's metadata does.
        gaps: Whether the sequences leave out frames.
        listed: Whether there are frame lists.
        methods: Which manipulations each sequence went through.
        quality: ``c23`` or ``c40``.
        length_s: The upload lasts at least so long, if there are takes enough.
        late: Picture 0 is shown so many frames after the sound begins.
        n_takes: Through how many takes a sequence runs; the data set has no cuts in it.
    """

    youtube_id: str
    rate: Fraction | None = Fraction(25)
    rounded: bool = False
    gaps: bool = False
    listed: bool = True
    methods: tuple[str, ...] = ()
    quality: str = "c23"
    length_s: float = 20.0
    late: int = 0
    n_takes: int = 1

    @property
    def nominal_rate(self) -> Fraction:
        """Frames per second, in Hz; the highest where they vary."""
        return self.rate or _VARIABLE

    @property
    def clip_rate(self) -> Fraction:
        """What the clips of this upload claim as their frame rate."""
        return Fraction(round(self.nominal_rate)) if self.rounded else self.nominal_rate


@dataclass(frozen=True)
class Truth:
    """What is true of one clip.

    Attributes:
        clip_id: As in the index.
        path: Relative to the root of the data set.
        youtube_id: Of its upload.
        case: Of its upload.
        numbers: [frames] which frames of the upload it was cut from.
        times_s: [frames] upload time of each of its frames.
        frame_rate: Of the upload, in Hz; that of most frames where it varies.
        upload_sound: What was heard before any encoding, [time] at SOUND_RATE, from second 0 of the upload.
    """

    clip_id: str
    path: str
    youtube_id: str
    case: Case
    numbers: NDArray[np.int64]
    times_s: NDArray[np.float64]
    frame_rate: float
    upload_sound: Waveform

    @property
    def runs(self) -> list[tuple[int, int]]:
        """First and one past the last frame of each stretch in which no frame is left out or lost."""
        breaks = np.flatnonzero(np.diff(self.times_s) > 1.5 / self.frame_rate) + 1
        return list(pairwise([0, *breaks.tolist(), len(self.numbers)]))

    def sound(self, sample_rate: int = SAMPLE_RATE) -> Waveform:
        """True sound of the clip, [time]: of each run what is heard while it is shown, joined hard.

        Where frames come unevenly, a run is as late as its frames are on average.
        """
        pieces = []
        for first, last in self.runs:
            begin, end = (round(frame / self.frame_rate * SOUND_RATE) for frame in (first, last))
            start = round(self._shown_s(first, last, self.frame_rate) * SOUND_RATE)
            pieces.append(self.upload_sound[start : start + end - begin])
        return resample(np.concatenate(pieces), SOUND_RATE, sample_rate)

    def errors_ms(self, recovered: Waveform, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float64]:
        """How late a recovered sound is in each second or so of the clip.

        Args:
            recovered: Mono, [time].
            sample_rate: Of it, in Hz.

        Returns:
            [windows], milliseconds; windows in which nobody speaks are left out, and infinity stands where
            another sound altogether was recovered.
        """
        recovered = _listen(recovered, sample_rate)
        level = np.std(_listen(self.sound(), SAMPLE_RATE))
        # Where the upload's rate varies, whoever cuts may choose one for the clip; its length tells which.
        own_rate = len(self.numbers) / max(1, len(recovered)) * _LISTEN_RATE
        rate = self.frame_rate if self.case.rate else own_rate
        errors = []
        for first, last in self._windows():
            begin, end = (round(frame / rate * _LISTEN_RATE) for frame in (first, last))
            shown_s = self._shown_s(first, last, rate) + begin / _LISTEN_RATE - first / rate
            start = max(0, round((shown_s - _MARGIN_S) * SOUND_RATE))
            stop = round((shown_s + (end - begin) / _LISTEN_RATE + _MARGIN_S) * SOUND_RATE)
            around = _listen(self.upload_sound[start:stop], SOUND_RATE)
            before_s = shown_s - start / SOUND_RATE
            true = around[round(before_s * _LISTEN_RATE) :][: end - begin]
            if np.std(true) >= _QUIET * level:
                lag = lag_ms(recovered[begin:end], around, _LISTEN_RATE)
                errors.append(lag.ms + 1000 * before_s if lag.similarity >= _ALIKE else np.inf)
        return np.array(errors)

    def _shown_s(self, first: int, last: int, rate: float) -> float:
        """Upload time of the first of some frames, were they shown ``rate`` times a second."""
        return float(np.mean(self.times_s[first:last] - np.arange(last - first) / rate))

    def _windows(self) -> list[tuple[int, int]]:
        """The runs, unless too short to be recognised, cut into stretches of about a second."""
        windows = []
        for first, last in self.runs:
            n_windows = max(1, round((last - first) / self.frame_rate / _WINDOW_S))
            edges = np.linspace(first, last, n_windows + 1).round().astype(int).tolist()
            if last - first >= _SHORTEST_S * self.frame_rate:
                windows += pairwise(edges)
        return windows


def _listen(sound: Waveform, sample_rate: int) -> Waveform:
    """What every encoder keeps of a sound, [time] at _LISTEN_RATE, none of it moved."""
    high_pass = butter(2, _DEEPEST_HZ, "highpass", fs=_LISTEN_RATE, output="sos")
    padded = np.pad(resample(sound, sample_rate, _LISTEN_RATE), _LISTEN_RATE)
    return sosfiltfilt(high_pass, padded)[_LISTEN_RATE:-_LISTEN_RATE].astype(np.float32)


class Lag(NamedTuple):
    """How late a sound is against another, and how alike they are where they overlap, 0 to 1."""

    ms: float
    similarity: float


def lag_ms(recovered: Waveform, truth: Waveform, sample_rate: int) -> Lag:
    """Cross-correlate two waveforms where at least half of the shorter one overlaps the other.

    Args:
        recovered: Mono, [time]; its lag is positive when it is late.
        truth: Mono, [time], same sample rate.
        sample_rate: Of both, in Hz.
    """
    shortest = min(len(recovered), len(truth))
    if shortest < 6:
        return Lag(0.0, 0.0)
    first, second = (sound - np.mean(sound, dtype=np.float64) for sound in (recovered, truth))
    products = correlate(first, second, method="fft")
    power = correlate(first**2, np.ones(len(second)), method="fft")
    power *= correlate(np.ones(len(first)), second**2, method="fft")
    power = np.maximum(power, 1e-5 * power.max() + 1e-20)  # silence is like nothing
    lags = np.arange(len(products)) - (len(second) - 1)
    enough = slice(shortest // 2, len(lags) - shortest // 2)
    similarity, lags = (products / np.sqrt(power))[enough], lags[enough]
    peak = int(np.argmax(similarity[1:-1])) + 1
    before, top, after = similarity[peak - 1 : peak + 2]
    bend = before - 2 * top + after
    vertex = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return Lag(float(1000 * (lags[peak] + vertex) / sample_rate), float(top))
