"""Log-Mel spectrograms of every front-end that a public vocoder was trained with."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from avfake.audio.filterbank import MelNorm, MelScale, triangular_filters

_FRAMES_AT_ONCE = 256  # of all clips together: their spectra stay in a core's cache
_N_GROUPS = 4  # of neighbouring bands, each multiplied only with the bins it sees


@dataclass(frozen=True, kw_only=True)
class MelConfig:
    """What a log-Mel spectrogram is made with; frozen, hence itself the key of the filter cache.

    Attributes:
        sample_rate: Of the waveform, in Hz.
        n_fft: Length of the transform, in samples.
        hop_length: Samples from one Mel frame to the next.
        win_length: Length of the Hann window, centred in the transform, in samples.
        n_mels: Number of bands.
        fmin: Lower edge of the first band, in Hz.
        fmax: Upper edge of the last band, in Hz; None is half the sample rate.
        padding: ``"same"`` gives ``time // hop_length`` frames, frame k centred on the middle of its hop;
            ``"center"`` gives one more, frame k centred on sample ``k * hop_length``.
        pad_mode: What lies beyond the edges of the waveform: its mirror image, or silence.
        mel_scale: The scale on which the bands are evenly spaced.
        norm: ``"slaney"`` for bands of equal area, None for bands of equal height.
        power_eps: Added to each bin's power before the root is taken.
        log: ``"ln"``, ``"log10"``, or ``"unit_db"``: decibels, with the floor mapped to 0, full scale to 1
            and what exceeds it cut.
        floor: Smallest amplitude the logarithm is given.
        arithmetic: How the spectrum is computed. It shows only in bins about 100 dB under the loudest of
            their frame, yet a checkpoint's own front-end is met there too: ``"double"`` is librosa's,
            ``"single"`` torch.stft's, ``"convolution"`` Tacotron 2's (single precision, many times slower).
    """

    sample_rate: int = 22_050
    n_fft: int = 1024
    hop_length: int = 256
    win_length: int = 1024
    n_mels: int = 80
    fmin: float = 0.0
    fmax: float | None = None
    padding: Literal["same", "center"] = "same"
    pad_mode: Literal["reflect", "constant"] = "reflect"
    mel_scale: MelScale = "slaney"
    norm: MelNorm | None = "slaney"
    power_eps: float = 0.0
    log: Literal["ln", "log10", "unit_db"] = "ln"
    floor: float = 1e-5
    arithmetic: Literal["double", "single", "convolution"] = "double"

    def __post_init__(self) -> None:
        counts = ("sample_rate", "n_fft", "hop_length", "win_length", "n_mels")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.win_length > self.n_fft:
            raise ValueError(f"win_length={self.win_length} must lie in 1..n_fft={self.n_fft}")
        if self.hop_length > self.win_length:
            raise ValueError(f"hop_length={self.hop_length} must lie in 1..win_length={self.win_length}")
        if self.padding == "same" and (self.n_fft - self.hop_length) % 2:
            raise ValueError(
                f"n_fft={self.n_fft} minus hop_length={self.hop_length} must be even with padding='same'"
            )
        if not 0 <= self.fmin < self.top_hz <= self.sample_rate / 2:
            raise ValueError(
                f"fmin={self.fmin}, fmax={self.fmax} must satisfy 0 <= fmin < fmax <= {self.sample_rate / 2}"
            )
        if not (0 < self.floor < 1 and self.power_eps >= 0):
            raise ValueError(f"floor={self.floor} must lie in (0, 1), power_eps={self.power_eps} in [0, inf)")
        _check_choices(self)

    @property
    def top_hz(self) -> float:
        """Highest frequency the bands see, in Hz."""
        return self.sample_rate / 2 if self.fmax is None else self.fmax

    @property
    def edge(self) -> int:
        """Samples added at each end of a waveform before it is cut into frames."""
        return (self.n_fft - self.hop_length) // 2 if self.padding == "same" else self.n_fft // 2

    def n_frames(self, n_samples: int) -> int:
        """Mel frames of a waveform of ``n_samples``."""
        return n_samples // self.hop_length + (self.padding == "center")

    def n_samples(self, n_frames: int) -> int:
        """Samples a vocoder makes of ``n_frames``, so that sample n is sample n of the analysed waveform."""
        return (n_frames - (self.padding == "center")) * self.hop_length


def log_mel(waveform: Tensor, config: MelConfig) -> Tensor:
    """Log-Mel spectrogram of a batch of waveforms.

    Args:
        waveform: [batch, time], in [-1, 1], at ``config.sample_rate``.
        config: The front-end.

    Returns:
        [batch, n_mels, mel_frames], in the units of ``config.log``.

    Raises:
        ValueError: The waveform is not [batch, time] or too short to be mirrored at its edges.
    """
    return amplitude_to_mel(mel_amplitude(waveform, config), config)


def mel_amplitude(waveform: Tensor, config: MelConfig) -> Tensor:
    """Mel spectrogram before the logarithm; arguments and errors as of ``log_mel``."""
    _check_waveform(waveform, config)
    n_clips = max(1, _FRAMES_AT_ONCE // max(1, config.n_frames(waveform.shape[1])))
    groups = _constants(config, waveform.device).groups
    blocks = []
    for block in torch.split(waveform, n_clips):
        magnitude = _magnitude(block, config)
        blocks.append(torch.cat([magnitude[..., group.bins] @ group.weights for group in groups], dim=-1))
    return torch.cat(blocks).transpose(1, 2)


def amplitude_to_mel(amplitude: Tensor, config: MelConfig) -> Tensor:
    """Take the logarithm as ``config`` says; any shape."""
    amplitude = amplitude.clamp_min(config.floor)
    if config.log == "ln":
        return amplitude.log()
    if config.log == "log10":
        return amplitude.log10()
    return (1 - amplitude.log10() / math.log10(config.floor)).clamp_max(1)


def mel_to_amplitude(mel: Tensor, config: MelConfig) -> Tensor:
    """Undo ``amplitude_to_mel``, as far as its floor and ceiling allow; any shape."""
    if config.log == "ln":
        return mel.exp()
    if config.log == "log10":
        return torch.pow(10.0, mel)
    return torch.pow(10.0, (1 - mel) * math.log10(config.floor))


def mel_filters(config: MelConfig) -> NDArray[np.float64]:
    """Weights of a front-end's bands, [n_mels, n_fft // 2 + 1]."""
    return triangular_filters(
        sample_rate=config.sample_rate,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.top_hz,
        scale=config.mel_scale,
        norm=config.norm,
    )


