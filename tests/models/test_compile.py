"""torch.compile takes a detector as it is."""

import pytest
import torch
from torch import Tensor, nn

from tests.models.small import draw_clips, small, stir


@pytest.mark.slow
@pytest.mark.parametrize("recompute", [False, True])
def test_compiled_detector_gives_the_same_numbers(recompute: bool) -> None:
    model = small(connect="34")
    stir(model)
    model.recompute = recompute
    clips = draw_clips(model, 4)

    def run(detector: nn.Module) -> list[Tensor]:
        model.zero_grad()
        logits = list(detector(*clips))
        torch.cat(logits).square().sum().backward()
        gradient = model.get_parameter("video.stem.0.weight").grad
        assert gradient is not None
        return [*logits, gradient]

    wanted = run(model)
    found = run(torch.compile(model, backend="aot_eager"))  # all but writing and building C++
    for own, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-3, atol=1e-4)
