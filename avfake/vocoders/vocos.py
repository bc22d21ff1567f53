"""Vocos: a spectrum, made of the Mel frame by frame, whose inverse transform is the sound."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.audio.mel import MelConfig
from avfake.vocoders.cards import Card
from avfake.vocoders.checkpoint import settled
from avfake.vocoders.inverse_stft import inverse_stft
from avfake.vocoders.one_pass import OnePassVocoder

_EPS = 1e-6  # of the normalisation
_LOUDEST = 100.0  # magnitude of a bin
_UNUSED = {  # the front-end's window and bands, and the window of the inverse: all are computed here
    "feature_extractor.mel_spec.spectrogram.window",
    "feature_extractor.mel_spec.mel_scale.fb",
    "head.istft.window",
}


@dataclass(frozen=True, kw_only=True)
class VocosConfig:
    """Shape of the network; the defaults are the published ones.

    Attributes:
        dim: Channels of a frame.
        intermediate_dim: Channels inside each block.
        n_layers: Blocks.
        kernel_size: Of all convolutions, in frames.
        n_conditions: Scales and shifts that each normalisation can choose from; 0 for one and no choice.
        condition: The chosen one.
    """

    dim: int = 512
    intermediate_dim: int = 1536
    n_layers: int = 8
    kernel_size: int = 7
    n_conditions: int = 0
    condition: int = 0

    def __post_init__(self) -> None:
        if self.n_conditions and not 0 <= self.condition < self.n_conditions:
            raise ValueError(f"condition={self.condition} must lie in 0..{self.n_conditions - 1}")


class _ChosenNorm(nn.Module):
    """Normalisation over channels whose scale and shift are one of several."""

    def __init__(self, config: VocosConfig) -> None:
        super().__init__()
        self.condition = config.condition
        self.scale = nn.Embedding(config.n_conditions, config.dim)
        self.shift = nn.Embedding(config.n_conditions, config.dim)

    def forward(self, hidden: Tensor) -> Tensor:
        scale, shift = self.scale.weight[self.condition], self.shift.weight[self.condition]
        return functional.layer_norm(hidden, scale.shape, scale, shift, _EPS)


def _norm(config: VocosConfig) -> nn.Module:
    return _ChosenNorm(config) if config.n_conditions else nn.LayerNorm(config.dim, _EPS)


class _Block(nn.Module):
    """A ConvNeXt block."""

    def __init__(self, config: VocosConfig) -> None:
        super().__init__()
        size = config.kernel_size
        self.dwconv = nn.Conv1d(config.dim, config.dim, size, padding=size // 2, groups=config.dim)
        self.norm = _norm(config)
        self.pwconv1 = nn.Linear(config.dim, config.intermediate_dim)
        self.pwconv2 = nn.Linear(config.intermediate_dim, config.dim)
        self.gamma = nn.Parameter(torch.full((config.dim,), 1 / config.n_layers))

    def forward(self, hidden: Tensor) -> Tensor:
        """[batch, frames, dim] -> the same."""
        inner = self.norm(self.dwconv(hidden.transpose(1, 2)).transpose(1, 2))
        added: Tensor = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(inner)))
        return hidden + added


class _Backbone(nn.Module):
    def __init__(self, config: VocosConfig, n_mels: int) -> None:
        super().__init__()
        self.embed = nn.Conv1d(n_mels, config.dim, config.kernel_size, padding=config.kernel_size // 2)
        self.norm = _norm(config)
        self.convnext = nn.Sequential(*(_Block(config) for _ in range(config.n_layers)))
        self.final_layer_norm = nn.LayerNorm(config.dim, _EPS)

    def forward(self, mel: Tensor) -> Tensor:
        """[batch, n_mels, frames] -> [batch, frames, dim]."""
        hidden = self.norm(self.embed(mel).transpose(1, 2))
        made: Tensor = self.final_layer_norm(self.convnext(hidden))
        return made


class _Head(nn.Module):
    """Magnitude and phase of every bin, and the sound of these."""

    def __init__(self, config: VocosConfig, mel: MelConfig) -> None:
        super().__init__()
        self.mel = mel
        self.out = nn.Linear(config.dim, mel.n_fft + 2)

    def forward(self, hidden: Tensor) -> Tensor:
        """[batch, frames, dim] -> [batch, time]."""
        log_magnitude, phase = self.out(hidden).chunk(2, dim=2)
        return inverse_stft(torch.polar(log_magnitude.exp().clamp_max(_LOUDEST), phase), self.mel)


class VocosNetwork(nn.Module):
    """Backbone and head under the names of github.com/gemelo-ai/vocos.

    Reference:
        Siuzdak, 2023, Vocos: closing the gap between time-domain and Fourier-based neural vocoders for
        high-quality audio synthesis.
    """

    n_least = 1

    def __init__(self, config: VocosConfig, mel: MelConfig) -> None:
        super().__init__()
        self.hop_length = mel.hop_length
        overlap = -(-mel.n_fft // mel.hop_length)
        self.reach = (config.n_layers + 1) * (config.kernel_size // 2) + overlap
        self.backbone = _Backbone(config, mel.n_mels)
        self.head = _Head(config, mel)

    def forward(self, mel: Tensor) -> Tensor:
        """Turn Mels, [batch, n_mels, mel_frames], into waveforms, [batch, 1, time]."""
        waveform: Tensor = self.head(self.backbone(mel))
        return waveform[:, None]


class Vocos(OnePassVocoder):
    """Sound of a whole clip at once, since frames are few."""

    def _make(self, scaled: Tensor, mel: Tensor) -> Tensor:
        return self.network(scaled)


def build(card: Card, state: Mapping[str, Tensor] | None) -> Vocos:
    """The vocoder of a card; without a state its weights are random."""
    weights = state and {key: tensor for key, tensor in state.items() if key not in _UNUSED}
    network = settled(lambda: VocosNetwork(VocosConfig(**card.model), card.mel), weights, card.name)
    return Vocos(card.name, card.mel, network)
