"""A configuration is checked when it is made, and comes back from JSON as it was."""

import json
from dataclasses import replace
from typing import Any

import pytest

from avfake.errors import AvfakeError
from avfake.models.config import PRESETS, STREAM_FIELDS, DetectorConfig, changed, differences


def test_defaults_are_the_paper_s() -> None:
    config = DetectorConfig()
    assert PRESETS["paper"] == config
    assert (config.n_frames, config.n_samples, config.picture_size) == (30, 66_150, 112)


@pytest.mark.parametrize("name", PRESETS)
def test_json_gives_the_same_back(name: str) -> None:
    config = PRESETS[name]
    assert DetectorConfig.from_json(config.as_json(), "config.json") == config
    assert hash(DetectorConfig.from_json(config.as_json(), "config.json")) == hash(config)


def test_a_file_states_what_differs_alone() -> None:
    config = DetectorConfig.from_json('{"connect": "34", "window_s": 2, "video_widths": [8, 8, 8, 8]}', "x")
    assert config == DetectorConfig(connect="34", window_s=2, video_widths=(8, 8, 8, 8))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"run/config\.json is no JSON"),
        ("[1]", r"run/config\.json holds no configuration of a detector but list"),
        ('{"depth": 18}', r"run/config\.json: a detector has no field 'depth'; choose from framework, .*, "),
        ('{"connect": "12"}', r"connect='12' of a detector must be one of 1234, 234, 34, 4"),
        ('{"connect": 1234}', "connect=1234 of a detector must be one of"),
        ('{"zero_unpool": 1}', "zero_unpool=1 of a detector must be true or false"),
        ('{"frame_rate": 10.5}', "frame_rate=10.5 of a detector must be a whole number"),
        ('{"frame_rate": true}', "frame_rate=True of a detector must be a whole number"),
        ('{"window_s": "3"}', "window_s='3' of a detector must be a number"),
        ('{"video_stream": null}', "video_stream=None of a detector must be a text"),
        ('{"video_widths": [8, 8, 8]}', "video_widths=.* must be 4 times a whole number"),
        ('{"video_widths": 8}', "video_widths=8 of a detector must be 4 times a whole number"),
        ('{"video_widths": [8, 8, 8, 0]}', r"video_widths=\(8, 8, 8, 0\) of a detector must be at least 1"),
        ('{"picture_size": 0}', "picture_size=0 of a detector must be at least 1"),
        ('{"audio_padding": [0, 1, 1, -1]}', "audio_padding=.* must not be below 0"),
        ('{"window_s": NaN}', "window_s=nan of a detector must be above 0 and finite"),
        ('{"window_s": Infinity}', "window_s=inf of a detector must be above 0 and finite"),
        ('{"picture_std": [1, 0, 1]}', "picture_std=.* must be above 0 and finite"),
        ('{"picture_shrink": 3}', "picture_size=112 must be a multiple of picture_shrink=3"),
        ('{"framework": "independent", "freeze_streams": true}', "leaves framework independent nothing"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(AvfakeError, match=message) as caught:
        DetectorConfig.from_json(text, "run/config.json")
    assert "\n" not in str(caught.value)


def test_every_field_is_saved() -> None:
    saved = json.loads(DetectorConfig().as_json())
    assert saved.keys() == DetectorConfig.__dataclass_fields__.keys()


def test_changes_are_told_by_field() -> None:
    config = changed(DetectorConfig(), {"connect": "4", "audio_widths": (8, 8, 8, 8)})
    assert differences(config, DetectorConfig()) == [
        "audio_widths is (8, 8, 8, 8) instead of (128, 128, 256, 512)",
        "connect is '4' instead of '1234'",
    ]
    assert len(differences(config, DetectorConfig(), STREAM_FIELDS)) == 1
    assert differences(config, config) == []


@pytest.mark.parametrize(
    "fields", [{"attention": "none"}, {"freeze_streams": True}, {"framework": "late-fusion"}]
)
def test_streams_are_alike_whatever_joins_them(fields: dict[str, Any]) -> None:
    assert not differences(replace(DetectorConfig(), **fields), DetectorConfig(), STREAM_FIELDS)
