"""WaveGlow's own business: pickled weights, matrices turned round, noise of each clip, no hum."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from avfake.errors import AvfakeError
from avfake.vocoders.cards import find_card
from avfake.vocoders.checkpoint import fold_weight_norm, read_state
from avfake.vocoders.waveglow import WaveGlow, WaveGlowConfig, WaveGlowNetwork, build

SMALL: dict[str, Any] = {"n_layers": 3, "n_channels": 8}
CARD = replace(find_card("waveglow"), model=SMALL)


def network_of(**model: Any) -> WaveGlowNetwork:
    torch.manual_seed(0)
    return WaveGlowNetwork(WaveGlowConfig(**(SMALL | model)), 80, 256).eval().requires_grad_(False)


def vocoder_of(**model: Any) -> WaveGlow:
    return build(replace(CARD, model=SMALL | model), None)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_a_pickled_module_gives_the_network_it_was(tmp_path: Path) -> None:
    network = network_of()
    network.convinv[0].conv.weight.mul_(2)
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    for coupling in network.WN:
        for conv in (*coupling.in_layers, *coupling.res_skip_layers, coupling.start, coupling.cond_layer):
            nn.utils.weight_norm(conv)
    path = tmp_path / "waveglow.pt"
    torch.save({"model": network, "iteration": 1}, path)
    told = build(CARD, fold_weight_norm(read_state(path, container=CARD.checkpoint.container)))
    mel = torch.full((1, 80, 3), -3.0)
    torch.testing.assert_close(told(mel), build(CARD, state)(mel), rtol=0, atol=1e-4)
    turned = told.network.convinv[0].conv.weight[..., 0]
    torch.testing.assert_close(turned @ state["convinv.0.conv.weight"][..., 0], torch.eye(8))


def test_a_checkpoint_is_loaded_strictly() -> None:
    state = dict(network_of().state_dict())
    for broken in ("upsample.bias", "convinv.11.conv.weight", "WN.3.res_skip_layers.2.weight"):
        with pytest.raises(AvfakeError, match=broken):
            build(CARD, {key: tensor for key, tensor in state.items() if key != broken})


def test_published_size_is_that_of_the_published_file() -> None:
    with torch.device("meta"):
        network = WaveGlowNetwork(WaveGlowConfig(), 80, 256)
    n_lengths = sum(  # that weight norm adds to what is folded here
        conv.out_channels
        for coupling in network.WN
        for conv in (*coupling.in_layers, *coupling.res_skip_layers, coupling.start, coupling.cond_layer)
    )
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    assert n_parameters + n_lengths == 87_879_272


def test_a_frame_drives_the_samples_from_its_own_on() -> None:
    """Training paired frame k, centred on sample 256 k, with the samples from there on: no sample is late."""
    network = network_of()
    mel = torch.zeros(2, 80, 9)
    mel[1, :, 4] = 1
    silent, driven = (network._features(clip)[:-1].view(80, 8, -1).transpose(1, 2).flatten(1) for clip in mel)
    heard = (silent != driven).any(0).nonzero().flatten()
    assert (heard.min(), heard.max()) == (4 * 256, 4 * 256 + 1023)


def test_clips_do_not_know_their_batch_and_always_sound_the_same() -> None:
    vocoder = vocoder_of()
    torch.manual_seed(1)
    state = torch.get_rng_state()
    mel = torch.randn(3, 80, 7, generator=torch.Generator().manual_seed(0)) - 4
    both = vocoder(mel)
    assert torch.equal(both[1:2], vocoder(mel[1:2]))
    assert torch.equal(both, vocoder(mel))
    assert torch.equal(both, vocoder_of()(mel))
    assert torch.equal(state, torch.get_rng_state())
    assert both.shape == (3, vocoder.mel.n_samples(7))
    assert (both[0] - both[1]).abs().max() > 0.1 * both.std()


@pytest.mark.parametrize("n_frames", [2, 3, 40])
def test_no_offset_and_no_hum_is_left(n_frames: int) -> None:
    vocoder = vocoder_of(sigma=0.0, hum_share=1.0)
    mel = torch.zeros(1, 80, n_frames)
    hum = vocoder.network(mel[0], torch.zeros(8, 32 * n_frames))
    assert hum.std() > 1e-3
    made = vocoder._make(mel, mel)
    assert made.mean().abs() < 1e-6
    assert made.std() < 0.7 * hum.std()


@pytest.mark.parametrize("model", [{"n_layers": 1}, {"n_early_size": 4}, {"n_early_size": 1}])
def test_impossible_shapes_are_refused(model: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(model))):
        WaveGlowConfig(**(SMALL | model))
