"""Blur keeps constants, is nothing at zero, and is drawn as its policy says."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from avfake.audio.blur import Blur, BlurPolicy, blur_mel, draw_blur
from avfake.audio.mel import MelConfig

MEL = torch.randn(2, 80, 50, generator=torch.Generator().manual_seed(0))


def test_blur_of_zero_is_exactly_the_identity() -> None:
    assert torch.equal(blur_mel(MEL, Blur()), MEL)


@pytest.mark.parametrize("blur", [Blur(1.3, 0.0), Blur(0.0, 2.0), Blur(30.0, 30.0)])
def test_blur_keeps_a_constant(blur: Blur) -> None:
    constant = torch.full((1, 80, 20), -3.0)
    torch.testing.assert_close(blur_mel(constant, blur), constant, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.5])
def test_each_axis_is_blurred_as_scipy_does(sigma: float) -> None:
    for axis, blur in ((2, Blur(time_sigma=sigma)), (1, Blur(mel_sigma=sigma))):
        expected = gaussian_filter1d(MEL.double().numpy(), sigma, axis=axis, mode="nearest")
        np.testing.assert_allclose(blur_mel(MEL, blur), expected, atol=1e-3)


def test_widths_are_the_same_seconds_in_every_front_end() -> None:
    fine = MelConfig(hop_length=128, n_mels=160)
    expected = gaussian_filter1d(MEL.double().numpy(), 2.0, axis=2, mode="nearest")
    np.testing.assert_allclose(blur_mel(MEL, Blur(time_sigma=1.0), fine), expected, atol=1e-3)
    expected = gaussian_filter1d(MEL.double().numpy(), 2.0, axis=1, mode="nearest")
    np.testing.assert_allclose(blur_mel(MEL, Blur(mel_sigma=1.0), fine), expected, atol=1e-3)


@pytest.mark.parametrize("sigmas", [(-1.0, 0.0), (0.0, float("nan")), (float("inf"), 0.0)])
def test_impossible_blur_is_refused(sigmas: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        Blur(*sigmas)


@pytest.mark.parametrize(
    "fields", [{"probability": 1.5}, {"time_sigma": (2.0, 1.0)}, {"mel_sigma": (-1.0, 1.0)}]
)
def test_impossible_policy_is_refused_by_name(fields: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        BlurPolicy(**fields)


def test_drawn_blur_obeys_the_policy() -> None:
    policy = BlurPolicy(probability=0.3, time_sigma=(0.5, 2.0), mel_sigma=(0.1, 0.2))
    drawn = [draw_blur(policy, np.random.default_rng(seed)) for seed in range(2000)]
    blurred = [blur for blur in drawn if blur != Blur()]
    assert 0.26 < len(blurred) / len(drawn) < 0.34
    assert all(0.5 <= blur.time_sigma <= 2.0 and 0.1 <= blur.mel_sigma <= 0.2 for blur in blurred)


def test_draw_takes_as_many_numbers_whatever_the_outcome() -> None:
    never, always = np.random.default_rng(1), np.random.default_rng(1)
    draw_blur(BlurPolicy(probability=0.0), never)
    draw_blur(BlurPolicy(probability=1.0), always)
    assert never.random() == always.random()
