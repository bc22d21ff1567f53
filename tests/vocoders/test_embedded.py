"""The vocoder that travels with avfake: it is whole, small, on time, and near what it copies."""

from pathlib import Path

import numpy as np
import pytest
import torch

from avfake.audio.align import measure_lag
from avfake.audio.blur import Blur
from avfake.audio.io import SAMPLE_RATE, Waveform, load_flac, resample
from avfake.audio.mel import MelConfig, log_mel
from avfake.files import sha256_of
from avfake.vocoders.base import Vocoder
from avfake.vocoders.cache import weights_path
from avfake.vocoders.cards import find_card
from avfake.vocoders.registry import load_vocoder, vocoders_at_hand
from avfake.vocoders.resynthesis import resynthesize
from tests.dummies import speech_like
from tests.vectors import lj_wave

NAME = "melgan.embedded"
SPEECH = speech_like(3.0)
# A tenth more than was measured, in ln-Mel: melgan.embedded.md
WORST_OF_SPEECH_LIKE, WORST_OF_LJ, WORST_OF_LIBRISPEECH = 0.85, 0.64, 0.68


@pytest.fixture(scope="module")
def vocoder() -> Vocoder:
    return load_vocoder(NAME)


def distance(sound: Waveform, made: Waveform) -> float:
    """Mean absolute difference of ln-Mels."""
    before, after = (log_mel(torch.from_numpy(one)[None], MelConfig()) for one in (sound, made))
    return float((after - before).abs().mean())


def copy_error(vocoder: Vocoder, sound: Waveform) -> float:
    return distance(sound, resynthesize(vocoder, sound, Blur()))


def test_it_is_here_small_and_what_its_card_says(vocoder: Vocoder) -> None:
    card = find_card(NAME)
    path = weights_path(card)
    assert NAME in vocoders_at_hand()
    assert path.stat().st_size < 3e6
    assert vocoder.checkpoint_sha256 == card.checkpoint.sha256 == sha256_of(path)
    assert path.with_suffix(".md").is_file()


def test_copies_are_far_nearer_than_silence_and_random_weights(vocoder: Vocoder) -> None:
    error = copy_error(vocoder, SPEECH)
    assert error < WORST_OF_SPEECH_LIKE
    assert error < 0.25 * distance(SPEECH, np.zeros_like(SPEECH))
    assert error < 0.25 * copy_error(load_vocoder(NAME, weights=False), SPEECH)


@pytest.mark.parametrize("gain", [0.1, 0.5])
def test_a_softer_sound_is_copied_as_well_and_as_much_softer(vocoder: Vocoder, gain: float) -> None:
    soft = np.float32(gain) * SPEECH
    assert copy_error(vocoder, soft) < WORST_OF_SPEECH_LIKE
    levels = [float(np.sqrt(np.mean(resynthesize(vocoder, one, Blur()) ** 2))) for one in (soft, SPEECH)]
    assert levels[0] / levels[1] == pytest.approx(gain, rel=0.3)


@pytest.mark.parametrize("blur", [Blur(), Blur(1.5, 1.0)])
def test_sound_is_neither_early_nor_late(vocoder: Vocoder, blur: Blur) -> None:
    lag = measure_lag(SPEECH, resynthesize(vocoder, SPEECH, blur), SAMPLE_RATE)
    assert lag is not None
    assert abs(lag) < 0.001


@pytest.mark.shared
def test_copy_synthesis_of_real_speech_conformance(vocoder: Vocoder, shared: Path) -> None:
    assert copy_error(vocoder, lj_wave(shared)) < WORST_OF_LJ


@pytest.mark.shared
def test_voices_never_heard_are_copied_on_time_conformance(vocoder: Vocoder, shared: Path) -> None:
    for name in ("103-1240-0000", "1235-135883-0000", "2843-152918-0000"):
        path = shared / "data" / "speech" / "librispeech" / f"{name}.flac"
        sound = resample(*load_flac(path), SAMPLE_RATE)[: 3 * SAMPLE_RATE]
        made = resynthesize(vocoder, sound, Blur())
        lag = measure_lag(sound, made, SAMPLE_RATE)
        assert distance(sound, made) < WORST_OF_LIBRISPEECH
        assert lag is not None
        assert abs(lag) < 0.001
