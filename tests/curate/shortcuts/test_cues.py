"""Cues of one sound against sounds whose answers are known."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from avfake.curate.shortcuts.cues import SOUND_CUES, SoundFile, measure_sound
from avfake.errors import AvfakeError

RATE = 16_000


def cues_of(
    root: Path, sound: np.ndarray, window: tuple[float, float] = (0.0, 9.0)
) -> dict[str, float | str]:
    soundfile.write(root / "sound.flac", sound, RATE, subtype="PCM_16")
    measured = measure_sound(root, SoundFile("sound.flac", "row", (window,)))
    return dict(measured["sound.flac", window])


def test_every_cue_is_measured(tmp_path: Path) -> None:
    assert set(cues_of(tmp_path, np.full(RATE, 0.1))) == set(SOUND_CUES)


def test_a_tone_between_zeros_is_measured_to_the_sample(tmp_path: Path) -> None:
    tone = 0.5 * np.cos(2 * np.pi * 1_000 * np.arange(RATE) / RATE) + 0.01  # never exactly zero
    cues = cues_of(tmp_path, np.concatenate([np.zeros(3_200), tone, np.zeros(800)]))
    assert cues["lead_zeros"] == 3_200
    assert cues["trail_zeros"] == 800
    assert cues["zero_fraction"] == pytest.approx(4_000 / 20_000, abs=1e-3)
    assert cues["lead_silence_s"] == pytest.approx(0.2, abs=0.021)
    assert cues["trail_silence_s"] == pytest.approx(0.05, abs=0.021)
    assert cues["duration_s"] == cues["file_duration_s"] == 1.25
    assert cues["peak_db"] == pytest.approx(20 * np.log10(0.51), abs=0.01)
    assert cues["loudness_db"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.05)
    assert cues["dc_offset"] == pytest.approx(0.008, abs=1e-4)
    assert (cues["sample_rate"], cues["channels"], cues["codec"]) == (RATE, 1, "FLAC PCM_16")


def test_asymmetry_tells_a_sound_from_itself_upside_down(tmp_path: Path) -> None:
    sound = np.where(np.arange(RATE) % 4 == 0, 0.4, -0.2)
    assert cues_of(tmp_path, sound)["asymmetry_db"] == pytest.approx(6.02, abs=0.01)
    assert cues_of(tmp_path, -sound)["asymmetry_db"] == pytest.approx(-6.02, abs=0.01)
    assert cues_of(tmp_path, np.zeros(RATE))["asymmetry_db"] == 0


def test_only_the_window_is_measured(tmp_path: Path) -> None:
    sound = np.concatenate([np.full(RATE, 0.9), np.full(RATE, 0.1)])
    cues = cues_of(tmp_path, sound, window=(1.0, 0.5))
    assert cues["peak_db"] == pytest.approx(-20, abs=0.01)
    assert (cues["duration_s"], cues["file_duration_s"]) == (0.5, 2.0)


def test_limited_samples_are_counted(tmp_path: Path) -> None:
    sound = np.where(np.arange(RATE) % 4 == 0, 1.0, 0.1)
    assert cues_of(tmp_path, sound)["limited_fraction"] == 0.25


def test_digital_silence_has_numbers_too(tmp_path: Path) -> None:
    cues = cues_of(tmp_path, np.zeros(RATE))
    assert cues["zero_fraction"] == 1
    assert cues["lead_zeros"] == cues["trail_zeros"] == RATE
    assert all(np.isfinite(value) for value in cues.values() if isinstance(value, float))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.flac", "not a readable sound file"),
        ("page.flac", "not a readable sound file"),
        ("../sound.flac", "stay inside"),
        ("/etc/passwd", "stay inside"),
        ("empty.wav", "holds no samples"),
        ("nan.wav", "NaN"),
    ],
)
def test_a_bad_file_names_its_row_in_one_line(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "page.flac").write_text("<html>404</html>")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), RATE, subtype="FLOAT")
    with pytest.raises(AvfakeError, match="made/clip/real") as caught:
        measure_sound(tmp_path, SoundFile(name, "made/clip/real", ((0.0, 1.0),)))
    assert reason in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_window_past_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match=r"lasts 1\.000 s"):
        cues_of(tmp_path, np.full(RATE, 0.1), window=(2.0, 1.0))
