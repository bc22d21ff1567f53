"""Every field of a training is saved; what cannot be is refused by name, and what differs is named too."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from avfake.dataset.augment import Augmentation
from avfake.errors import AvfakeError
from avfake.models.config import PRESETS
from avfake.training.config import TrainConfig, augmentation, detector_config, differences
from tests.training.making import quick


def test_the_defaults_are_the_papers() -> None:
    config = TrainConfig(split="balanced")
    assert (config.batch_size, config.learning_rate) == (64, 2e-4)
    assert config.loss_weights == (1 / 3, 1 / 3, 1 / 3)
    assert config.detector == PRESETS["paper"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"epochs": 0}, "epochs=0 must be at least 1"),
        ({"workers": -1}, "workers=-1 must not be below 0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan must be above 0"),
        ({"loss_weights": (0.0, 0.0, 0.0)}, "not all 0"),
        ({"batch_size": 6, "accumulate": 4}, "batch_size=6 .* accumulate=4 .* multiple of 4"),
        ({"batch_size": 6, "devices": 4}, "devices=4; take a multiple of 4"),
        ({"monitor": "f1"}, "monitor 'f1' is unknown; choose one of auc_whole"),
        ({"policy": "some"}, "policy 'some' is unknown; choose one of all, balanced, swap"),
        ({"precision": "8"}, "precision '8' is unknown"),
        ({"detector": detector_config("tiny", ["freeze_streams=true"])}, "--streams-from"),
        ({"detector": replace(PRESETS["paper"], pretrained="kinetics400"), "streams_from": "x"}, "take one"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(AvfakeError, match=text):
        quick(**changes)


def test_settings_change_a_preset() -> None:
    found = detector_config(
        "tiny",
        ["video_widths=[2, 4, 8, 16]", "connection=separable", "zero-unpool=false"],
        framework="late-fusion",
        attention=None,
    )
    changes = {"video_widths": (2, 4, 8, 16), "connection": "separable", "zero_unpool": False}
    assert found == replace(PRESETS["tiny"], framework="late-fusion", **changes)


@pytest.mark.parametrize(
    ("preset", "setting", "text"),
    [
        ("huge", "zero_unpool=true", "preset 'huge' is unknown; choose one of paper, tiny"),
        ("tiny", "colour=red", "no field 'colour'"),
        ("tiny", "zero_unpool", "must be field=value"),
        ("tiny", "attention=all", "attention='all' .* one of none, inter"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(preset: str, setting: str, text: str) -> None:
    with pytest.raises(AvfakeError, match=text):
        detector_config(preset, [setting])


def test_transforms_are_switched_on_by_name() -> None:
    assert augmentation(["flip", "noise=0.25"]) == Augmentation(flip=0.5, noise=0.25)
    assert augmentation([]) == Augmentation()


@pytest.mark.parametrize("name", ["flap", "flip=often", "flip=2", "flip=nan"])
def test_a_wrong_transform_is_one_clear_line(name: str) -> None:
    with pytest.raises(AvfakeError, match=name.split("=")[0]):
        augmentation([name])


def test_every_field_is_saved_and_compared_unless_it_changes_no_result() -> None:
    config = quick()
    before = config.as_json()
    assert before.keys() == asdict(config).keys()
    now = quick(seed=1, workers=3, save_every=7, detector=detector_config("tiny", ["pad=mean"])).as_json()
    found = differences({**before, "split_build": "a"}, {**now, "split_build": "b"})
    assert {"seed=0 (now 1)", 'pad="black" (now "mean")', 'split_build="a" (now "b")'} <= set(found)
    assert not [text for text in found if text.startswith(("workers", "save_every"))]
    assert differences(before, config.as_json()) == []
