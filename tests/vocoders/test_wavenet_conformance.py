"""WaveNet gives the reference's numbers, step by step, through the code that generates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from avfake.vocoders.wavenet import WaveNetConfig, WaveNetNetwork
from avfake.weights import load_strictly
from tests.vocoders.stepping import N_ROWS, Vectors, drawn_of, free_run, outputs_of, vectors_of

SILENCE = 127  # the class that generation begins with

pytestmark = pytest.mark.shared


def network_of(vectors: Vectors) -> WaveNetNetwork:
    network = WaveNetNetwork(_config(vectors.config), vectors.config["cin_channels"])
    load_strictly(network, vectors.state, vectors.name)
    return network.eval().requires_grad_(False)


def _config(words: Mapping[str, Any]) -> WaveNetConfig:
    layout = "2019" if "upsample_net" in words else "2018"
    return WaveNetConfig(
        layout=layout,
        output=_output(words),
        n_mixtures=words["out_channels"] // 3,
        n_classes=words["out_channels"],
        n_layers=words["layers"],
        n_stacks=words["stacks"],
        residual_channels=words["residual_channels"],
        gate_channels=words["gate_channels"],
        skip_channels=words["skip_out_channels"],
        kernel_size=words["kernel_size"],
        mel_context=words.get("cin_pad", 0),
        mel_kernel_size=words.get("freq_axis_kernel_size", 1),
        scales=tuple(
            words["upsample_scales"] if layout == "2018" else words["upsample_params"]["upsample_scales"]
        ),
        speaker_channels=max(0, words["gin_channels"]),
        n_speakers=words["n_speakers"] or 0,
    )


def _output(words: Mapping[str, Any]) -> str:
    if not words["scalar_input"]:
        return "softmax"
    return "gaussian" if words.get("output_distribution") == "Normal" else "mol"


def _value(classes: Tensor, network: WaveNetNetwork) -> Tensor:
    return classes.flatten() * 2 / (network.config.n_classes - 1) - 1


def _noise(vectors: Vectors) -> Tensor:
    if "input/generate_u_mixture" in vectors:
        return vectors.mixture_noise("generate")
    return vectors["input/generate_draws"]


def test_outputs_for_a_given_waveform(shared: Path) -> None:
    for vectors in vectors_of(shared, "wavenet*"):
        network = network_of(vectors)
        if "input/classes_teacher" in vectors:
            heard = _value(vectors["input/classes_teacher"], network)
        else:
            heard = vectors["input/wave_teacher"].flatten()
        stepper = network.stepper(N_ROWS, len(heard))
        outputs = outputs_of(stepper, network.upsample(vectors["input/mel"]), heard)
        wanted = vectors["output/teacher_forced"][0].T
        torch.testing.assert_close(
            outputs[: len(wanted)], wanted, rtol=0, atol=vectors.facts["tol"], msg=vectors.name
        )


def test_every_sample_after_those_the_reference_drew(shared: Path) -> None:
    for vectors in vectors_of(shared, "wavenet*"):
        network = network_of(vectors)
        wanted = vectors["output/generated"].flatten()
        begin = 0.0
        if network.config.output == "softmax":
            wanted, begin = _value(wanted, network), float(_value(torch.tensor(SILENCE), network))
        heard = functional.pad(wanted[:-1], (1, 0), value=begin)
        stepper = network.stepper(N_ROWS, len(heard))
        outputs = outputs_of(stepper, network.upsample(vectors["input/mel_generate"]), heard)
        drawn = drawn_of(stepper, outputs, _noise(vectors))
        torch.testing.assert_close(drawn, wanted, rtol=0, atol=vectors.facts["tol"], msg=vectors.name)


def test_the_first_samples_without_the_reference(shared: Path) -> None:
    for vectors in vectors_of(shared, "wavenet*_mol"):
        network = network_of(vectors)
        wanted = vectors["output/generated"].flatten()
        stepper = network.stepper(N_ROWS, len(wanted))
        conditioning = network.upsample(vectors["input/mel_generate"])
        made = free_run(stepper, conditioning, _noise(vectors)[:, None])[0]
        torch.testing.assert_close(made[:100], wanted[:100], rtol=0, atol=1e-3, msg=vectors.name)
