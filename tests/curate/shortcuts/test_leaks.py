"""Whatever a careless pipeline leaves on fake sound is caught by the cue that stands for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from avfake.audio.filters import low_pass
from avfake.curate.shortcuts.cues import SoundFile, Values, measure_sound
from avfake.curate.shortcuts.evidence import deal, estimate
from avfake.curate.shortcuts.models import categories, score_categories, score_numbers
from tests.dummies import speech_like

RATE = 22_050
N_SPEAKERS = 16
WINDOW = (0.0, 0.8)
Sound = np.ndarray


def speaker(number: int) -> Sound:
    """Speech of one person, at one level, into a microphone of the usual polarity."""
    sound = speech_like(0.8, seed=number)
    level_db = np.random.default_rng(number).normal(scale=2.0)
    return np.asarray(sound * 10 ** (level_db / 20) * np.sign(sound.max() + sound.min()))


def measure(root: Path, sound: Sound, rate: int = RATE, subtype: str = "PCM_16") -> Values:
    soundfile.write(root / "sound.flac", sound, rate, subtype=subtype)
    return measure_sound(root, SoundFile("sound.flac", "row", (WINDOW,)))["sound.flac", WINDOW]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> list[Values]:
    root = tmp_path_factory.mktemp("real")
    return [measure(root, speaker(number)) for number in range(N_SPEAKERS)]


def auc_of(cue: str, real: list[Values], fake: list[Values]) -> float:
    speakers = [str(number) for number in range(N_SPEAKERS)] * 2
    dealt = deal(np.repeat([0, 1], N_SPEAKERS), speakers, speakers, seed=0)
    assert dealt is not None
    values = [measured[cue] for measured in (*real, *fake)]
    if cue == "codec":
        return estimate(dealt, categories(cue, list(map(str, values))).values, score_categories).auc
    return estimate(dealt, np.array(values, np.float64), score_numbers).auc


def squashed(sound: Sound) -> Sound:
    made = np.tanh(sound * 3 / np.abs(sound).max())
    return np.asarray(made * np.sqrt(np.mean(sound**2) / np.mean(made**2)))


def hissing(sound: Sound) -> Sound:
    return sound + 1e-3 * np.random.default_rng(0).standard_normal(len(sound))


LEAKS: list[tuple[str, Callable[[Sound], Sound]]] = [
    ("duration_s", lambda sound: sound[:-600]),
    ("file_duration_s", lambda sound: np.append(sound, sound[:4_410])),
    ("lead_silence_s", lambda sound: sound[4_410:]),
    ("trail_silence_s", lambda sound: np.roll(sound, 4_410)),
    ("lead_zeros", lambda sound: np.where(np.arange(len(sound)) < 500, 0, sound)),
    ("trail_zeros", lambda sound: np.where(np.arange(len(sound)) >= len(sound) - 500, 0, sound)),
    ("zero_fraction", lambda sound: np.where(np.abs(sound) < 5e-4, 0, sound)),
    ("loudness_db", lambda sound: 1.6 * sound),
    ("peak_db", squashed),
    ("limited_fraction", lambda sound: np.clip(5 * sound, -1, 32_767 / 32_768)),
    ("asymmetry_db", lambda sound: -sound),
    ("dc_offset", lambda sound: sound + 1e-3),
    ("bandwidth_hz", lambda sound: low_pass(sound.astype(np.float32), 7_000, RATE)),
    ("bytes_per_sample", hissing),
    ("bytes_per_sample", lambda sound: np.rint(sound * 256) / 256),
    ("channels", lambda sound: np.stack([sound, sound], axis=1)),
]


@pytest.mark.parametrize(("cue", "leak"), LEAKS, ids=[f"{cue}-{n}" for n, (cue, _) in enumerate(LEAKS)])
def test_a_leak_in_the_sound_is_caught(
    tmp_path: Path, real: list[Values], cue: str, leak: Callable[[Sound], Sound]
) -> None:
    fake = [measure(tmp_path, leak(speaker(number))) for number in range(N_SPEAKERS)]
    assert auc_of(cue, real, fake) > 0.7
    assert auc_of(cue, real, real) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("cue", "rate", "subtype"), [("sample_rate", 16_000, "PCM_16"), ("codec", RATE, "PCM_24")]
)
def test_a_leak_in_the_file_is_caught(
    tmp_path: Path, real: list[Values], cue: str, rate: int, subtype: str
) -> None:
    fake = [measure(tmp_path, speaker(number), rate, subtype) for number in range(N_SPEAKERS)]
    assert auc_of(cue, real, fake) > 0.7
