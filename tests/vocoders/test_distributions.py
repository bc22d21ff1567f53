"""What is drawn is distributed as the outputs say."""

import math

import pytest
import torch
from torch import Tensor

from avfake.vocoders.distributions import Categorical, Distribution, Gaussian, LogisticMixture, expand_mu_law

CPU = torch.device("cpu")
N = 40_000


def draw(distribution: Distribution, outputs: Tensor) -> Tensor:
    sample = torch.empty(N, 1)
    noise = distribution.noise(N, torch.Generator().manual_seed(3))
    distribution.draw(outputs.expand(N, -1), noise, sample)
    return sample[:, 0]


def test_gaussian_has_its_mean_and_deviation() -> None:
    drawn = draw(Gaussian(2, N, CPU), torch.tensor([0.2, math.log(0.05)]))
    assert drawn.mean() == pytest.approx(0.2, abs=0.001)
    assert drawn.std() == pytest.approx(0.05, rel=0.02)


def test_mixture_has_the_moments_of_its_parts() -> None:
    shares, means, scales = torch.tensor([0.7, 0.3]), torch.tensor([-0.2, 0.4]), torch.tensor([0.01, 0.02])
    drawn = draw(LogisticMixture(6, N, CPU), torch.cat([shares.log(), means, scales.log()]))
    upper = drawn[drawn > 0.1]
    assert len(upper) / N == pytest.approx(0.3, abs=0.01)
    assert upper.mean() == pytest.approx(0.4, abs=0.002)
    assert upper.std() == pytest.approx(0.02 * math.pi / math.sqrt(3), rel=0.03)


def test_classes_are_as_frequent_as_their_probabilities() -> None:
    outputs = torch.tensor([1.0, -30.0, 0.5, 2.0, -1.0])
    drawn = draw(Categorical(5, N, CPU), outputs)
    wanted = outputs.softmax(0)
    for place in range(5):
        share = (drawn == place / 2 - 1).float().mean()
        assert share == pytest.approx(float(wanted[place]), abs=0.01)


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2**-53, 1.0])
def test_no_number_picks_a_class_that_is_not_there(uniform: float) -> None:
    sample = torch.empty(1, 1)
    for n_classes in (256, 512):
        outputs = torch.randn(1, n_classes)
        noise = torch.tensor([[uniform]], dtype=torch.float64)
        Categorical(n_classes, 1, CPU).draw(outputs, noise, sample)
        assert -1 <= sample <= 1


@pytest.mark.parametrize(("kind", "n_outputs"), [(LogisticMixture, 6), (Gaussian, 2)])
def test_samples_stay_in_range(kind: type[LogisticMixture] | type[Gaussian], n_outputs: int) -> None:
    drawn = draw(kind(n_outputs, N, CPU), torch.full((n_outputs,), 1.0))
    assert drawn.min() == -1
    assert drawn.max() == 1


@pytest.mark.parametrize("kind", [LogisticMixture, Gaussian, Categorical])
def test_noise_comes_from_its_generator_alone(kind: type[LogisticMixture]) -> None:
    distribution = kind(30, 8, CPU)
    torch.manual_seed(1)
    first = distribution.noise(50, torch.Generator().manual_seed(5))
    torch.manual_seed(2)
    assert torch.equal(first, distribution.noise(50, torch.Generator().manual_seed(5)))
    assert not torch.equal(first, distribution.noise(50, torch.Generator().manual_seed(6)))
    assert first.dtype == distribution.noise_dtype
    assert first.shape == (50, distribution.n_noise)


def test_mu_law_is_the_inverse_of_companding() -> None:
    waveform = torch.linspace(-1, 1, 101, dtype=torch.float64)
    companded = waveform.sign() * (1 + 255 * waveform.abs()).log() / math.log(256)
    torch.testing.assert_close(expand_mu_law(companded, 256), waveform)
