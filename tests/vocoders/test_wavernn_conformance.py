"""WaveRNN gives the reference's numbers, step by step, through the code that generates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from avfake.vocoders.distributions import expand_mu_law
from avfake.vocoders.wavernn import WaveRnnConfig, WaveRnnNetwork, network_keys
from avfake.weights import load_strictly
from tests.vocoders.stepping import N_ROWS, Vectors, drawn_of, free_run, outputs_of, vectors_of

N_FADED = 20  # last hops, which the reference fades out

pytestmark = pytest.mark.shared


def network_of(vectors: Vectors) -> WaveRnnNetwork:
    words = vectors.config
    config = _fatchord(words) if "mode" in words else _torchaudio(words)
    network = WaveRnnNetwork(config, words["feat_dims"] if "mode" in words else words["n_freq"])
    load_strictly(network, network_keys(vectors.state, config), vectors.name)
    return network.eval().requires_grad_(False)


def _fatchord(words: Mapping[str, Any]) -> WaveRnnConfig:
    return WaveRnnConfig(
        output={"MOL": "mol", "RAW": "softmax"}[words["mode"]],
        n_classes=2 ** words["bits"],
        rnn_channels=words["rnn_dims"],
        fc_channels=words["fc_dims"],
        res_channels=words["compute_dims"],
        aux_channels=words["res_out_dims"],
        n_res_blocks=words["res_blocks"],
        res_context=words["pad"],
        scales=tuple(words["upsample_factors"]),
    )


def _torchaudio(words: Mapping[str, Any]) -> WaveRnnConfig:
    return WaveRnnConfig(
        layout="torchaudio",
        output="softmax",
        n_classes=words["n_classes"],
        rnn_channels=words["n_rnn"],
        fc_channels=words["n_fc"],
        res_channels=words["n_hidden"],
        aux_channels=words["n_output"],
        n_res_blocks=words["n_res_block"],
        res_context=words["kernel_size"] // 2,
        scales=tuple(words["upsample_scales"]),
    )


def conditioning_of(network: WaveRnnNetwork, mel: Tensor, *, padded: bool) -> Tensor:
    """Of a whole clip, [1, features, time]; the references put zeros around it when they generate."""
    context = 0 if padded else network.config.res_context
    return network.upsample(functional.pad(mel.view(1, -1, mel.shape[-1]), (context, context)))


def drawn_by_the_reference(vectors: Vectors, network: WaveRnnNetwork) -> Tensor:
    """What the reference drew, [steps], from the waveform it returned."""
    if "output/infer_wave" in vectors:
        return vectors["output/infer_wave"].flatten()
    waveform = vectors["output/wave_generate"]
    n_faded = N_FADED * network.hop_length
    waveform[-n_faded:] /= torch.linspace(1, 0, n_faded, dtype=torch.float64)
    waveform = waveform[:-1]  # the last was multiplied by zero
    if network.config.output == "softmax":
        mu = network.config.n_classes - 1
        waveform = waveform.sign() * torch.log1p(mu * waveform.abs()) / np.log1p(mu)
    return waveform.float()


def noise_of(vectors: Vectors) -> Tensor:
    """Of one row, [steps, n_noise]."""
    if "input/generate_u_mixture" in vectors:
        return vectors.mixture_noise("generate")[:, 0]
    return vectors["input/generate_u" if "input/generate_u" in vectors else "input/infer_u"]


def test_outputs_for_a_given_waveform(shared: Path) -> None:
    for vectors in vectors_of(shared, "wavernn*"):
        network = network_of(vectors)
        waveform = vectors["input/wave_teacher"].flatten()
        stepper = network.stepper(N_ROWS, len(waveform))
        outputs = outputs_of(stepper, conditioning_of(network, vectors["input/mel"], padded=True), waveform)
        wanted = vectors["output/logits_teacher_forced"].view(outputs.shape)
        torch.testing.assert_close(outputs, wanted, rtol=0, atol=vectors.facts["tol"], msg=vectors.name)


def test_every_sample_after_those_the_reference_drew(shared: Path) -> None:
    for vectors in vectors_of(shared, "wavernn*"):
        network = network_of(vectors)
        mel = vectors["input/mel_generate" if "input/mel_generate" in vectors else "input/mel_infer"]
        wanted = drawn_by_the_reference(vectors, network)
        heard = functional.pad(wanted[:-1], (1, 0))
        conditioning = conditioning_of(network, mel, padded=False)
        stepper = network.stepper(N_ROWS, conditioning.shape[2])
        drawn = drawn_of(stepper, outputs_of(stepper, conditioning, heard), noise_of(vectors))
        wrong = (drawn - wanted).abs() > vectors.facts["tol"]
        assert wrong.float().mean() < 1e-3, vectors.name  # a number may lie on the edge between two classes
        assert (drawn - wanted).abs().max() < 2.1 / network.config.n_classes, vectors.name


def test_folds_side_by_side_as_the_reference_cuts_them(shared: Path) -> None:
    for vectors in vectors_of(shared, "wavernn_fatchord*"):
        network = network_of(vectors)
        hop_length, network.hop_length = network.hop_length, 1  # its folds begin inside of Mel frames
        target, overlap = vectors.facts["batched"]["target"], vectors.facts["batched"]["overlap"]
        stride, length = target + overlap, target + 2 * overlap
        noise = _noise_of_folds(vectors)
        conditioning = conditioning_of(network, vectors["input/mel_generate"], padded=False)[0]
        n_folds = noise.shape[1]
        conditioning = functional.pad(
            conditioning, (0, (n_folds - 1) * stride + length - conditioning.shape[1])
        )
        folds = torch.stack([conditioning[:, n * stride : n * stride + length] for n in range(n_folds)])
        made = free_run(network.stepper(N_ROWS, length), folds, noise).double()
        joined = _joined_as_the_reference_does(network.decode(made), stride, overlap)
        wanted = vectors["output/wave_generate_batched"]
        joined = joined[: len(wanted)]
        n_faded = N_FADED * hop_length
        joined[-n_faded:] *= torch.linspace(1, 0, n_faded, dtype=torch.float64)
        # a fold that once draws the neighbouring class goes another way from there on
        assert ((joined - wanted).abs() > 1e-3).float().mean() < 0.2, vectors.name


def _noise_of_folds(vectors: Vectors) -> Tensor:
    if "input/generate_batched_u" in vectors:
        return vectors["input/generate_batched_u"][..., None]
    return vectors.mixture_noise("generate_batched")


def _joined_as_the_reference_does(made: Tensor, stride: int, overlap: int) -> Tensor:
    """Half of the overlap for the network to warm up, which is dropped, then a fade of constant power."""
    silence = overlap // 2
    ramp = torch.linspace(0, 1, overlap - silence, dtype=torch.float64).sqrt()
    joined = made.new_zeros((len(made) - 1) * stride + made.shape[1])
    for number, fold in enumerate(made):
        fold[:overlap] *= functional.pad(ramp, (silence, 0))
        fold[-overlap:] *= functional.pad(ramp.flip(0), (silence, 0), value=1.0)
        joined[number * stride :][: len(fold)] += fold
    return joined


def test_mu_law_is_undone_as_by_torchaudio(shared: Path) -> None:
    for vectors in vectors_of(shared, "wavernn_torchaudio*"):
        drawn, wanted = vectors["output/infer_wave"], vectors["output/infer_wave_mulaw_decoded"]
        n_classes = vectors.config["n_classes"]
        cut = ((drawn + 1) * (n_classes - 1) / 2).int() * 2 / (n_classes - 1) - 1
        torch.testing.assert_close(expand_mu_law(cut, n_classes), wanted, rtol=0, atol=1e-6)
        # where rounding made a whole number a little less, cutting off the rest took it one class down
        assert (expand_mu_law(drawn, n_classes) - wanted).abs().max() < expand_mu_law(
            torch.tensor(1.0), n_classes
        ) - expand_mu_law(torch.tensor(1 - 2.5 / n_classes), n_classes)
