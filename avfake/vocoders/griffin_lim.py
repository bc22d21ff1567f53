"""Griffin-Lim: a waveform whose magnitude spectrum is nearest to the one the Mel bands allow."""

import torch
from torch import Tensor
from torch.nn import functional

from avfake.audio.inverse_mel import invert_mel
from avfake.audio.mel import MelConfig, mel_to_amplitude
from avfake.vocoders.base import check_mel
from avfake.vocoders.inverse_stft import overlap_add

_MEL = MelConfig(log="ln")  # 80 bands up to half the sample rate, so that no band is left empty
_N_ITERATIONS = 32  # 100 would lower the log-Mel error of speech only from 0.102 to 0.095
_MOMENTUM = 0.99
_SEED = 1984  # year of Griffin and Lim's paper; the first phases are the same for every clip
_TINY = 1e-16  # power


def build() -> "GriffinLim":
    """The one vocoder of this family."""
    return GriffinLim()


class GriffinLim:
    """NNLS inverse Mel, then the fast Griffin-Lim algorithm with momentum.

    Reference:
        Perraudin, Balazs and Sondergaard, 2013, A fast Griffin-Lim algorithm.
    """

    name = "griffin-lim"
    mel = _MEL
    checkpoint_sha256: str | None = None

    @torch.inference_mode()
    def __call__(self, mel: Tensor) -> Tensor:
        """Make waveforms, [batch, time], of log-Mel spectrograms, [batch, n_mels, mel_frames]."""
        check_mel(mel, self.mel)
        magnitude = invert_mel(mel_to_amplitude(mel, self.mel), self.mel).transpose(1, 2).contiguous()
        transform = _Transform(self.mel, magnitude.shape[1], magnitude.device)
        spectrum = torch.polar(magnitude, _first_phases(magnitude))
        before = transform.analyse(transform.synthesise(spectrum))
        spectrum = before.clone()
        for _ in range(_N_ITERATIONS - 1):
            consistent = transform.analyse(transform.synthesise(_with_magnitude(spectrum, magnitude)))
            spectrum = before.lerp_(consistent, 1 + _MOMENTUM)
            before = consistent
        return transform.synthesise(_with_magnitude(spectrum, magnitude))


class _Transform:
    """Short-time Fourier transform and its least-squares inverse for one number of frames."""

    def __init__(self, config: MelConfig, n_frames: int, device: torch.device) -> None:
        self.config = config
        self.window = torch.hann_window(config.n_fft, device=device)
        overlap = overlap_add(self.window.square().expand(1, n_frames, -1), config.hop_length)
        self.weight = 1 / overlap[:, config.edge : config.edge + config.n_samples(n_frames)]

    def analyse(self, waveform: Tensor) -> Tensor:
        """Spectrum, [batch, frames, bins], of a waveform, [batch, time]."""
        padded = functional.pad(waveform, (self.config.edge, self.config.edge), mode="reflect")
        frames = padded.unfold(-1, self.config.n_fft, self.config.hop_length)
        spectrum: Tensor = torch.fft.rfft(frames * self.window)
        return spectrum

    def synthesise(self, spectrum: Tensor) -> Tensor:
        """Waveform, [batch, time], whose spectrum is nearest to the given one."""
        frames = torch.fft.irfft(spectrum, n=self.config.n_fft).mul_(self.window)
        waveform = overlap_add(frames, self.config.hop_length)
        return waveform[:, self.config.edge : self.config.edge + self.weight.shape[1]] * self.weight


def _with_magnitude(spectrum: Tensor, magnitude: Tensor) -> Tensor:
    """Give a spectrum new magnitudes in place; its phases stay."""
    parts = torch.view_as_real(spectrum)
    squares = parts.square()
    power = torch.add(squares[..., 0], squares[..., 1]).add_(_TINY)
    parts.mul_(power.rsqrt_().mul_(magnitude).unsqueeze(-1))
    return spectrum


def _first_phases(magnitude: Tensor) -> Tensor:
    """Random phases, [frames, bins], that depend on nothing but the place in the spectrogram."""
    generator = torch.Generator().manual_seed(_SEED)
    phases = torch.rand(magnitude.shape[1:], generator=generator) * (2 * torch.pi)
    return phases.to(magnitude.device).expand_as(magnitude)
