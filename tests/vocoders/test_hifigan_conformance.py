"""HiFi-GAN gives the reference's numbers, in both layouts, and with trained weights the sound of its Mel."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from avfake.audio.align import measure_lag
from avfake.audio.io import resample
from avfake.audio.mel import log_mel
from avfake.vocoders.hifigan import HiFiGanConfig, HiFiGanNetwork, network_keys
from avfake.vocoders.one_pass import OnePassVocoder
from avfake.vocoders.registry import load_vocoder
from avfake.weights import load_strictly
from tests.vocoders.stepping import vectors_of

CARD = "hifigan.ljspeech-v3"  # what the trained weights are of

pytestmark = pytest.mark.shared


def config_of(words: Mapping[str, Any]) -> HiFiGanConfig:
    """The network that either reference builds of its own words."""
    shared: dict[str, Any] = {
        "upsample_kernel_sizes": tuple(words["upsample_kernel_sizes"]),
        "resblock_kernel_sizes": tuple(words["resblock_kernel_sizes"]),
    }
    if "upsample_initial_channel" in words:
        return HiFiGanConfig(
            channels=words["upsample_initial_channel"],
            upsample_scales=tuple(words["upsample_rates"]),
            resblock=words["resblock"],
            resblock_dilations=tuple(map(tuple, words["resblock_dilation_sizes"])),
            **shared,
        )
    return HiFiGanConfig(
        layout="kan-bayashi",
        channels=words["channels"],
        upsample_scales=tuple(words["upsample_scales"]),
        resblock="1" if words["use_additional_convs"] else "2",
        resblock_dilations=tuple(map(tuple, words["resblock_dilations"])),
        **shared,
    )


@torch.inference_mode()
def test_waveform_of_a_mel(shared: Path) -> None:
    for vectors in vectors_of(shared, "hifigan*"):
        config = config_of(vectors.config)
        (mel,) = (vectors[key] for key in vectors.arrays if key.startswith("input/mel"))
        network = HiFiGanNetwork(config, mel.shape[1])
        load_strictly(network, network_keys(vectors.state, config), vectors.name)
        made = network(mel)
        wanted = vectors["output/wave"].view(made.shape)
        assert wanted.std() > 100 * vectors.facts["tol"], vectors.name
        torch.testing.assert_close(made, wanted, rtol=0, atol=vectors.facts["tol"], msg=vectors.name)


@pytest.fixture(scope="module")
def io(shared: Path) -> dict[str, Tensor]:
    """A waveform, its Mel, and what the reference makes of that with trained weights."""
    return load_file(shared / "conformance" / "vocoders" / "real_hifigan_v3_ljspeech_io.safetensors")


@pytest.fixture(scope="module")
def trained(shared: Path, io: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> OnePassVocoder:
    """The trained vocoder.

    The values of its last convolution may lie as in TensorFlow, whose channels come last, under the shape of
    a torch module; what it makes of the Mel tells.
    """
    path = shared / "conformance" / "vocoders" / "real_hifigan_v3_ljspeech_f16.safetensors"
    vocoder = load_vocoder(CARD, weights=path)
    assert isinstance(vocoder, OnePassVocoder)
    if error_of(vocoder, io) < 0.1:
        return vocoder
    state = load_file(path)
    last = state["conv_post.weight"]
    state["conv_post.weight"] = last.view(last.shape[0], last.shape[2], last.shape[1]).mT.contiguous()
    mended = tmp_path_factory.mktemp("weights") / path.name
    save_file(state, mended)
    vocoder = load_vocoder(CARD, weights=mended)
    assert isinstance(vocoder, OnePassVocoder)
    return vocoder


def error_of(vocoder: OnePassVocoder, io: Mapping[str, Tensor]) -> float:
    """Largest difference from the reference's waveform."""
    return float((vocoder(io["input/mel"][None])[0] - io["output/wave"]).abs().max())


def test_waveform_of_trained_weights(shared: Path, io: dict[str, Tensor], trained: OnePassVocoder) -> None:
    facts = json.loads((shared / "conformance" / "vocoders" / "real_hifigan_v3_ljspeech_io.json").read_text())
    assert error_of(trained, io) < facts["tol"]
    trained.piece_frames, whole = 50, trained.piece_frames
    assert error_of(trained, io) < facts["tol"]
    trained.piece_frames = whole


@pytest.mark.parametrize("folder", ["ljspeech", "librispeech"])
def test_real_speech_is_neither_early_nor_late(shared: Path, trained: OnePassVocoder, folder: str) -> None:
    path = min((shared / "data" / "speech" / folder).rglob("*.flac"))
    sound, sample_rate = soundfile.read(path, dtype="float32")
    sound = resample(sound, sample_rate, trained.mel.sample_rate)[: 200 * trained.mel.hop_length]
    mel = log_mel(torch.from_numpy(np.ascontiguousarray(sound))[None], trained.mel)
    made = trained(mel)
    lag = measure_lag(sound, made[0].numpy(), trained.mel.sample_rate)
    assert lag is not None
    assert abs(lag) < 0.001
    assert (log_mel(made, trained.mel) - mel).abs().mean() < 0.5
