"""torch.compile takes a detector as it is."""

import shutil

import pytest
import torch

from tests.models.small import draw_clips, small, stir


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="needs a C++ compiler")
@pytest.mark.parametrize("recompute", [False, True])
def test_compiled_detector_gives_the_same_numbers(recompute: bool) -> None:
    model = small()
    stir(model)
    model.recompute = recompute
    clips = draw_clips(model, 4)
    compiled = torch.compile(model)

    def run(detector: torch.nn.Module) -> tuple[list[torch.Tensor], torch.Tensor]:
        model.zero_grad()
        logits = list(detector(*clips))
        torch.cat(logits).square().sum().backward()
        return logits, model.get_parameter("video.stem.0.weight").grad.clone()

    (wanted, wanted_gradient), (found, gradient) = run(model), run(compiled)
    for own, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(gradient, wanted_gradient, rtol=1e-2, atol=1e-3)
