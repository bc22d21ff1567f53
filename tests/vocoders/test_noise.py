"""A clip's noise comes from the clip alone."""

import pytest
import torch

from avfake.vocoders.noise import clip_generators, clip_noise

MEL = torch.randn(3, 80, 20, generator=torch.Generator().manual_seed(0))


def test_a_clip_draws_the_same_noise_in_every_batch() -> None:
    noise = clip_noise(MEL, (1, 500))
    assert noise.shape == (3, 1, 500)
    for place in range(3):
        assert torch.equal(noise[place], clip_noise(MEL[place : place + 1], (1, 500))[0])
    assert torch.equal(noise.flip(0), clip_noise(MEL.flip(0), (1, 500)))


def test_clips_that_differ_in_one_value_draw_other_noise() -> None:
    other = MEL.clone()
    other[1, 79, 19] = torch.nextafter(other[1, 79, 19], torch.tensor(9.0))
    noise, changed = clip_noise(MEL, (1000,)), clip_noise(other, (1000,))
    assert torch.equal(noise[0], changed[0])
    assert abs(torch.corrcoef(torch.stack([noise[1], changed[1]]))[0, 1]) < 0.15
    assert abs(torch.corrcoef(noise)[0, 1]) < 0.15


def test_noise_is_standard_normal() -> None:
    noise = clip_noise(MEL, (100_000,))
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    assert noise.std().item() == pytest.approx(1, abs=0.01)
    assert noise.pow(4).mean().item() == pytest.approx(3, abs=0.1)


def test_memory_layout_does_not_matter() -> None:
    turned = MEL.transpose(1, 2).contiguous().transpose(1, 2)
    assert not turned.is_contiguous()
    assert torch.equal(clip_noise(turned, (9,)), clip_noise(MEL, (9,)))


def test_global_random_state_is_neither_read_nor_touched() -> None:
    torch.manual_seed(1)
    first = clip_noise(MEL, (9,))
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, clip_noise(MEL, (9,)))
    torch.manual_seed(1)
    assert torch.equal(state, torch.get_rng_state())


def test_generators_are_those_of_the_noise() -> None:
    drawn = [torch.randn(4, generator=generator) for generator in clip_generators(MEL)]
    assert torch.equal(torch.stack(drawn), clip_noise(MEL, (4,)))
