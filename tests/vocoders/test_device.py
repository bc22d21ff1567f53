"""Networks compute where they are told to, with all they need, and there as on the CPU."""

import pytest
import torch
from torch import Tensor, nn

from avfake.vocoders import sampling
from avfake.vocoders.base import MelVocoder
from avfake.vocoders.device import CPU
from avfake.vocoders.one_pass import OnePassVocoder, Statistics
from avfake.vocoders.registry import LEARNED
from avfake.vocoders.sampling import _Loop
from tests.small_vocoders import SMALL, small_vocoder
from tests.vocoders.meta_device import META, OneDevice

ONE_OF_EACH = {name.partition(".")[0]: name for name in SMALL}


def mel_of(vocoder: MelVocoder, n_frames: int) -> Tensor:
    values = torch.rand(1, vocoder.mel.n_mels, n_frames, generator=torch.Generator().manual_seed(4))
    return values if vocoder.mel.log == "unit_db" else 4 * values - 4


def some_steps_elsewhere(loop: _Loop) -> None:
    """Three steps of a loop, which touch nothing beyond its device: on a GPU they would be captured."""
    assert all(part.device == META for part in (loop.noise, loop.samples))
    whole, loop.n_steps = loop.n_steps, 3
    with OneDevice(moves=False) as steps:
        _run(loop)
    assert steps.seen == {META}
    loop.n_steps = whole


_run = _Loop._run


@pytest.mark.parametrize("family", LEARNED)
def test_all_that_a_network_works_on_lies_where_the_network_does(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sampling._ROWS, "meta", 8)
    monkeypatch.setitem(sampling._ROW_STEP, "meta", 8)
    monkeypatch.setattr(_Loop, "_run", some_steps_elsewhere)
    vocoder = small_vocoder(ONE_OF_EACH[family])
    mel = mel_of(vocoder, 3)
    if isinstance(vocoder, OnePassVocoder):
        vocoder.statistics = Statistics(torch.zeros(vocoder.mel.n_mels), torch.ones(vocoder.mel.n_mels))
    with OneDevice() as work:
        vocoder.to(META)
        made = vocoder(mel)
    assert work.seen == {META, CPU}
    assert made.device == CPU
    assert made.shape == (1, vocoder.mel.n_samples(3))


def test_the_watch_sees_what_was_left_behind() -> None:
    vocoder = small_vocoder(ONE_OF_EACH["hifigan"])
    vocoder.to(META)
    vocoder.network.conv_post.weight = nn.Parameter(torch.zeros(vocoder.network.conv_post.weight.shape))
    with OneDevice(), pytest.raises(AssertionError, match="conv"):
        vocoder(mel_of(vocoder, 3))
    with OneDevice(moves=False), pytest.raises(AssertionError, match="copy_"):
        torch.zeros(3, device=META).copy_(torch.ones(3))


class Setting(nn.Module):
    """A network that looks at how cuDNN is set."""

    hop_length, n_least, reach = 256, 1, 0

    def forward(self, mel: Tensor) -> Tensor:
        self.cudnn = {name: getattr(torch.backends.cudnn, name) for name in ("deterministic", "allow_tf32")}
        return mel.new_zeros(1, 1, mel.shape[2] * 256)


def test_convolutions_on_a_gpu_are_exact_and_repeatable() -> None:
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32
    vocoder = OnePassVocoder("setting", small_vocoder("melgan.ljspeech").mel, Setting())
    vocoder(mel_of(vocoder, 4))
    assert vocoder.network.cudnn == {"deterministic": True, "allow_tf32": False}
    assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32) == before


@pytest.mark.gpu
@pytest.mark.parametrize("family", [*LEARNED])
def test_a_gpu_makes_what_the_cpu_makes(family: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device")
    vocoder = small_vocoder(ONE_OF_EACH[family])
    mel = mel_of(vocoder, 6)
    wanted = vocoder(mel)
    vocoder.to(torch.device("cuda"))
    made, again = vocoder(mel), vocoder(torch.cat([mel, mel + 0.1]))
    assert made.device == CPU
    assert torch.equal(made, again[:1])
    if family in ("wavenet", "wavernn"):  # where one sample that was drawn otherwise changes all that follow
        same = (made - wanted).abs() < 1e-3
        assert same[:, :100].all()
    else:
        torch.testing.assert_close(made, wanted, rtol=0, atol=1e-3 * float(wanted.abs().max()))
