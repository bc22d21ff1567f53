"""The detector of the paper without its 53 million numbers: shapes and counts alone."""

import pytest
import torch

from avfake.models import Detector, TwoPlusOne, build_model


@pytest.fixture(scope="session")
def paper() -> TwoPlusOne:
    with torch.device("meta"):
        model = build_model("paper")
    assert isinstance(model, TwoPlusOne)
    return model.eval()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def meta_clips(paper: Detector) -> tuple[torch.Tensor, torch.Tensor]:
    video, audio = (torch.empty(2, *shape, device="meta") for shape in paper.clip_shapes)
    return video, audio
