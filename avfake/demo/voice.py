"""A source-filter voice: glottal pulses and noise through moving formants, and the mouth that shapes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq
from scipy.ndimage import gaussian_filter1d

from avfake.demo.draws import wander
from avfake.demo.phonemes import Segment, compose

SPEECH_RATE = 44_100  # Hz; not the rate of the data set, so that resampling is part of the demo
VIDEO_FPS = 25
_HOP = 220  # samples between two settings of the filter, about 5 ms
_WINDOW = 4 * _HOP
_LOW_CUT_HZ, _HIGH_CUT_HZ = 50.0, 9_000.0
_N_FFT = 2048  # leaves a tail for the filter's ringing
_BANDWIDTHS_HZ = (70.0, 90.0, 130.0, 250.0, 350.0)


@dataclass(frozen=True)
class Voice:
    """What makes a speaker's voice his or hers.

    Attributes:
        pitch_hz: Mean fundamental frequency.
        formant_scale: Factor on all formants; above 1 for a shorter vocal tract.
        rate: Speed of speech, 1 is about 4 syllables a second.
        breath: Noise in voiced sounds, relative to the pulses.
        melody: How far the pitch wanders, as a fraction.
    """

    pitch_hz: float
    formant_scale: float
    rate: float
    breath: float
    melody: float


@dataclass(frozen=True)
class Speech:
    """A sound and the mouth that made it.

    Attributes:
        waveform: float32 [time] in [-1, 1] at ``SPEECH_RATE``.
        opening: Of the mouth at each video frame, [frames], 0 closed to 1.
        width: Of the mouth at each video frame, [frames], 1 at rest.
    """

    waveform: np.ndarray
    opening: np.ndarray
    width: np.ndarray


@dataclass(frozen=True)
class _Controls:
    """Settings every ``_HOP`` samples, each [points], formants [points, 5]."""

    voicing: np.ndarray
    frication: np.ndarray
    noise_hz: np.ndarray
    formants_hz: np.ndarray
    pitch: np.ndarray
    opening: np.ndarray
    width: np.ndarray


def speak(voice: Voice, rng: np.random.Generator, *, n_frames: int) -> Speech:
    """Let a voice say something.

    Args:
        voice: Whose.
        rng: Decides what is said and how.
        n_frames: Length, in video frames.
    """
    n_samples = n_frames * SPEECH_RATE // VIDEO_FPS
    controls = _controls(compose(rng, duration_s=n_frames / VIDEO_FPS, rate=voice.rate), voice, n_samples)
    pulses = _pulses(controls, voice, rng, n_samples)
    hiss = rng.standard_normal(n_samples)
    voiced = _filter(pulses + voice.breath * hiss * _breathing(pulses), _formant_response(controls))
    unvoiced = _filter(hiss, _noise_response(controls))
    room = 10**-2.2 * rng.standard_normal(n_samples)
    waveform = _record(voiced / _level(voiced) + 2.2 * unvoiced + room)
    waveform *= 10 ** (rng.uniform(-24.0, -21.0) / 20) / _level(waveform)
    waveform *= min(1.0, 0.9 / np.abs(waveform).max())
    at_frames = np.arange(n_frames) * SPEECH_RATE / VIDEO_FPS / _HOP
    points = np.arange(len(controls.opening))
    return Speech(
        waveform.astype(np.float32),
        np.interp(at_frames, points, controls.opening).astype(np.float32),
        np.interp(at_frames, points, controls.width).astype(np.float32),
    )


def _controls(segments: Sequence[Segment], voice: Voice, n_samples: int) -> _Controls:
    """Piecewise constant targets, rounded off by how fast loudness, tongue and jaw can move."""
    n_points = n_samples // _HOP + 5
    ends = np.cumsum([segment.duration_s for segment in segments]) * SPEECH_RATE / _HOP
    which = np.minimum(np.searchsorted(ends, np.arange(n_points), side="right"), len(segments) - 1)
    phonemes = [segment.phoneme for segment in segments]

    def curve(targets: Sequence[float], smooth_s: float) -> np.ndarray:
        rounded: np.ndarray = gaussian_filter1d(
            np.array(targets)[which], smooth_s * SPEECH_RATE / _HOP, mode="nearest"
        )
        return rounded

    formants = [
        curve([p.formants_hz[n] for p in phonemes], 0.022) * voice.formant_scale for n in range(3)
    ] + [np.full(n_points, frequency * voice.formant_scale) for frequency in (3500.0, 4500.0)]
    return _Controls(
        voicing=curve([s.phoneme.voicing * s.stress for s in segments], 0.014),
        frication=curve([p.frication for p in phonemes], 0.012),
        noise_hz=curve([p.noise_hz for p in phonemes], 0.02),
        formants_hz=np.stack(formants, axis=1),
        pitch=curve([s.pitch for s in segments], 0.06),
        opening=curve([s.phoneme.opening * s.stress for s in segments], 0.026),
        width=curve([p.width for p in phonemes], 0.04),
    )


def _pulses(controls: _Controls, voice: Voice, rng: np.random.Generator, n_samples: int) -> np.ndarray:
    """Derivative of the glottal flow, [time], with vibrato, jitter and a wandering melody."""
    points = np.arange(len(controls.pitch))
    time_s = points * _HOP / SPEECH_RATE
    vibrato = 0.012 * np.sin(2 * np.pi * (5.2 * time_s + rng.uniform()))
    melody = voice.melody * wander(rng, len(points), smoothness=50.0)
    jitter = 0.006 * wander(rng, len(points), smoothness=1.0)
    pitch_hz = voice.pitch_hz * controls.pitch * (1 + vibrato + melody + jitter)
    at_samples = np.arange(n_samples + 1) / _HOP
    phase = np.cumsum(np.interp(at_samples, points, pitch_hz)) / SPEECH_RATE % 1.0
    # Rosenberg, 1971, "Effect of glottal pulse shape", pulse C: rises for 40 %, falls for 16 % of a period.
    rising = 0.5 * (1 - np.cos(np.pi * phase / 0.4))
    falling = np.cos(np.pi / 2 * (phase - 0.4) / 0.16)
    flow = np.where(phase < 0.4, rising, np.where(phase < 0.56, falling, 0.0))
    pulses: np.ndarray = np.diff(flow) * np.interp(at_samples[1:], points, controls.voicing)
    return pulses


def _breathing(pulses: np.ndarray) -> np.ndarray:
    """Loudness of the breath, [time]: follows that of the pulses."""
    loudness: np.ndarray = np.sqrt(gaussian_filter1d(pulses**2, 0.01 * SPEECH_RATE))
    return loudness


def _formant_response(controls: _Controls) -> np.ndarray:
    """Complex response of five resonators in series, [points, bins]."""
    frequency = rfftfreq(_N_FFT, 1 / SPEECH_RATE)
    response = np.ones((len(controls.pitch), len(frequency)), np.complex64)
    for number, bandwidth in enumerate(_BANDWIDTHS_HZ):
        centre = controls.formants_hz[:, number, None]
        response *= (centre**2 / (centre**2 - frequency**2 + 1j * frequency * bandwidth)).astype(np.complex64)
    return response


def _noise_response(controls: _Controls) -> np.ndarray:
    """Response of a fricative's band, [points, bins]."""
    frequency = rfftfreq(_N_FFT, 1 / SPEECH_RATE)
    octaves = np.log2(np.maximum(frequency, 50.0) / controls.noise_hz[:, None])
    band = np.exp(-0.5 * (octaves / np.where(octaves < 0, 0.35, 0.55)) ** 2)
    response: np.ndarray = (controls.frication[:, None] * band).astype(np.float32)
    return response


