"""The filter bank: what it takes apart it puts together again, where it was."""

import pytest
import torch
from torch import Tensor

from avfake.vocoders.pqmf import Pqmf

EDGE = 100  # samples whose filters reach over the end


def db(values: Tensor) -> float:
    return float(10 * values.double().square().mean().log10())


@pytest.mark.parametrize(
    ("n_bands", "cutoff_ratio", "error_db"), [(2, 0.267, -67), (4, 0.142, -64), (8, 0.07949, -49)]
)
def test_synthesis_nearly_undoes_analysis_without_delay(
    n_bands: int, cutoff_ratio: float, error_db: float
) -> None:
    bank = Pqmf(n_bands, taps=62, cutoff_ratio=cutoff_ratio, beta=9.0)
    noise = torch.randn(2, 1, 8000, generator=torch.Generator().manual_seed(1))
    bands = bank.analyse(noise)
    assert bands.shape == (2, n_bands, 8000 // n_bands)
    made = bank.synthesise(bands)
    assert made.shape == noise.shape
    assert db((made - noise)[..., EDGE:-EDGE]) - db(noise) < error_db


def test_the_older_filters_are_further_from_perfect() -> None:
    noise = torch.randn(1, 1, 8000, generator=torch.Generator().manual_seed(1))
    bank = Pqmf(4, taps=62, cutoff_ratio=0.15, beta=9.0)
    made = bank.synthesise(bank.analyse(noise))
    assert -25 < db((made - noise)[..., EDGE:-EDGE]) - db(noise) < -15
    assert (made * noise).sum() / noise.square().sum() == pytest.approx(1.066, abs=0.005)  # by 0.55 dB louder


def test_a_tone_is_in_the_band_of_its_frequency() -> None:
    bank = Pqmf(4, taps=62, cutoff_ratio=0.142, beta=9.0)
    for band in range(4):
        tone = torch.sin(torch.pi * (band + 0.5) / 4 * torch.arange(4000.0))[None, None]
        levels = [db(part) for part in bank.analyse(tone)[0, :, EDGE:-EDGE]]
        assert levels.index(max(levels)) == band
        assert sorted(levels)[-2] < max(levels) - 75


def test_a_click_stays_in_its_place() -> None:
    bank = Pqmf(4, taps=62, cutoff_ratio=0.142, beta=9.0)
    for place in range(200, 204):
        click = torch.zeros(1, 1, 400)
        click[..., place] = 1
        assert bank.synthesise(bank.analyse(click)).abs().argmax() == place


def test_bands_are_heard_no_further_than_the_filters_reach() -> None:
    bank = Pqmf(4, taps=62, cutoff_ratio=0.142, beta=9.0)
    assert bank.reach == 8
    bands = torch.zeros(1, 4, 100)
    bands[..., 50] = 1
    heard = bank.synthesise(bands)[0, 0].nonzero()
    assert heard.min() // 4 >= 50 - bank.reach
    assert heard.max() // 4 <= 50 + bank.reach


def test_filters_are_no_weights() -> None:
    assert not Pqmf(4, taps=62, cutoff_ratio=0.142, beta=9.0).state_dict()


@pytest.mark.parametrize(
    ("taps", "cutoff_ratio", "message"), [(63, 0.142, "taps=63"), (62, 1.0, r"cutoff_ratio=1\.0")]
)
def test_filters_that_cannot_be_are_refused(taps: int, cutoff_ratio: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pqmf(4, taps=taps, cutoff_ratio=cutoff_ratio, beta=9.0)
