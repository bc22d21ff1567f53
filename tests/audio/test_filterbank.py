"""The Mel scale and its filters are librosa's."""

import librosa
import numpy as np
import pytest

from avfake.audio.filterbank import hz_to_mel, mel_to_hz, triangular_filters


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_mel_scale_is_that_of_librosa_and_can_be_undone(scale: str) -> None:
    hz = np.linspace(0, 12_000, 500)
    mel = hz_to_mel(hz, scale)
    np.testing.assert_allclose(mel, librosa.hz_to_mel(hz, htk=scale == "htk"), atol=1e-9)
    np.testing.assert_allclose(mel_to_hz(mel, scale), hz, atol=1e-7)


def test_slaney_scale_bends_at_1_khz() -> None:
    assert hz_to_mel(1000.0) == 15
    assert hz_to_mel(6400.0) == pytest.approx(42)


@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize(("fmin", "fmax"), [(0, 11_025), (80, 7600)])
def test_filters_are_those_of_librosa(scale: str, norm: str | None, fmin: float, fmax: float) -> None:
    ours = triangular_filters(
        sample_rate=22_050, n_fft=1024, n_mels=80, fmin=fmin, fmax=fmax, scale=scale, norm=norm
    )
    theirs = librosa.filters.mel(
        sr=22_050, n_fft=1024, n_mels=80, fmin=fmin, fmax=fmax, htk=scale == "htk", norm=norm
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-7)


def test_slaney_norm_gives_bands_of_equal_area() -> None:
    filters = triangular_filters(sample_rate=22_050, n_fft=8192, n_mels=40, fmin=100, fmax=8000)
    np.testing.assert_allclose(filters.sum(axis=1) * 22_050 / 8192, 1, rtol=0.01)
