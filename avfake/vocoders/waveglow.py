"""WaveGlow: a flow whose steps, run backwards, turn noise into sound."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from avfake.audio.mel import MelConfig
from avfake.vocoders.cards import Card
from avfake.vocoders.checkpoint import settled
from avfake.vocoders.gated_stack import GatedStack, double_tanh, lay_out
from avfake.vocoders.noise import clip_noise
from avfake.vocoders.one_pass import OnePassVocoder

_HUM_FRAMES = 88  # of the Mel whose sound the repository takes for the network's own
_HUM_N_FFT = 1024
_TINY = 1e-9  # amplitude


@dataclass(frozen=True, kw_only=True)
class WaveGlowConfig:
    """Shape of the network; the defaults are the published ones.

    Attributes:
        n_flows: Steps.
        n_group: Neighbouring samples that are the channels of one time step.
        n_early_every: Steps after which some channels leave the flow.
        n_early_size: How many.
        n_layers: Dilated convolutions in each step.
        n_channels: Between them.
        kernel_size: Of these.
        upsample_size: Samples that one Mel frame reaches, counted from its own first.
        sigma: Standard deviation of the noise; the training's was 1.
        hum_share: Of the network's own hum, how much is taken out of the spectrum.
    """

    n_flows: int = 12
    n_group: int = 8
    n_early_every: int = 4
    n_early_size: int = 2
    n_layers: int = 8
    n_channels: int = 256
    kernel_size: int = 3
    upsample_size: int = 1024
    sigma: float = 0.6
    hum_share: float = 0.1

    def __post_init__(self) -> None:
        if self.n_layers < 2:
            raise ValueError(f"n_layers={self.n_layers} must be at least 2")
        if self.n_kept(self.n_flows - 1) < 2 or self.n_group % 2 or self.n_early_size % 2:
            raise ValueError(
                f"n_early_size={self.n_early_size} must be even and leave two of n_group channels"
            )

    def n_kept(self, flow: int) -> int:
        """Channels in a step of the flow."""
        return self.n_group - flow // self.n_early_every * self.n_early_size


class _Features:
    """Conditioning by a product of each layer's own weights with the grouped Mel."""

    def __init__(self, weights: Tensor, features: Tensor) -> None:
        self.weights = weights  # [layers, 2 * gates, features]
        self.features = features  # [features, steps]

    def write(self, layer: int, start: int, gates: Tensor) -> None:
        torch.mm(self.weights[layer], self.features[:, start : start + gates.shape[1]], out=gates)


