"""What every vocoder promises: those that compute, and a narrow one of every learned family."""

import numpy as np
import pytest
import torch
from torch import Tensor

from avfake.audio.align import measure_lag
from avfake.audio.blur import Blur
from avfake.vocoders.base import MelVocoder, Vocoder, WaveformVocoder
from avfake.vocoders.registry import COMPUTED, LEARNED, load_vocoder
from avfake.vocoders.resynthesis import resynthesize
from tests.dummies import speech_like
from tests.small_vocoders import SMALL, small_vocoder

SPEECH = speech_like(3.0)
LOUDEST = {"waveglow": 8, "multiband-melgan": 6}  # of random weights; every band of a filter bank may be at 1


def load(name: str) -> Vocoder:
    return load_vocoder(name) if name in COMPUTED else small_vocoder(name)


@pytest.fixture(params=[*COMPUTED, *SMALL])
def vocoder(request: pytest.FixtureRequest) -> Vocoder:
    return load(request.param)


@pytest.fixture(params=["griffin-lim", *SMALL])
def mel_vocoder(request: pytest.FixtureRequest) -> MelVocoder:
    vocoder = load(request.param)
    assert isinstance(vocoder, MelVocoder)
    return vocoder


def mel_of(vocoder: MelVocoder, n_clips: int, n_frames: int) -> Tensor:
    values = torch.rand(n_clips, vocoder.mel.n_mels, n_frames, generator=torch.Generator().manual_seed(4))
    return values if vocoder.mel.log == "unit_db" else 4 * values - 4


def test_every_family_is_here() -> None:
    assert {name.partition(".")[0] for name in SMALL} == set(LEARNED)


def test_vocoder_keeps_its_protocol(vocoder: Vocoder) -> None:
    assert vocoder.name in {*COMPUTED, *SMALL}
    assert vocoder.checkpoint_sha256 is None
    assert isinstance(vocoder, MelVocoder) != isinstance(vocoder, WaveformVocoder)


@pytest.mark.parametrize("n_frames", [2, 3, 9])
def test_a_mel_of_any_length_becomes_so_many_samples(mel_vocoder: MelVocoder, n_frames: int) -> None:
    made = mel_vocoder(mel_of(mel_vocoder, 2, n_frames))
    assert made.shape == (2, mel_vocoder.mel.n_samples(n_frames))
    assert made.isfinite().all()


def test_a_clip_gives_the_same_samples_alone_and_among_others(mel_vocoder: MelVocoder) -> None:
    mel = mel_of(mel_vocoder, 4, 8)
    together = mel_vocoder(mel)
    torch.testing.assert_close(mel_vocoder(mel[2:3]), together[2:3], rtol=0, atol=1e-5)
    assert not torch.equal(together[0], together[1])


def test_the_global_random_state_is_neither_read_nor_touched(mel_vocoder: MelVocoder) -> None:
    mel = mel_of(mel_vocoder, 1, 5)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = mel_vocoder(mel)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, load(mel_vocoder.name)(mel))  # type: ignore[call-arg,arg-type]


@pytest.mark.parametrize("shape", [(80, 20), (1, 70, 20), (1, 200, 20)])
def test_mel_of_another_shape_is_refused(mel_vocoder: MelVocoder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        mel_vocoder(torch.zeros(shape))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_mel_that_is_not_finite_is_refused(mel_vocoder: MelVocoder, value: float) -> None:
    mel = mel_of(mel_vocoder, 2, 8)
    mel[1, 5, 3] = value
    with pytest.raises(ValueError, match="NaN or infinite"):
        mel_vocoder(mel)


@pytest.mark.parametrize("n_samples", [1, 100, 1023, 6_000])
def test_length_is_kept(vocoder: Vocoder, n_samples: int) -> None:
    made = resynthesize(vocoder, SPEECH[3000:][:n_samples], Blur(1.0, 1.0))
    assert made.shape == (n_samples,)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


@pytest.mark.parametrize("name", COMPUTED)
def test_same_clip_gives_the_same_samples(name: str) -> None:
    torch.manual_seed(7)
    first = resynthesize(load(name), SPEECH[:22_050], Blur(0.5, 0.5))
    torch.manual_seed(8)
    np.random.seed(9)
    assert np.array_equal(first, resynthesize(load(name), SPEECH[:22_050], Blur(0.5, 0.5)))


@pytest.mark.parametrize("blur", [Blur(), Blur(1.5, 1.0)])
@pytest.mark.parametrize("name", COMPUTED)
def test_sound_is_neither_early_nor_late(name: str, blur: Blur) -> None:
    lag = measure_lag(SPEECH, resynthesize(load(name), SPEECH, blur), 22_050)
    assert lag is not None
    assert abs(lag) < 0.001


@pytest.mark.parametrize("name", COMPUTED)
def test_blur_changes_the_sound(name: str) -> None:
    sharp, blurred = (resynthesize(load(name), SPEECH[:22_050], blur) for blur in (Blur(), Blur(2.0, 2.0)))
    assert np.abs(sharp - blurred).max() > 0.01


@pytest.mark.parametrize("sound", [np.zeros(8_000), np.full(8_000, 0.5), np.eye(1, 8_000, 4_000)[0]])
def test_sound_that_is_no_speech_stays_finite_and_bounded(vocoder: Vocoder, sound: np.ndarray) -> None:
    made = resynthesize(vocoder, sound.astype(np.float32), Blur(1.0, 1.0))
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= LOUDEST.get(vocoder.name.partition(".")[0], 2)
