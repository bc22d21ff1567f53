"""Parallel WaveGAN gives the reference's numbers, with small random weights and with trained ones."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from avfake.audio.align import measure_lag
from avfake.audio.io import load_flac, resample
from avfake.audio.mel import log_mel
from avfake.vocoders.parallel_wavegan import ParallelWaveGan, ParallelWaveGanConfig, ParallelWaveGanNetwork
from avfake.vocoders.registry import load_vocoder
from avfake.weights import load_strictly
from tests.vocoders.stepping import vectors_of

CARD = "parallel-wavegan.ljspeech-v1"  # that the trained weights belong to

pytestmark = pytest.mark.shared


def network_of(words: Mapping[str, Any], scales: list[int]) -> ParallelWaveGanNetwork:
    config = ParallelWaveGanConfig(
        n_layers=words["layers"],
        n_stacks=words["stacks"],
        residual_channels=words["residual_channels"],
        gate_channels=words["gate_channels"],
        skip_channels=words["skip_channels"],
        kernel_size=words["kernel_size"],
        mel_context=words["aux_context_window"],
        upsample_scales=tuple(scales),
    )
    return ParallelWaveGanNetwork(config, words["aux_channels"]).eval()


@torch.inference_mode()
def test_waveform_of_a_mel_and_noise(shared: Path) -> None:
    for vectors in vectors_of(shared, "pwg*"):
        network = network_of(vectors.config, vectors.config["upsample_params"]["upsample_scales"])
        load_strictly(network, vectors.state, vectors.name)
        mel = functional.pad(vectors["input/mel_normalised"], (2, 2), mode="replicate")[0]
        made = network(mel, vectors["input/noise"].flatten())
        wanted = vectors["output/wave"].flatten()
        assert wanted.std() > 100 * vectors.facts["tol"], vectors.name
        torch.testing.assert_close(made, wanted, rtol=0, atol=vectors.facts["tol"], msg=vectors.name)


def turned(tensor: Tensor) -> Tensor:
    """A tensor whose values were written with its axes in reverse."""
    return tensor.reshape(tensor.shape[::-1]).permute(*reversed(range(tensor.ndim))).contiguous()


@pytest.fixture(scope="module")
def trained(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> ParallelWaveGan:
    """The trained vocoder.

    Its file may say the shapes of a torch module while the values lie as in TensorFlow, whose axes are the
    other way round; what it makes of the Mel tells.
    """
    (path,) = (shared / "conformance" / "vocoders").glob("real_pwg*_f16.safetensors")
    vocoder = load_vocoder(CARD, weights=path)
    assert isinstance(vocoder, ParallelWaveGan)
    if error_of(vocoder, shared) < 0.1:
        return vocoder
    weights = tmp_path_factory.mktemp("weights") / path.name
    save_file({key: turned(tensor) for key, tensor in load_file(path).items()}, weights)
    vocoder = load_vocoder(CARD, weights=weights)
    assert isinstance(vocoder, ParallelWaveGan)
    return vocoder


@torch.inference_mode()
def error_of(vocoder: ParallelWaveGan, shared: Path) -> float:
    """Largest difference from the waveform that the reference makes with the trained weights."""
    (path,) = (shared / "conformance" / "vocoders").glob("real_pwg*_io.safetensors")
    arrays = load_file(path)
    padded = functional.pad(arrays["input/mel_normalised"].T, (2, 2), mode="replicate")
    made = vocoder.network(padded, arrays["input/noise"])
    return float((made - arrays["output/wave"]).abs().max())


def test_waveform_of_trained_weights(shared: Path, trained: ParallelWaveGan) -> None:
    (path,) = (shared / "conformance" / "vocoders").glob("real_pwg*_io.json")
    assert error_of(trained, shared) < json.loads(path.read_text())["tol"]
    arrays = load_file(path.with_suffix(".safetensors"))
    scaled = trained._scale(arrays["input/logmel"].T[None])[0]
    torch.testing.assert_close(scaled, arrays["input/mel_normalised"].T, rtol=0, atol=1e-5)


def test_real_speech_is_neither_early_nor_late(shared: Path, trained: ParallelWaveGan) -> None:
    for folder in ("ljspeech", "librispeech"):
        path = min((shared / "data" / "speech" / folder).glob("*.flac"))
        sound, sample_rate = load_flac(path)
        sound = resample(sound, sample_rate, trained.mel.sample_rate)[:50_000]
        sound = sound[: len(sound) // trained.mel.hop_length * trained.mel.hop_length]
        made = trained(log_mel(torch.from_numpy(sound)[None], trained.mel))[0].numpy()
        assert made.shape == sound.shape
        lag = measure_lag(sound, made, trained.mel.sample_rate)
        assert lag is not None
        assert abs(lag) < 0.001
