"""Any backbone with stem, stages and head is a stream."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from avfake.models import DetectorConfig
from avfake.models.streams.audio import AUDIO_STREAMS
from avfake.models.streams.base import stage_shapes
from avfake.models.streams.video import VIDEO_STREAMS
from tests.models.small import SMALL, draw_clips, small


class Plain(nn.Module):
    """The least that a video stream can be."""

    def __init__(self, _: DetectorConfig, n_stages: int = 4, stride: Any = 2) -> None:
        super().__init__()
        self.stem = nn.Conv3d(3, 4, 1)
        self.stages = nn.ModuleList(nn.Conv3d(4, 4, 3, stride, 1) for _ in range(n_stages))
        self.fc = nn.Linear(4, 2)

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self.fc(features.mean(dim=(2, 3, 4)))
        return logits


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def put(**options: Any) -> None:
        monkeypatch.setitem(VIDEO_STREAMS, "plain", lambda config: Plain(config, **options))

    return put


@pytest.mark.parametrize("framework", ["independent", "two-plus-one"])
@pytest.mark.parametrize("align", ["literal", "centred"])
def test_a_backbone_that_knows_nothing_of_avfake_plugs_in(
    framework: str, align: str, plug_in: Callable[..., None]
) -> None:
    plug_in()
    model = small(
        framework=framework, video_stream="plain", connection_align=align, attention_heads=(4, 1, 1, 1)
    )
    assert model.video_shapes == [(4, 4, 16, 16), (4, 2, 8, 8), (4, 1, 4, 4), (4, 1, 2, 2)]
    logits = model(*draw_clips(model, 2))
    assert logits.video.shape == logits.audio.shape == (2, 2)


@pytest.mark.parametrize("registry", [VIDEO_STREAMS, AUDIO_STREAMS])
def test_streams_make_what_they_promise(registry: dict[str, Any]) -> None:
    for build in registry.values():
        config = DetectorConfig(**{**SMALL, "picture_size": 36, "picture_shrink": 2})
        stream = build(config)
        clip = (3, 8, 36, 36) if registry is VIDEO_STREAMS else (config.n_samples,)
        promised = list(stream.shapes)
        del stream.shapes
        assert stage_shapes(stream, clip) == promised


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_stages": 3}, "stream 'plain' makes .* wanted four stages"),
        ({"stride": (1, 2, 3)}, "no single stride takes a video stage from"),
    ],
)
def test_other_backbones_are_refused(
    options: dict[str, Any], message: str, plug_in: Callable[..., None]
) -> None:
    plug_in(**options)
    with pytest.raises(ValueError, match=message):
        small(video_stream="plain", attention="none")


def test_shapes_are_found_without_touching_the_stream() -> None:
    stream = Plain(DetectorConfig())
    before = {key: tensor.clone() for key, tensor in stream.state_dict().items()}
    stage_shapes(stream, (3, 8, 32, 32))
    assert stream.training
    assert all(torch.equal(before[key], tensor) for key, tensor in stream.state_dict().items())
