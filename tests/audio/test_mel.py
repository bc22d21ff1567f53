"""Log-Mel spectrograms: librosa's numbers, and the laws of frames and time."""

from dataclasses import replace

import librosa
import numpy as np
import pytest
import torch

from avfake.audio.mel import MelConfig, amplitude_to_mel, log_mel, mel_amplitude, mel_to_amplitude
from tests.dummies import speech_like

CONFIGS = {
    "same": MelConfig(),
    "center": MelConfig(padding="center", fmin=80, fmax=7600, log="log10", floor=1e-10),
    "constant": MelConfig(padding="center", pad_mode="constant", n_fft=2048, hop_length=275, win_length=1100),
    "htk": MelConfig(
        sample_rate=24_000, n_mels=100, padding="center", mel_scale="htk", norm=None, floor=1e-7
    ),
}


def _librosa_log_mel(waveform: np.ndarray, config: MelConfig) -> np.ndarray:
    if config.padding == "same":
        waveform = np.pad(waveform, config.edge, mode=config.pad_mode)
    mel = librosa.feature.melspectrogram(
        y=waveform,
        sr=config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=config.win_length,
        center=config.padding == "center",
        pad_mode=config.pad_mode,
        power=1,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
        htk=config.mel_scale == "htk",
        norm=config.norm,
    )
    return (np.log if config.log == "ln" else np.log10)(np.maximum(mel, config.floor))


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_log_mel_is_that_of_librosa(config: MelConfig) -> None:
    waveform = speech_like(1.0, config.sample_rate)
    ours = log_mel(torch.from_numpy(waveform)[None], config)[0].numpy()
    np.testing.assert_allclose(ours, _librosa_log_mel(waveform, config), atol=1e-4)


def test_precision_holds_100_db_under_a_loud_tone() -> None:
    time_s = np.arange(22_050) / 22_050
    waveform = (0.9 * np.sin(2 * np.pi * 200 * time_s) + 1e-5 * np.sin(2 * np.pi * 9000 * time_s)).astype(
        "f4"
    )
    config = MelConfig(floor=1e-10)
    ours = log_mel(torch.from_numpy(waveform)[None], config)[0].numpy()
    np.testing.assert_allclose(ours, _librosa_log_mel(waveform, config), atol=1e-4)


@pytest.mark.parametrize("arithmetic", ["single", "convolution"])
def test_arithmetics_agree_where_there_is_sound(arithmetic: str) -> None:
    waveform = 0.1 * torch.randn(1, 8192, generator=torch.Generator().manual_seed(0))
    exact = log_mel(waveform, MelConfig())
    torch.testing.assert_close(log_mel(waveform, MelConfig(arithmetic=arithmetic)), exact, atol=1e-3, rtol=0)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("n_samples", [2048, 2200, 22_050])
def test_frames_are_as_many_as_promised(config: MelConfig, n_samples: int) -> None:
    mel = log_mel(torch.zeros(2, n_samples), config)
    assert mel.shape == (2, config.n_mels, config.n_frames(n_samples))
    assert 0 <= n_samples - config.n_samples(mel.shape[2]) < config.hop_length


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_shift_by_a_hop_is_a_shift_by_a_frame(config: MelConfig) -> None:
    waveform = torch.from_numpy(speech_like(1.0, config.sample_rate))[None]
    first, second = (log_mel(part, config) for part in (waveform, waveform[:, config.hop_length :]))
    inner = slice(5, 40)  # edges are mirrored
    torch.testing.assert_close(first[..., 6:41], second[..., inner], atol=1e-5, rtol=0)


def test_same_frame_is_centred_on_its_hop() -> None:
    waveform = torch.zeros(1, 256 * 20)
    waveform[0, 256 * 10 + 128] = 1.0
    levels = mel_amplitude(waveform, MelConfig()).sum(1)[0]
    assert levels.argmax() == 10
    torch.testing.assert_close(levels[9], levels[11])


def test_clips_do_not_know_their_batch() -> None:
    waveforms = 0.1 * torch.randn(5, 30_000, generator=torch.Generator().manual_seed(0))
    together = log_mel(waveforms, MelConfig())
    alone = torch.cat([log_mel(waveform[None], MelConfig()) for waveform in waveforms])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize("log", ["ln", "log10", "unit_db"])
def test_logarithm_can_be_undone_above_the_floor(log: str) -> None:
    config = MelConfig(log=log)
    amplitude = torch.logspace(-5, 0, 50)
    back = mel_to_amplitude(amplitude_to_mel(amplitude, config), config)
    torch.testing.assert_close(back, amplitude, rtol=2e-5, atol=0)


def test_unit_db_stays_between_0_and_1() -> None:
    mel = amplitude_to_mel(torch.tensor([0.0, 1e-5, 1e-2, 1.0, 7.0]), MelConfig(log="unit_db"))
    torch.testing.assert_close(mel, torch.tensor([0.0, 0.0, 0.6, 1.0, 1.0]))


def test_training_works_after_inference_filled_the_cache() -> None:
    config = MelConfig(n_mels=17)
    waveform = torch.randn(1, 4096)
    with torch.inference_mode():
        log_mel(waveform, config)
    waveform.requires_grad_()
    log_mel(waveform, config).sum().backward()
    assert waveform.grad is not None
    assert waveform.grad.isfinite().all()


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (torch.zeros(4096), r"wanted torch.float32 \[batch, time\]"),
        (torch.zeros(1, 4096, dtype=torch.float64), "torch.float64"),
        (torch.zeros(1, 384), "384 samples is too short: at least 385"),
    ],
)
def test_wrong_waveform_is_refused(waveform: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        log_mel(waveform, MelConfig())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sample_rate", 0),
        ("n_mels", 0),
        ("win_length", 2048),
        ("hop_length", 1025),
        ("hop_length", 255),
        ("fmin", -1.0),
        ("fmax", 12_000.0),
        ("fmax", 0.0),
        ("floor", 0.0),
        ("power_eps", -1e-9),
        ("padding", "valid"),
        ("pad_mode", "edge"),
        ("mel_scale", "bark"),
        ("norm", "htk"),
        ("log", "log2"),
        ("arithmetic", "half"),
    ],
)
def test_impossible_config_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        replace(MelConfig(), **{field: value})
