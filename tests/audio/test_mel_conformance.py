"""Every front-end that a public checkpoint was trained with gives the reference's numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from avfake.audio.mel import MelConfig, log_mel, mel_filters
from tests.vectors import lj_wave, mel_vectors

TORCH = {"power_eps": 1e-9, "arithmetic": "single"}
PWG = {"padding": "center", "log": "log10", "floor": 1e-10, "fmin": 80.0, "fmax": 7600.0}
WAVERNN = {
    "n_fft": 2048,
    "hop_length": 275,
    "win_length": 1100,
    "fmin": 40.0,
    "padding": "center",
    "log": "unit_db",
}
VOCOS = MelConfig(
    sample_rate=24_000,
    n_mels=100,
    padding="center",
    mel_scale="htk",
    norm=None,
    floor=1e-7,
    arithmetic="single",
)
FRONT_ENDS = {
    "melgan_descript": MelConfig(log="log10", arithmetic="single"),
    "hifigan_22k_fmax8000": MelConfig(fmax=8000.0, **TORCH),
    "bigvgan_24khz_100band": MelConfig(sample_rate=24_000, n_mels=100, fmax=12_000.0, **TORCH),
    "bigvgan_v2_24khz_100band_256x": MelConfig(sample_rate=24_000, n_mels=100, **TORCH),
    "bigvgan_22khz_80band": MelConfig(fmax=8000.0, **TORCH),
    "bigvgan_v2_22khz_80band_256x": MelConfig(**TORCH),
    "waveglow_tacotron2": MelConfig(fmax=8000.0, padding="center", arithmetic="convolution"),
    "wavernn_fatchord": MelConfig(**WAVERNN, pad_mode="constant"),
    "wavernn_fatchord_reflect": MelConfig(**WAVERNN),
    "wavernn_torchaudio": MelConfig(**WAVERNN, arithmetic="single"),
    "pwg_22k": MelConfig(**PWG),
    "pwg_24k": MelConfig(**PWG, sample_rate=24_000, n_fft=2048, hop_length=300, win_length=1200),
    "pwg_16k": MelConfig(**PWG, sample_rate=16_000),
    "pwg_22k_no_limit": MelConfig(**(PWG | {"fmin": 0.0, "fmax": 11_025.0})),
    "wavenet_r9y9_head_logmel": MelConfig(**(PWG | {"fmin": 125.0})),
    "vocos_mel_24khz": VOCOS,
}
FRAMES_FIRST = {"pwg_22k", "pwg_24k", "pwg_16k", "pwg_22k_no_limit"}
TOLERANCE = 1e-4  # absolute, on the logarithm

pytestmark = pytest.mark.shared


def _reference(shared: Path, name: str) -> np.ndarray:
    values = mel_vectors(shared)[f"output/{name}"]
    if name == "wavernn_torchaudio":  # stored with the shape of the transpose of what its bytes hold
        values = values.reshape(values.shape[::-1]).T
    return values.T if name in FRAMES_FIRST else values


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_front_end_gives_the_reference_numbers(shared: Path, name: str) -> None:
    config = FRONT_ENDS[name]
    waveform = torch.from_numpy(lj_wave(shared, config.sample_rate))[None]
    mel = log_mel(waveform, config)[0].numpy()
    np.testing.assert_allclose(mel, _reference(shared, name), rtol=0, atol=TOLERANCE)


def test_no_front_end_is_left_out(shared: Path) -> None:
    names = {name.removeprefix("output/") for name in mel_vectors(shared) if name.startswith("output/")}
    assert {name for name in names if not name.endswith("labels")} == set(FRONT_ENDS)


def test_filters_are_the_reference_filters(shared: Path) -> None:
    vectors = mel_vectors(shared)
    slaney = vectors["filterbank/slaney_22050_1024_80_0_8000"]
    htk = vectors["filterbank/vocos_htk_none_fb"].T
    np.testing.assert_allclose(mel_filters(MelConfig(fmax=8000.0)), slaney, atol=1e-7)
    np.testing.assert_allclose(mel_filters(VOCOS), htk, atol=1e-5)  # stored in single precision throughout
