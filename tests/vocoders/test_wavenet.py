"""WaveNet's own business: units of its Mel, speakers, what it remembers, emphasis."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from avfake.errors import AvfakeError
from avfake.vocoders.autoregressive import AutoregressiveVocoder
from avfake.vocoders.cards import find_card
from avfake.vocoders.wavenet import WaveNetConfig, WaveNetNetwork, build
from tests.vocoders.stepping import N_ROWS, outputs_of

N_MELS = 20
SMALL: dict[str, Any] = {"residual_channels": 24, "gate_channels": 32, "skip_channels": 16}


def network_of(**model: Any) -> WaveNetNetwork:
    torch.manual_seed(0)
    config = WaveNetConfig(**(SMALL | {"n_layers": 8, "n_stacks": 2} | model))
    return WaveNetNetwork(config, N_MELS).eval().requires_grad_(False)


def vocoder_of(state: dict[str, Tensor] | None, **model: Any) -> AutoregressiveVocoder:
    card = replace(find_card("wavenet"), model=SMALL | {"n_layers": 4, "n_stacks": 2} | model)
    return build(card, state)


@pytest.mark.parametrize("layout", ["2018", "2019"])
def test_windows_of_the_mel_are_conditioned_as_the_whole(layout: str) -> None:
    network = network_of(layout=layout, mel_context=2 if layout == "2019" else 0)
    mel = torch.rand(1, N_MELS, 40)
    hop, context = network.hop_length, network.context
    whole = network.upsample(mel)
    start = context - network.config.mel_context
    window = network.condition(mel[..., 10 : 15 + 2 * context])
    torch.testing.assert_close(window, whole[..., (10 + start) * hop : (15 + start) * hop])


def test_steps_beyond_the_warm_up_are_forgotten() -> None:
    network = network_of(output="gaussian")
    n_steps = 200
    memory = 2 * sum(network.config.dilations) + 1
    assert network.warm_up * network.hop_length >= memory
    mel = torch.rand(1, N_MELS, n_steps)
    heard = torch.rand(n_steps) - 0.5
    outputs = []
    for change in (0.0, 0.5):
        heard[20] += change
        outputs.append(outputs_of(network.stepper(N_ROWS, n_steps), mel, heard))
    differs = (outputs[0] != outputs[1]).any(1).nonzero().flatten().tolist()
    assert differs[0] == 20
    assert 20 + memory // 2 < differs[-1] < 20 + memory


def test_steps_go_on_over_the_end_of_a_chunk() -> None:
    network = network_of(output="gaussian")
    turn = network.config.kernel_size * max(network.config.dilations)
    assert network.chunk * network.hop_length % turn == 0
    mel, heard = torch.rand(1, N_MELS, 4 * turn), torch.rand(4 * turn)
    whole = outputs_of(network.stepper(N_ROWS, 4 * turn), mel, heard)
    stepper = network.stepper(N_ROWS, turn)
    parts = zip(mel.split(turn, dim=2), heard.split(turn), strict=True)
    assert torch.equal(torch.cat([outputs_of(stepper, *part) for part in parts]), whole)
    stepper.reset()
    assert torch.equal(outputs_of(stepper, mel[..., :turn], heard[:turn]), whole[:turn])


def test_a_speaker_is_chosen() -> None:
    voices = [
        network_of(output="gaussian", speaker_channels=6, n_speakers=3, speaker=number)
        for number in (0, 1, 1)
    ]
    mel, heard = torch.rand(1, N_MELS, 30), torch.rand(30)
    first, second, again = (outputs_of(voice.stepper(N_ROWS, 30), mel, heard) for voice in voices)
    assert not torch.allclose(first, second)
    assert torch.equal(second, again)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"speaker_channels": 6, "n_speakers": 3, "speaker": 3}, r"speaker=3 must lie in 0\.\.2"),
        ({"n_layers": 7}, r"n_layers=7 must be a multiple of n_stacks=2"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(model: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_of(**model)


def test_the_mel_of_2018_lies_between_its_floor_and_its_reference() -> None:
    network = network_of()
    decades = torch.tensor([[-4.0, -3.0, 0.0, 1.0, 2.0]])
    scaled = network.scale(decades)[0]
    assert (scaled[0], scaled[-1]) == (0, 1)
    assert scaled[2] - scaled[1] == pytest.approx(0.6)  # of 100 dB
    assert scaled[2] == pytest.approx(0.8, abs=0.02)  # full scale is 20 dB under the reference


def test_the_mel_of_2019_is_standardised_with_the_statistics_of_the_weights() -> None:
    state = vocoder_of(None, layout="2019").network.state_dict()
    statistics = {"mean": torch.full((80,), -2.0), "scale": torch.full((80,), 0.5)}
    network = vocoder_of(state | statistics, layout="2019").network
    assert torch.equal(network.scale(torch.full((80, 3), -1.0)), torch.full((80, 3), 2.0))
    for wrong in ({}, {"mean": statistics["mean"]}, statistics | {"scale": torch.ones(1)}):
        with pytest.raises(AvfakeError, match="hold no mean and scale of its 80 Mel bands"):
            vocoder_of(state | wrong, layout="2019")


@pytest.mark.parametrize(
    "key", ["conv_layers.0.conv.bias", "last_conv_layers.3.weight", "upsample_conv.0.bias"]
)
def test_weights_must_fit(key: str) -> None:
    state = vocoder_of(None).network.state_dict()
    vocoder_of(state)
    del state[key]
    with pytest.raises(AvfakeError, match=key):
        vocoder_of(state)


def test_emphasis_and_gain_are_undone() -> None:
    waveform = torch.randn(2, 3000)
    emphasised = waveform - 0.85 * functional.pad(waveform[:, :-1], (1, 0))
    made = network_of(layout="2019", pre_emphasis=0.85, gain=0.55).decode(0.55 * emphasised)
    torch.testing.assert_close(made, waveform, rtol=0, atol=1e-4)
