"""Detectors by name."""

from typing import Any

import pytest
import torch

from avfake.errors import AvfakeError
from avfake.models import FRAMEWORKS, PRESETS, DetectorConfig, build_model
from tests.models.small import SMALL, small


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_configuration_names_the_class(framework: str) -> None:
    model = small(framework=framework)
    assert type(model) is FRAMEWORKS[framework]
    assert model.framework == model.config.framework == framework


def test_a_configuration_and_what_differs_from_it() -> None:
    config = DetectorConfig(**{**SMALL, "video_widths": (4, 4, 4, 4), "audio_widths": (4, 4, 4, 4)})
    model = build_model(config, connect="4")
    assert model.config == DetectorConfig(**{**vars(config), "connect": "4"})


def test_random_weights_follow_the_seed() -> None:
    first, second = small().state_dict(), small().state_dict()
    torch.manual_seed(1)
    other = build_model("tiny", **SMALL).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["video.stem.0.weight"], other["video.stem.0.weight"])


@pytest.mark.parametrize(
    ("preset", "fields", "message"),
    [
        ("large", {}, "preset 'large' is unknown; choose one of paper, tiny"),
        ("tiny", {"depth": 18}, "a detector has no field 'depth'"),
        ("tiny", {"attention": "cross"}, "attention='cross' of a detector must be one of none, inter, "),
        ("tiny", {"video_stream": "x3d"}, "video stream 'x3d' is unknown; choose one of r2plus1d"),
        ("tiny", {"audio_stream": "rawnet"}, "audio stream 'rawnet' is unknown; choose one of m5"),
        ("tiny", {"sample_rate": 1000}, "2 features of sound are too few for 4 of pictures"),
        ("tiny", {"window_s": 0.02, "frame_rate": 50}, "clips are too short or small: stream 'm5' makes"),
        ("tiny", {"attention_heads": (5, 1, 1, 1)}, "do not divide the 28 x 28 pixels of stage 1"),
        (
            "tiny",
            {"pretrained": "kinetics400"},
            r"r2plus1d_18-91a641e6\.pth does not fit the detector's video stream: video_widths is "
            r"\(8, 16, 32, 64\) instead of \(64, 128, 256, 512\); .*; take preset paper",
        ),
        (
            "tiny",
            {"framework": "late-fusion", "audio_widths": (4, 4, 4, 4)},
            "pictures have 64 channels, sound 4",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(
    preset: str, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(AvfakeError, match=message) as caught:
        build_model(preset, **fields)
    assert "\n" not in str(caught.value)


def test_tiny_takes_the_clips_of_the_paper() -> None:
    with torch.device("meta"):
        models = [build_model(preset) for preset in PRESETS]
    assert models[0].clip_shapes == models[1].clip_shapes == ((3, 30, 112, 112), (66_150,))
    assert sum(x.numel() for x in models[1].parameters()) < 1_000_000
