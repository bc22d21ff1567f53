"""The stored vectors of the autoregressive families, and one row of a stepper driven by hand."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from avfake.vocoders.checkpoint import fold_weight_norm
from avfake.vocoders.distributions import logistic_noise
from avfake.vocoders.sampling import Stepper
from tests.vectors import read_safetensors

N_ROWS = 8


@dataclass(frozen=True)
class Vectors:
    """One file of the conformance folder."""

    name: str
    facts: Mapping[str, Any]
    arrays: Mapping[str, NDArray]

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def __getitem__(self, key: str) -> Tensor:
        return torch.from_numpy(np.array(self.arrays[key]))

    @property
    def config(self) -> Mapping[str, Any]:
        return self.facts["config"]

    @property
    def state(self) -> dict[str, Tensor]:
        keys = [key for key in self.arrays if key.startswith("state_dict/")]
        return fold_weight_norm({key.removeprefix("state_dict/"): self[key] for key in keys})

    def mixture_noise(self, name: str) -> Tensor:
        """Noise of a mixture of logistics from the recorded uniform numbers, [steps, ..., mixtures + 1]."""
        mixture, logistic = self[f"input/{name}_u_mixture"], self[f"input/{name}_u_logistic"]
        return logistic_noise(torch.cat([mixture, logistic.view(*mixture.shape[:-1], 1)], dim=-1))


def vectors_of(shared: Path, pattern: str) -> Iterator[Vectors]:
    """All files of small networks whose name fits the pattern, of which there must be some."""
    paths = sorted((shared / "conformance" / "vocoders").glob(f"{pattern}_small.json"))
    assert paths
    for path in paths:
        facts = json.loads(path.read_text())
        yield Vectors(path.stem, facts, read_safetensors(path.with_suffix(".safetensors")))


@torch.inference_mode()
def outputs_of(stepper: Stepper, conditioning: Tensor, heard: Tensor) -> Tensor:
    """What the network says at each step, [steps, outputs], when one row hears given samples, [steps]."""
    stepper.load(_among_idle_rows(conditioning))
    sample = torch.zeros(N_ROWS, 1)
    outputs = []
    for step, value in enumerate(heard):
        sample[0] = value
        outputs.append(stepper.advance(step, sample)[0].clone())
    return torch.stack(outputs)


@torch.inference_mode()
def drawn_of(stepper: Stepper, outputs: Tensor, noise: Tensor) -> Tensor:
    """The samples, [steps], that recorded noise, [steps, n_noise], draws from given outputs."""
    sample = torch.zeros(N_ROWS, 1)
    drawn = []
    for output, numbers in zip(outputs, noise, strict=False):
        stepper.distribution.draw(output.expand(N_ROWS, -1), numbers.expand(N_ROWS, -1), sample)
        drawn.append(sample[0].clone())
    return torch.cat(drawn)


@torch.inference_mode()
def free_run(stepper: Stepper, conditioning: Tensor, noise: Tensor) -> Tensor:
    """Samples, [rows, steps], of conditioning, [rows, features, steps], and noise, [steps, rows, n_noise]."""
    stepper.load(_among_idle_rows(conditioning))
    noise = functional.pad(noise, (0, 0, 0, N_ROWS - noise.shape[1]))
    samples = torch.zeros(len(noise) + 1, N_ROWS, 1)
    for step, numbers in enumerate(noise):
        stepper.distribution.draw(stepper.advance(step, samples[step]), numbers, samples[step + 1])
    return samples[1:, : len(conditioning), 0].T


def _among_idle_rows(conditioning: Tensor) -> Tensor:
    return functional.pad(conditioning, (0, 0, 0, 0, 0, N_ROWS - len(conditioning)))
