"""Folds cover a clip, and their seams are neither heard nor late."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avfake.vocoders.folds import Folds, join_folds, plan_folds

RATE = 22_050
OVERLAP = 5000
FADE = 220


def cut(waveform: torch.Tensor, n_folds: int) -> torch.Tensor:
    stride = len(waveform) // n_folds
    padded = torch.nn.functional.pad(waveform, (0, OVERLAP))
    return padded.unfold(0, stride + OVERLAP, stride)[None]


@given(st.integers(1, 6000), st.integers(1, 400), st.integers(0, 30))
def test_folds_cover_the_clip_and_none_is_idle(n_hops: int, shortest: int, overlap: int) -> None:
    folds = plan_folds(n_hops, shortest, overlap)
    assert folds.n_folds * folds.stride >= n_hops
    assert (folds.n_folds - 1) * folds.stride < n_hops
    assert folds.stride < 2 * shortest
    assert folds.overlap <= folds.stride
    if folds.n_folds > 1:
        assert folds.stride >= shortest


@pytest.mark.parametrize(("n_hops", "shortest"), [(100, 0), (199, 100), (1, 5)])
def test_a_short_clip_stays_whole(n_hops: int, shortest: int) -> None:
    assert plan_folds(n_hops, shortest, 20) == Folds(1, n_hops, 0)


def test_folds_that_agree_give_the_clip_back() -> None:
    waveform = torch.sin(torch.arange(60_000) * 0.05) * torch.rand(60_000).add(0.5)
    torch.testing.assert_close(join_folds(cut(waveform, 4), OVERLAP, FADE)[0], waveform)


def test_a_tone_keeps_pitch_and_loudness_whatever_the_phases_of_its_folds() -> None:
    time = torch.arange(20_000 + OVERLAP) / RATE
    phases = torch.tensor([0.0, 2.0, 4.5, 1.0, 3.0])[:, None]
    starts = torch.arange(5)[:, None] * 20_000 / RATE
    wobble = 3 * torch.sin(2 * math.pi * 4 * (time + starts))  # the same for all, as the Mel would have it
    folds = torch.sin(2 * math.pi * 150 * (time + starts) + wobble + phases)
    joined = join_folds(folds[None], OVERLAP, FADE)[0]
    loudness = joined.square().unfold(0, 441, 147).mean(1)  # of 20 ms, three periods
    assert loudness.min() > 0.3
    assert loudness.max() < 0.8
    crossings = (joined[:-1].sign() != joined[1:].sign()).sum()
    assert crossings == pytest.approx(2 * 150 * len(joined) / RATE, abs=10)


def test_noise_keeps_its_power_at_the_seams() -> None:
    torch.manual_seed(0)
    made = torch.randn(300, 2, 600 + 700)
    power = join_folds(made, 600, 500)[:, 700:1300].square().mean(0).unfold(0, 100, 100).mean(1)
    assert power.min() > 0.95
    assert power.max() < 1.05


def test_the_seam_lies_in_the_pause() -> None:
    torch.manual_seed(0)
    made = torch.randn(1, 2, OVERLAP + 6000)
    made[:, 0, 6000 + 3000 : 6000 + 3400] *= 0.01
    made[:, 1, 3000:3400] *= 0.01
    joined = join_folds(made, OVERLAP, FADE)[0]
    assert torch.equal(joined[6000:9000], made[0, 0, 6000:9000])
    assert torch.equal(joined[9400:12_000], made[0, 1, 3400:6000])
