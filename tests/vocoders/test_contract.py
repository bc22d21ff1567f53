"""What every vocoder promises, whichever it is."""

import numpy as np
import pytest
import torch

from avfake.audio.align import measure_lag
from avfake.audio.blur import Blur
from avfake.vocoders.base import MelVocoder, Vocoder, WaveformVocoder
from avfake.vocoders.registry import COMPUTED, load_vocoder
from avfake.vocoders.resynthesis import resynthesize
from tests.dummies import speech_like

SPEECH = speech_like(3.0)


@pytest.fixture(params=COMPUTED)
def vocoder(request: pytest.FixtureRequest) -> Vocoder:
    return load_vocoder(request.param)


def test_vocoder_keeps_its_protocol(vocoder: Vocoder) -> None:
    assert vocoder.name in COMPUTED
    assert vocoder.checkpoint_sha256 is None or len(vocoder.checkpoint_sha256) == 64
    if isinstance(vocoder, MelVocoder):
        waveform = vocoder(torch.zeros(2, vocoder.mel.n_mels, 7) - 5)
        assert waveform.shape == (2, vocoder.mel.n_samples(7))
        assert waveform.isfinite().all()
    else:
        assert isinstance(vocoder, WaveformVocoder)
        sound = SPEECH[: vocoder.sample_rate // 4]
        assert vocoder(sound, Blur()).shape == sound.shape


@pytest.mark.parametrize("n_samples", [1, 100, 1023, 22_050, 66_150])
def test_length_is_kept(vocoder: Vocoder, n_samples: int) -> None:
    made = resynthesize(vocoder, SPEECH[3000:][:n_samples], Blur(1.0, 1.0))
    assert made.shape == SPEECH[3000:][:n_samples].shape
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


def test_same_clip_gives_the_same_samples(vocoder: Vocoder) -> None:
    torch.manual_seed(7)
    first = resynthesize(vocoder, SPEECH[:22_050], Blur(0.5, 0.5))
    torch.manual_seed(8)
    np.random.seed(9)
    assert np.array_equal(first, resynthesize(vocoder, SPEECH[:22_050], Blur(0.5, 0.5)))


@pytest.mark.parametrize("blur", [Blur(), Blur(1.5, 1.0)])
def test_sound_is_neither_early_nor_late(vocoder: Vocoder, blur: Blur) -> None:
    lag = measure_lag(SPEECH, resynthesize(vocoder, SPEECH, blur), 22_050)
    assert lag is not None
    assert abs(lag) < 0.001


def test_blur_changes_the_sound(vocoder: Vocoder) -> None:
    sharp, blurred = (resynthesize(vocoder, SPEECH[:22_050], blur) for blur in (Blur(), Blur(2.0, 2.0)))
    assert np.abs(sharp - blurred).max() > 0.01


@pytest.mark.parametrize("sound", [np.zeros(22_050), np.full(22_050, 0.5), np.eye(1, 22_050, 11_025)[0]])
def test_sound_that_is_no_speech_stays_finite_and_bounded(vocoder: Vocoder, sound: np.ndarray) -> None:
    made = resynthesize(vocoder, sound.astype(np.float32), Blur(1.0, 1.0))
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 2
