"""The vocoder around a network: timing, folds, and independence of whatever is beside a clip."""

import math
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from avfake.audio.mel import MelConfig
from avfake.vocoders import wavenet, wavernn
from avfake.vocoders.autoregressive import AutoregressiveVocoder
from avfake.vocoders.cards import find_card
from avfake.vocoders.distributions import Gaussian

WAVERNN: dict[str, Any] = {"rnn_channels": 48, "fc_channels": 32, "res_channels": 16, "n_res_blocks": 2}
WAVENET: dict[str, Any] = {
    "n_layers": 8,
    "n_stacks": 2,
    "residual_channels": 24,
    "gate_channels": 32,
    "skip_channels": 16,
}
SMALL = [
    (wavernn, WAVERNN),
    (wavernn, WAVERNN | {"output": "softmax"}),
    (wavenet, WAVENET),
    (wavenet, WAVENET | {"layout": "2019", "output": "gaussian", "mel_context": 2, "pre_emphasis": 0.85}),
    (wavenet, WAVENET | {"layout": "2019", "output": "softmax", "mel_context": 2}),
]


def small(family: ModuleType, model: Mapping[str, Any]) -> AutoregressiveVocoder:
    """A vocoder of a shipped card's front-end, with a narrow and lively network."""
    card = find_card(family.__name__.rpartition(".")[2])
    vocoder: AutoregressiveVocoder = family.build(replace(card, model=model), None)
    with torch.no_grad():
        for parameter in vocoder.network.parameters():
            parameter.mul_(1.5)
    return vocoder


def mel_of(vocoder: AutoregressiveVocoder, n_clips: int, n_frames: int) -> Tensor:
    values = torch.rand(n_clips, vocoder.mel.n_mels, n_frames, generator=torch.Generator().manual_seed(4))
    return values if vocoder.mel.log == "unit_db" else 4 * values - 4


class Clock:
    """A network that says which sample comes next: a tone at the place that its Mel tells.

    Frames hold their own number, and drive samples ``lead`` frames earlier.
    """

    hop_length = 50
    context = 0
    chunk = 3
    warm_up = 2

    def __init__(self, lead: int) -> None:
        self.lead = lead

    def condition(self, mel: Tensor) -> Tensor:
        frames = mel[:, 0].double().repeat_interleave(self.hop_length, dim=1)
        steps = torch.arange(self.hop_length).repeat(mel.shape[2])
        return ((frames - self.lead) * self.hop_length + steps)[:, None]

    def stepper(self, n_rows: int, n_steps: int) -> "ClockSteps":
        return ClockSteps(n_rows)

    def scale(self, mel: Tensor) -> Tensor:
        return mel

    def decode(self, samples: Tensor) -> Tensor:
        return samples


class ClockSteps:
    def __init__(self, n_rows: int) -> None:
        self.distribution = Gaussian(2, n_rows, torch.device("cpu"))

    def reset(self) -> None:
        pass

    def load(self, conditioning: Tensor) -> None:
        self.places = conditioning

    def advance(self, step: int, sample: Tensor) -> Tensor:
        said = tone(self.places[:, :, step] + 1).float()
        return torch.cat([said, torch.full_like(said, -20)], dim=1)


def tone(places: Tensor) -> Tensor:
    return 0.5 * torch.sin(2 * math.pi * 111 / 5000 * places.double())


@pytest.mark.parametrize("fold_s", [0.0, 0.5, 1.3])
@pytest.mark.parametrize("lead", [0, 2])
def test_every_sample_is_at_its_place(fold_s: float, lead: int) -> None:
    mel = MelConfig(sample_rate=5000, hop_length=50, win_length=200, n_fft=200, n_mels=1, padding="center")
    vocoder = AutoregressiveVocoder("clock", mel, Clock(lead))
    vocoder.fold_s = fold_s
    n_frames = 331
    made = vocoder(torch.arange(n_frames, dtype=torch.float32).expand(2, 1, n_frames))
    wanted = tone(torch.arange(made.shape[1])).float().expand(2, -1)
    settled = slice(1, (n_frames - 1 - lead) * 50)  # beyond, the outermost frames are repeated
    torch.testing.assert_close(made[:, settled], wanted[:, settled], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("family", "model"), SMALL)
def test_a_clip_gives_the_same_samples_alone_and_among_others(
    family: ModuleType, model: Mapping[str, Any]
) -> None:
    vocoder = small(family, model)
    vocoder.fold_s = 0.06
    mel = mel_of(vocoder, 5, 12)
    together = vocoder(mel)
    assert together.shape == (5, vocoder.mel.n_samples(12))
    assert together.isfinite().all()
    assert torch.equal(vocoder(mel[3:4]), together[3:4])
    assert not torch.equal(together[0], together[1])
    assert together.std() > 1e-3


def test_clips_of_different_lengths_go_side_by_side() -> None:
    vocoder = small(wavernn, WAVERNN)
    long, short = mel_of(vocoder, 1, 20)[0], mel_of(vocoder, 2, 7)[1]
    made = vocoder.make([long, short])
    assert torch.equal(made[0], vocoder(long[None])[0])
    assert torch.equal(made[1], vocoder(short[None])[0])


def test_the_global_random_state_is_neither_read_nor_touched() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    vocoder = small(wavernn, WAVERNN)
    first = vocoder(mel_of(vocoder, 1, 6))
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, small(wavernn, WAVERNN)(mel_of(vocoder, 1, 6)))


@pytest.mark.parametrize("shape", [(80, 20), (1, 70, 20), (1, 80, 1)])
def test_mel_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        small(wavernn, WAVERNN)(torch.zeros(shape))


def test_a_front_end_of_another_hop_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hop_length=275 .* must be 256"):
        small(wavernn, WAVERNN | {"scales": (16, 16)})


@pytest.mark.slow
@pytest.mark.parametrize("family", [wavernn, wavenet])
def test_published_sizes_give_the_same_samples_alone_and_among_others(family: ModuleType) -> None:
    vocoder = small(family, {})
    mel = mel_of(vocoder, 9, 3)
    assert torch.equal(vocoder(mel[4:5]), vocoder(mel)[4:5])
