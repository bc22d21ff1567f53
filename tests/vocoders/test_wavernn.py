"""WaveRNN's own business: two layouts of one network, windows of its Mel, mu-law."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch

from avfake.errors import AvfakeError
from avfake.vocoders.cards import find_card
from avfake.vocoders.wavernn import WaveRnnConfig, WaveRnnNetwork, build, network_keys
from tests.vocoders.stepping import N_ROWS, outputs_of

SMALL: dict[str, Any] = {"rnn_channels": 24, "fc_channels": 20, "res_channels": 16, "n_res_blocks": 2}


def network_of(**model: Any) -> WaveRnnNetwork:
    torch.manual_seed(0)
    return WaveRnnNetwork(WaveRnnConfig(**(SMALL | model)), 80).eval().requires_grad_(False)


@pytest.mark.parametrize("scales", [(5, 5, 11), (2, 3), (3,)])
@pytest.mark.parametrize("res_context", [1, 2])
def test_windows_of_the_mel_are_conditioned_as_the_whole(scales: tuple[int, ...], res_context: int) -> None:
    network = network_of(scales=scales, res_context=res_context)
    mel = torch.rand(1, 80, 30)
    hop, context = network.hop_length, network.context
    whole = network.upsample(mel)
    start = context - res_context
    window = network.condition(mel[..., 10 : 14 + 2 * context])
    torch.testing.assert_close(window, whole[..., (10 + start) * hop : (14 + start) * hop])


def test_one_step_is_the_network_written_down() -> None:
    network = network_of()
    hop = network.hop_length
    conditioning = network.upsample(torch.rand(1, 80, 6))
    mel, *aux = conditioning[0].T.split([80, 32, 32, 32, 32], dim=1)
    heard = torch.rand(2 * hop)[:, None] - 0.5
    hidden = network.I(torch.cat([heard, mel, aux[0]], dim=1))
    hidden = hidden + network.rnn1(hidden)[0]
    hidden = hidden + network.rnn2(torch.cat([hidden, aux[1]], dim=1))[0]
    hidden = network.fc1(torch.cat([hidden, aux[2]], dim=1)).relu()
    wanted = network.fc3(network.fc2(torch.cat([hidden, aux[3]], dim=1)).relu())
    made = outputs_of(network.stepper(N_ROWS, 2 * hop), conditioning, heard[:, 0])
    torch.testing.assert_close(made, wanted, rtol=0, atol=1e-5)


def test_steps_go_on_over_the_end_of_a_chunk() -> None:
    network = network_of(scales=(5,))
    conditioning, heard = torch.rand(1, 208, 20), torch.rand(20)
    whole = outputs_of(network.stepper(N_ROWS, 20), conditioning, heard)
    stepper = network.stepper(N_ROWS, 5)
    parts = zip(conditioning.split(5, dim=2), heard.split(5), strict=True)
    assert torch.equal(torch.cat([outputs_of(stepper, *part) for part in parts]), whole)
    stepper.reset()
    assert torch.equal(outputs_of(stepper, conditioning[..., :5], heard[:5]), whole[:5])


def test_a_checkpoint_of_fatchord_loads_whole_and_strictly() -> None:
    card = replace(find_card("wavernn"), model=SMALL)
    state = dict(network_of().state_dict())
    vocoder = build(card, state | {"step": torch.zeros(1, dtype=torch.int64)})
    assert torch.equal(vocoder.network.fc3.weight, state["fc3.weight"])
    for broken in ("rnn2.bias_hh_l0", "upsample.resnet.layers.1.conv2.weight"):
        with pytest.raises(AvfakeError, match=re.escape(broken)):
            build(card, {key: tensor for key, tensor in state.items() if key != broken})


def test_the_keys_of_torchaudio_are_those_of_fatchord() -> None:
    resnet = "upsample.resnet."
    theirs = {
        f"{resnet}melresnet_model.0.weight": f"{resnet}conv_in.weight",
        f"{resnet}melresnet_model.1.running_var": f"{resnet}batch_norm.running_var",
        f"{resnet}melresnet_model.3.resblock_model.0.weight": f"{resnet}layers.0.conv1.weight",
        f"{resnet}melresnet_model.4.resblock_model.4.bias": f"{resnet}layers.1.batch_norm2.bias",
        f"{resnet}melresnet_model.12.resblock_model.3.weight": f"{resnet}layers.9.conv2.weight",
        f"{resnet}melresnet_model.13.bias": f"{resnet}conv_out.bias",
        "upsample.upsample_layers.1.weight": "upsample.up_layers.1.weight",
        "fc.weight": "I.weight",
        "fc1.weight": "fc1.weight",
        "rnn1.weight_hh_l0": "rnn1.weight_hh_l0",
    }
    state = dict.fromkeys(theirs, torch.zeros(1))
    assert list(network_keys(state, WaveRnnConfig(layout="torchaudio"))) == list(theirs.values())


def test_classes_are_expanded_unless_they_are_evenly_spaced() -> None:
    samples = torch.tensor([[-1.0, -0.5, 0.0, 0.5, 1.0]])
    expanded = network_of(output="softmax").decode(samples)
    assert expanded[0, [0, 2, 4]].tolist() == pytest.approx([-1, 0, 1])
    assert 0 < expanded[0, 3] < 0.05
    assert torch.equal(network_of(output="softmax", mu_law=False).decode(samples), samples)
    assert torch.equal(network_of().decode(samples), samples)
