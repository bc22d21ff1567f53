from dataclasses import fields

import numpy as np
import pytest

from avfake.dataset.augment import Augmentation, augment
from avfake.dataset.window import Footage
from tests.dataset.making import moving_square
from tests.dummies import speech_like

KINDS = [field.name for field in fields(Augmentation)]
PICTURES, SOUND = {"speed", "flip", "colour", "blur", "jpeg", "grain"}, {"speed", "noise", "codec"}


@pytest.fixture(scope="module")
def footage() -> Footage:
    return Footage(moving_square(30), speech_like(3.0))


def same(one: Footage, other: Footage) -> tuple[bool, bool]:
    return np.array_equal(one.pictures, other.pictures), np.array_equal(one.waveform, other.waveform)


def test_nothing_happens_by_default(footage: Footage) -> None:
    assert augment(footage, Augmentation(), (0, 0, "a")) is footage


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_its_own_modality_and_leaves_clips_whole(footage: Footage, kind: str) -> None:
    changed = augment(footage, Augmentation(**{kind: 1.0}), (0, 1, "a"))
    assert same(changed, footage) == (kind not in PICTURES, kind not in SOUND)
    assert changed.pictures.dtype == np.uint8
    assert changed.waveform.dtype == np.float32
    assert np.abs(changed.waveform).max() <= 1
    if kind != "speed":
        assert changed.pictures.shape == footage.pictures.shape
        assert changed.waveform.shape == footage.waveform.shape


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_decides(footage: Footage, kind: str) -> None:
    chance = Augmentation(**{kind: 1.0})
    assert same(augment(footage, chance, (0, 1, "a")), augment(footage, chance, (0, 1, "a"))) == (True, True)


def test_a_kind_draws_the_same_whatever_else_is_on(footage: Footage) -> None:
    alone = augment(footage, Augmentation(noise=1.0), (0, 1, "a"))
    together = augment(footage, Augmentation(noise=1.0, grain=1.0, flip=0.5), (0, 1, "a"))
    np.testing.assert_array_equal(alone.waveform, together.waveform)


def test_kinds_fall_as_often_as_their_probability_says(footage: Footage) -> None:
    short = Footage(footage.pictures[:1], footage.waveform[:10])
    chance = Augmentation(flip=0.3, noise=0.6)
    found = np.array([same(augment(short, chance, (0, epoch, "a")), short) for epoch in range(600)])
    np.testing.assert_allclose(1 - found.mean(axis=0), [0.3, 0.6], atol=0.06)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.12


def test_probability_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="blur=1.5 must be a probability"):
        Augmentation(blur=1.5)