def _filter(source: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Filter with a response that changes every ``_HOP`` samples, by overlap and add, [time]."""
    n_points = len(response)
    starts = _HOP * np.arange(n_points)
    padded = np.pad(source, (_WINDOW // 2, n_points * _HOP + _WINDOW))
    window = np.hanning(_WINDOW + 1)[:-1] / 2
    pieces = padded[starts[:, None] + np.arange(_WINDOW)] * window
    filtered = irfft(rfft(pieces.astype(np.float32), _N_FFT) * response, _N_FFT)
    out = np.zeros(starts[-1] + _N_FFT)
    for start, piece in zip(starts, filtered, strict=True):
        out[start : start + _N_FFT] += piece
    return out[_WINDOW // 2 : _WINDOW // 2 + len(source)]


def _record(sound: np.ndarray) -> np.ndarray:
    """What a microphone lets through: nothing below a voice, and nothing above 10 kHz."""
    frequency = np.maximum(rfftfreq(len(sound), 1 / SPEECH_RATE), 1e-3)
    response = 1 / (1 + (_LOW_CUT_HZ / frequency) ** 4) / (1 + (frequency / _HIGH_CUT_HZ) ** 80)
    recorded: np.ndarray = irfft(rfft(sound) * response, len(sound))
    return recorded


def _level(waveform: np.ndarray) -> float:
    return float(np.sqrt(np.mean(waveform**2))) + 1e-12