class _Coupling(nn.Module):
    """What half of the channels say about the other half."""

    def __init__(self, config: WaveGlowConfig, n_kept: int, n_features: int) -> None:
        super().__init__()
        channels, n_layers = config.n_channels, config.n_layers
        self.in_layers = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels, config.kernel_size) for _ in range(n_layers)
        )
        self.res_skip_layers = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels if layer < n_layers - 1 else channels, 1)
            for layer in range(n_layers)
        )
        self.start = nn.Conv1d(n_kept // 2, channels, 1)
        self.end = nn.Conv1d(channels, n_kept, 1)
        self.cond_layer = nn.Conv1d(n_features, 2 * channels * n_layers, 1)

    def forward(self, half: Tensor, features: Tensor) -> Tensor:
        """Shift and log scale, [channels, steps], of half of them and of features with a row of ones."""
        inner = [cast("nn.Conv1d", conv) for conv in self.in_layers]
        outer = [cast("nn.Conv1d", conv) for conv in self.res_skip_layers]
        layers = [
            lay_out(conv.weight, out.weight, cast("Tensor", out.bias), 2**number)
            for number, (conv, out) in enumerate(zip(inner, outer, strict=True))
        ]
        skips = GatedStack(layers).run(self.start(half), _Features(self._weights(inner), features))
        made: Tensor = self.end(skips)
        return made

    def _weights(self, inner: list[nn.Conv1d]) -> Tensor:
        """Of the features for all layers, biases in the last column, [layers, 2 * gates, features + 1]."""
        bias = cast("Tensor", self.cond_layer.bias) + torch.cat([cast("Tensor", conv.bias) for conv in inner])
        weights = torch.cat([self.cond_layer.weight[..., 0], bias[:, None]], dim=1)
        return torch.stack([double_tanh(rows) for rows in weights.chunk(len(inner))])


class _Mixing(nn.Module):
    """A square matrix over the channels."""

    def __init__(self, n_kept: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(n_kept, n_kept, 1, bias=False)
        nn.init.orthogonal_(self.conv.weight)


class WaveGlowNetwork(nn.Module):
    """The flow under the names of github.com/NVIDIA/waveglow, from noise to sound, one clip at a time.

    Reference:
        Prenger, Valle and Catanzaro, 2018, WaveGlow: a flow-based generative network for speech synthesis.
    """

    n_least = 1

    def __init__(self, config: WaveGlowConfig, n_mels: int, hop_length: int) -> None:
        super().__init__()
        if hop_length % config.n_group:
            raise ValueError(f"hop_length={hop_length} must be a multiple of n_group={config.n_group}")
        self.config = config
        self.hop_length = hop_length
        past = config.n_flows * (config.kernel_size // 2) * (2**config.n_layers - 1) * config.n_group
        self.reach = math.ceil((past + config.upsample_size) / hop_length)
        n_features = n_mels * config.n_group
        kept = [config.n_kept(flow) for flow in range(config.n_flows)]
        self.upsample = nn.ConvTranspose1d(n_mels, n_mels, config.upsample_size, hop_length)
        self.WN = nn.ModuleList(_Coupling(config, n_kept, n_features) for n_kept in kept)
        self.convinv = nn.ModuleList(_Mixing(n_kept) for n_kept in kept)

    @torch.no_grad()
    def invert(self) -> None:
        """Turn the matrices of the checkpoint, which lead from sound to noise, into those that lead back."""
        for mixing in self.convinv:
            weight = cast("_Mixing", mixing).conv.weight
            weight.copy_(torch.linalg.inv(weight[..., 0].double())[..., None])

    def forward(self, mel: Tensor, noise: Tensor) -> Tensor:
        """Make the sound of one clip; ``invert`` was called before.

        Args:
            mel: [n_mels, mel_frames].
            noise: [n_group, mel_frames * hop_length / n_group]; the channels that left the flow early first.

        Returns:
            [time].
        """
        features = self._features(mel)
        config = self.config
        sound = noise[-config.n_kept(config.n_flows - 1) :]
        for flow in reversed(range(config.n_flows)):
            first, second = sound.chunk(2)
            shift, log_scale = self.WN[flow](first, features).chunk(2)
            sound = torch.cat([first, (second - shift) * torch.exp(-log_scale)])
            sound = cast("_Mixing", self.convinv[flow]).conv(sound)
            if flow and flow % config.n_early_every == 0:
                n_out = config.n_group - len(sound)
                sound = torch.cat([noise[n_out - config.n_early_size : n_out], sound])
        return sound.T.flatten()

    def _features(self, mel: Tensor) -> Tensor:
        """The Mel of each time step, and a row of ones, [n_mels * n_group + 1, steps]."""
        smooth = self.upsample(mel)[:, : mel.shape[1] * self.hop_length]
        grouped = smooth.view(len(mel), -1, self.config.n_group).transpose(1, 2).flatten(0, 1)
        return torch.cat([grouped, torch.ones_like(grouped[:1])])


class WaveGlow(OnePassVocoder):
    """Sound of noise that each clip draws for itself, without the network's own hum and offset.

    Args:
        name: Of the vocoder.
        mel: The front-end.
        network: In evaluation mode, inverted.
    """

    network: WaveGlowNetwork

    def __init__(self, name: str, mel: MelConfig, network: WaveGlowNetwork) -> None:
        super().__init__(name, mel, network)
        self._hum: Tensor | None = None

    def _make(self, scaled: Tensor, mel: Tensor) -> Tensor:
        config = self.network.config
        shape = config.n_group, mel.shape[2] * self.mel.hop_length // config.n_group
        noise = config.sigma * clip_noise(mel, shape)[0]
        made = self._without_hum(self.network(scaled[0], noise))
        return (made - made.mean())[None, None]

    def _without_hum(self, made: Tensor) -> Tensor:
        """Take a share of the hum's magnitude out of the sound's, [time], whose phases stay."""
        if self._hum is None:
            self._hum = self._measure_hum(made)
        spectrum = _spectrum(made, "constant")  # so that no clip is too short to be mirrored
        hum = self._hum.to(made.device) / spectrum.abs().clamp_min(_TINY)
        gain = (1 - self.network.config.hum_share * hum).clamp_min(0)
        window = torch.hann_window(_HUM_N_FFT, device=made.device)
        return torch.istft(spectrum * gain, _HUM_N_FFT, window=window, length=len(made))

    def _measure_hum(self, like: Tensor) -> Tensor:
        """Magnitudes, [bins, 1], of what the network makes of no noise and, as in its repository, zeros."""
        n_steps = _HUM_FRAMES * self.mel.hop_length // self.network.config.n_group
        mel = like.new_zeros(self.mel.n_mels, _HUM_FRAMES)
        made = self.network(mel, like.new_zeros(self.network.config.n_group, n_steps))
        return _spectrum(made, "reflect")[:, :1].abs()


def build(card: Card, state: Mapping[str, Tensor] | None) -> WaveGlow:
    """The vocoder of a card; without a state its weights are random."""
    config, mel = WaveGlowConfig(**card.model), card.mel
    network = settled(lambda: WaveGlowNetwork(config, mel.n_mels, mel.hop_length), state, card.name)
    network.invert()
    return WaveGlow(card.name, card.mel, network)


def _spectrum(waveform: Tensor, pad_mode: str) -> Tensor:
    """[bins, frames] of [time]."""
    window = torch.hann_window(_HUM_N_FFT, device=waveform.device)
    return torch.stft(waveform, _HUM_N_FFT, window=window, pad_mode=pad_mode, return_complex=True)