class _Group(NamedTuple):
    bins: slice  # that any of its bands sees
    weights: Tensor  # [those bins, bands]


class _Constants(NamedTuple):
    window: Tensor  # [n_fft], float32 when the arithmetic is single, else float64
    groups: tuple[_Group, ...]


@lru_cache(maxsize=32)
@torch.inference_mode(False)  # a cache first filled during inference must also serve training
def _constants(config: MelConfig, device: torch.device) -> _Constants:
    dtype = torch.float32 if config.arithmetic == "single" else torch.float64
    window = torch.hann_window(config.win_length, dtype=dtype, device=device)
    left = (config.n_fft - config.win_length) // 2
    window = functional.pad(window, (left, config.n_fft - config.win_length - left))
    bands = np.array_split(mel_filters(config), _N_GROUPS)
    return _Constants(window, tuple(_group(part, device) for part in bands if len(part)))


def _group(bands: NDArray[np.float64], device: torch.device) -> _Group:
    seen = np.flatnonzero(bands.any(axis=0))
    bins = slice(int(seen.min(initial=0)), int(seen.max(initial=0)) + 1)
    return _Group(bins, torch.from_numpy(bands[:, bins].T).to(device, torch.float32).contiguous())


def _magnitude(waveform: Tensor, config: MelConfig) -> Tensor:
    """Magnitude spectrum, [batch, mel_frames, bins]."""
    window = _constants(config, waveform.device).window
    padded = functional.pad(waveform, (config.edge, config.edge), mode=config.pad_mode)
    if config.arithmetic == "convolution":
        parts = _convolve(padded, window, config)
    else:
        frames = padded.to(window.dtype).unfold(-1, config.n_fft, config.hop_length)
        parts = torch.view_as_real(torch.fft.rfft(frames * window).to(torch.complex64))
    parts = parts.square()  # and not abs() of the complex numbers, which takes twice the time
    power = torch.add(parts[..., 0], parts[..., 1])
    return (power + config.power_eps if config.power_eps else power).sqrt()


def _convolve(padded: Tensor, window: Tensor, config: MelConfig) -> Tensor:
    """Spectrum as a convolution with windowed cosines and sines, [batch, mel_frames, bins, 2]."""
    waves = torch.fft.rfft(torch.eye(config.n_fft, dtype=torch.float64, device=padded.device)).T
    kernels = torch.cat([waves.real, waves.imag]).float() * window.float()
    parts = functional.conv1d(padded[:, None], kernels[:, None], stride=config.hop_length)
    batch, _, n_frames = parts.shape
    return parts.view(batch, 2, -1, n_frames).permute(0, 3, 2, 1)


def _check_waveform(waveform: Tensor, config: MelConfig) -> None:
    if waveform.ndim != 2 or waveform.dtype != torch.float32:
        raise ValueError(
            f"waveform is {waveform.dtype} {list(waveform.shape)}; wanted torch.float32 [batch, time]"
        )
    shortest = config.edge + 1 if config.pad_mode == "reflect" else 1
    if waveform.shape[1] < shortest:
        raise ValueError(
            f"waveform of {waveform.shape[1]} samples is too short: at least {shortest} are needed"
        )


def _check_choices(config: MelConfig) -> None:
    choices: dict[str, tuple[str | None, ...]] = {
        "padding": ("same", "center"),
        "pad_mode": ("reflect", "constant"),
        "mel_scale": ("slaney", "htk"),
        "norm": ("slaney", None),
        "log": ("ln", "log10", "unit_db"),
        "arithmetic": ("double", "single", "convolution"),
    }
    for name, known in choices.items():
        if (value := getattr(config, name)) not in known:
            raise ValueError(f"{name}={value!r} must be one of {', '.join(map(repr, known))}")
