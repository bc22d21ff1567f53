"""From a spectrum to the waveform, on either time axis that a Mel may have."""

import torch
from torch import Tensor
from torch.nn import functional

from avfake.audio.mel import MelConfig


def inverse_stft(spectrum: Tensor, config: MelConfig) -> Tensor:
    """Waveform whose short-time spectrum is nearest to the given one.

    Args:
        spectrum: [batch, frames, n_fft // 2 + 1], with a Hann window as long as the transform.
        config: Whose transform, hop and padding count.

    Returns:
        [batch, config.n_samples(frames)]; sample n belongs to sample n of the analysed waveform.
    """
    n_frames = spectrum.shape[1]
    window = torch.hann_window(config.n_fft, device=spectrum.device)
    frames = torch.fft.irfft(spectrum, n=config.n_fft) * window
    heard = slice(config.edge, config.edge + config.n_samples(n_frames))
    weight = overlap_add(window.square().expand(1, n_frames, -1), config.hop_length)[:, heard]
    return overlap_add(frames, config.hop_length)[:, heard] / weight


def overlap_add(frames: Tensor, hop_length: int) -> Tensor:
    """Sum of frames, [batch, frames, n_fft], each ``hop_length`` after the last; [batch, time]."""
    whole = functional.pad(frames, (0, -frames.shape[2] % hop_length))
    batch, n_frames, length = whole.shape
    n_parts = length // hop_length
    parts = whole.reshape(batch, n_frames, n_parts, hop_length)
    total = frames.new_zeros(batch, n_frames + n_parts - 1, hop_length)
    for part in range(n_parts):
        total[:, part : part + n_frames] += parts[:, :, part]
    return total.flatten(1)
