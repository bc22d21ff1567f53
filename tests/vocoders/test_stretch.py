"""Upsampling reaches as far as it says."""

import pytest
import torch

from avfake.vocoders.stretch import Stretch, reach, stretching


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_stretch_is_repetition_and_convolution(factor: int) -> None:
    stretch = Stretch(factor)
    torch.nn.init.normal_(stretch.weight)
    values = torch.randn(2, 3, 7)
    repeated = values.repeat_interleave(factor, dim=-1)[:, None]
    wanted = torch.nn.functional.conv2d(repeated, stretch.weight, padding=(0, factor))[:, 0]
    torch.testing.assert_close(stretch(values), wanted)


@pytest.mark.parametrize("scales", [(5, 5, 11), (4, 4, 4, 4), (2,), (8, 8)])
def test_a_frame_reaches_so_many_neighbours(scales: tuple[int, ...]) -> None:
    layers = stretching(scales)
    for parameter in layers.parameters():
        torch.nn.init.ones_(parameter)
    frames = torch.zeros(1, 1, 1, 9)
    frames[..., 4] = 1
    samples = layers(frames).view(9, -1)
    heard = samples.abs().sum(1) > 0
    assert samples.shape[1] == torch.tensor(scales).prod()
    assert heard.nonzero().flatten().tolist() == list(range(4 - reach(scales), 5 + reach(scales)))
