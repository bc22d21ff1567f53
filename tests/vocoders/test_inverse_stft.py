"""The inverse transform gives back what was analysed, where it was."""

import pytest
import torch
from torch.nn import functional

from avfake.audio.mel import MelConfig
from avfake.vocoders.inverse_stft import inverse_stft


@pytest.mark.parametrize("padding", ["same", "center"])
@pytest.mark.parametrize(("n_fft", "hop_length"), [(1024, 256), (320, 80), (64, 12)])
@pytest.mark.parametrize("n_frames", [2, 3, 20])
def test_a_waveform_comes_back_sample_by_sample(
    padding: str, n_fft: int, hop_length: int, n_frames: int
) -> None:
    config = MelConfig(
        sample_rate=16_000, n_fft=n_fft, hop_length=hop_length, win_length=n_fft, n_mels=2, padding=padding
    )
    waveform = torch.randn(2, config.n_samples(n_frames))
    padded = functional.pad(waveform, (config.edge, config.edge))
    frames = padded.unfold(1, n_fft, hop_length) * torch.hann_window(n_fft)
    made = inverse_stft(torch.fft.rfft(frames), config)
    torch.testing.assert_close(made, waveform, rtol=0, atol=1e-4)


def test_centred_frames_are_as_torch_inverts_them() -> None:
    config = MelConfig(padding="center")
    spectrum = torch.randn(2, 9, 513, dtype=torch.complex64)
    wanted = torch.istft(spectrum.transpose(1, 2), 1024, 256, window=torch.hann_window(1024))
    torch.testing.assert_close(inverse_stft(spectrum, config), wanted, rtol=0, atol=1e-5)
