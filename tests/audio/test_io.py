from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from avfake.audio.io import (
    HEADROOM_DB,
    SAMPLE_RATE,
    as_stored,
    fit_length,
    in_common_form,
    load_flac,
    read_sound,
    remove_dc,
    resample,
    save_flac,
)
from avfake.errors import ClipError, ErrorKind
from tests.dummies import speech_like, tone


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_resampling_agrees_with_scipy_and_has_no_delay(rate: int) -> None:
    waveform = tone(440, 1.0, rate)
    resampled = resample(waveform, rate, SAMPLE_RATE)
    assert len(resampled) == round(len(waveform) * SAMPLE_RATE / rate)
    middle = slice(2_000, -2_000)
    reference = resample_poly(waveform, SAMPLE_RATE, rate)
    assert np.abs(resampled[middle] - tone(440, 1.0)[: len(resampled)][middle]).max() < 1e-4
    assert np.abs(resampled[middle] - reference[: len(resampled)][middle]).max() < 5e-3


def test_flac_keeps_each_of_16_bits_and_gives_the_same_bytes(tmp_path: Path) -> None:
    waveform = np.round(speech_like(1.0) * 32_768).astype(np.float32) / 32_768
    for name in ("a.flac", "b.flac"):
        save_flac(tmp_path / name, waveform, SAMPLE_RATE)
    loaded, rate = load_flac(tmp_path / "a.flac")
    assert rate == SAMPLE_RATE
    assert np.array_equal(loaded, waveform)
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_sample_that_is_not_finite_is_written(tmp_path: Path, bad: float) -> None:
    waveform = tone(440, 0.1)
    waveform[5] = bad
    with pytest.raises(ClipError) as caught:
        save_flac(tmp_path / "x.flac", waveform, SAMPLE_RATE)
    assert caught.value.kind is ErrorKind.NOT_FINITE
    assert not (tmp_path / "x.flac").exists()


def test_removing_dc_leaves_digital_silence_alone() -> None:
    waveform = np.concatenate([np.zeros(100, np.float32), tone(441, 0.2) + np.float32(0.05)])
    clean = remove_dc(waveform)
    assert not clean[:100].any()
    assert abs(clean[100:].mean()) < 1e-4


@pytest.mark.parametrize("n_samples", [0, 5, 10, 15])
def test_fit_length_is_exact(n_samples: int) -> None:
    assert len(fit_length(np.ones(10, np.float32), n_samples)) == n_samples


def test_a_broken_sound_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.flac").write_bytes(b"fLaC and then nothing of use")
    for name, kind in (("x.flac", ErrorKind.CORRUPT), ("y.flac", ErrorKind.NOT_FOUND)):
        with pytest.raises(ClipError) as caught:
            load_flac(tmp_path / name)
        assert caught.value.kind is kind


def test_the_common_form_is_softer_by_its_headroom_and_nothing_else() -> None:
    waveform = tone(440, 1.0, 44_100) + np.float32(0.1)
    expected = tone(440, 1.0) * 10 ** (-HEADROOM_DB / 20)
    assert np.abs(in_common_form(waveform, 44_100) - expected)[2_000:-2_000].max() < 2e-4


def test_any_part_of_a_sound_is_that_part_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    save_flac(path, speech_like(4.0), SAMPLE_RATE)
    whole, _ = load_flac(path)
    for start, n_samples in ((0, 10), (1, 4095), (22_050, 66_150), (88_199, 50), (88_200, 5), (90_000, 5)):
        part = read_sound(path, start=start, n_samples=n_samples)
        np.testing.assert_array_equal(part, whole[start : start + n_samples])
        assert part.dtype == np.float32


def test_stereo_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.flac"
    save_flac(path, np.zeros((100, 2), np.float32), SAMPLE_RATE)
    with pytest.raises(ClipError, match="2 channels of 22050 Hz, wanted 1 of 22050 Hz"):
        read_sound(path, start=0, n_samples=10)


def test_missing_sound_is_told_from_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "b.flac").write_bytes(b"fLaC")
    for name, kind in (("a.flac", ErrorKind.NOT_FOUND), ("b.flac", ErrorKind.CORRUPT)):
        with pytest.raises(ClipError) as caught:
            read_sound(tmp_path / name, start=0, n_samples=10)
        assert caught.value.kind == kind


def test_a_waveform_as_stored_is_what_its_file_gives_back(tmp_path: Path) -> None:
    loud = 1.5 * speech_like(1.0) / np.abs(speech_like(1.0)).max()
    for number, waveform in enumerate((speech_like(1.0), loud, np.float32([-1, 1, 1e-5, 1.6e-5, -2e-5]))):
        save_flac(tmp_path / f"{number}.flac", waveform, SAMPLE_RATE)
        stored = as_stored(waveform)
        assert stored.dtype == np.float32
        assert np.array_equal(stored, load_flac(tmp_path / f"{number}.flac")[0])
        assert np.array_equal(as_stored(stored), stored)
