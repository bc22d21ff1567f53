"""The mouth is driven by the signal that makes the voice."""

import numpy as np
import pytest

from avfake.demo.draws import draws_for
from avfake.demo.identity import draw_identity
from avfake.demo.voice import SPEECH_RATE, VIDEO_FPS, Speech, speak


def _say(number: int, take: int = 0) -> Speech:
    return speak(draw_identity(0, number).voice, draws_for(0, "speech", number, take), n_frames=80)


def _envelope(waveform: np.ndarray) -> np.ndarray:
    """Loudness around each video frame, [frames]."""
    per_frame = SPEECH_RATE // VIDEO_FPS
    around = np.pad(waveform, per_frame // 2)[: len(waveform)].reshape(-1, per_frame)
    return np.sqrt(np.mean(around**2, axis=1))


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_mouth_follows_the_voice(number: int) -> None:
    speech = _say(number)
    own = np.corrcoef(speech.opening, _envelope(speech.waveform))[0, 1]
    other = np.corrcoef(_say(number ^ 1, 1).opening, _envelope(speech.waveform))[0, 1]
    assert own > 0.7
    assert other < 0.6


def test_waveform_fits_the_frames_and_never_clips() -> None:
    speech = _say(0)
    assert speech.waveform.shape == (80 * SPEECH_RATE // VIDEO_FPS,)
    assert speech.waveform.dtype == np.float32
    assert 0.05 < np.abs(speech.waveform).max() <= 0.9
    assert speech.opening.shape == speech.width.shape == (80,)
    assert 0 <= speech.opening.min() < 0.05
    assert 0.3 < speech.opening.max() <= 1


@pytest.mark.parametrize("number", [0, 1])
def test_voice_has_the_speakers_pitch(number: int) -> None:
    voice, waveform = draw_identity(0, number).voice, _say(number).waveform
    loudest = int(np.argmax(_envelope(waveform))) * SPEECH_RATE // VIDEO_FPS
    vowel = waveform[loudest - 1500 : loudest + 1500]
    similarity = np.correlate(vowel, vowel, "full")[len(vowel) - 1 :]
    shortest, longest = (int(SPEECH_RATE / (voice.pitch_hz * factor)) for factor in (1.35, 0.75))
    peak = shortest + int(np.argmax(similarity[shortest:longest]))
    assert similarity[peak] > 0.5 * similarity[0]
    assert SPEECH_RATE / peak == pytest.approx(voice.pitch_hz, rel=0.25)
