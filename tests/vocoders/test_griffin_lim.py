"""Griffin-Lim: the error of copy synthesis, and independence of the batch."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from avfake.audio.mel import log_mel
from avfake.vocoders.griffin_lim import GriffinLim
from tests.dummies import speech_like
from tests.vectors import lj_wave

VOCODER = GriffinLim()


def _copy_error(waveform: Tensor) -> float:
    """Mean absolute difference of ln-Mels, before and after copy synthesis of a waveform, [time]."""
    hop = VOCODER.mel.hop_length
    before = log_mel(waveform[None, : len(waveform) // hop * hop], VOCODER.mel)
    return float((log_mel(VOCODER(before), VOCODER.mel) - before).abs().mean())


def test_copy_synthesis_is_near_its_mel() -> None:
    assert _copy_error(torch.from_numpy(speech_like(2.0))) < 0.2


@pytest.mark.shared
def test_copy_synthesis_of_real_speech_conformance(shared: Path) -> None:
    assert _copy_error(torch.from_numpy(lj_wave(shared))) < 0.11


def test_clips_do_not_know_their_batch() -> None:
    mel = log_mel(torch.from_numpy(speech_like(0.5))[None], VOCODER.mel)
    both = VOCODER(torch.cat([mel.flip(2), mel]))
    torch.testing.assert_close(both[1:], VOCODER(mel), atol=1e-4, rtol=0)


def test_global_random_state_is_neither_read_nor_touched() -> None:
    mel = torch.full((1, 80, 20), -3.0)
    torch.manual_seed(1)
    first = VOCODER(mel)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, VOCODER(mel))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("shape", [(80, 20), (1, 100, 20), (1, 80, 1)])
def test_mel_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"wanted \[batch, 80, mel_frames\]"):
        VOCODER(torch.zeros(shape))
