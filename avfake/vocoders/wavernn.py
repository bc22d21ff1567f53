"""WaveRNN: two GRUs, one after the other, that say how the next sample is distributed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.vocoders.autoregressive import AutoregressiveVocoder
from avfake.vocoders.cards import Card
from avfake.vocoders.checkpoint import renamed, settled
from avfake.vocoders.distributions import expand_mu_law
from avfake.vocoders.gru_steps import GruSteps
from avfake.vocoders.stretch import reach, stretching

_UNUSED = {"step"}  # how long the network was trained
_TORCHAUDIO_KEYS = (  # and what fatchord, from whose code torchaudio's was made, calls them
    (r"^fc\.", "I."),
    (r"upsample_layers\.", "up_layers."),
    (r"melresnet_model\.0\.", "conv_in."),
    (r"melresnet_model\.1\.", "batch_norm."),
    (r"melresnet_model\.(\d+)\.resblock_model\.", lambda match: f"layers.{int(match[1]) - 3}."),
    (r"(layers\.\d+\.)0\.", r"\1conv1."),
    (r"(layers\.\d+\.)1\.", r"\1batch_norm1."),
    (r"(layers\.\d+\.)3\.", r"\1conv2."),
    (r"(layers\.\d+\.)4\.", r"\1batch_norm2."),
    (r"melresnet_model\.\d+\.", "conv_out."),
)


@dataclass(frozen=True, kw_only=True)
class WaveRnnConfig:
    """Shape of the network; the defaults are the published one's.

    Attributes:
        layout: Whose key names the checkpoint has.
        output: A mixture of logistics, or classes.
        n_mixtures: Number of logistics.
        n_classes: Number of classes.
        mu_law: Whether the classes are those of mu-law rather than evenly spaced.
        rnn_channels: Of both GRUs.
        fc_channels: Of the layers that follow them.
        res_channels: Of the residual network that sums up the Mel.
        aux_channels: Of its output; one quarter goes to each of four layers.
        n_res_blocks: Its blocks.
        res_context: Mel frames that it sees on either side.
        scales: Stages of the upsampling.
    """

    layout: Literal["fatchord", "torchaudio"] = "fatchord"
    output: Literal["mol", "softmax"] = "mol"
    n_mixtures: int = 10
    n_classes: int = 512
    mu_law: bool = True
    rnn_channels: int = 512
    fc_channels: int = 512
    res_channels: int = 128
    aux_channels: int = 128
    n_res_blocks: int = 10
    res_context: int = 2
    scales: tuple[int, ...] = (5, 5, 11)

    @property
    def n_outputs(self) -> int:
        """Outputs of the network."""
        return 3 * self.n_mixtures if self.output == "mol" else self.n_classes


class _ResBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv1d(channels, channels, 1, bias=False)
        self.batch_norm1 = nn.BatchNorm1d(channels)
        self.batch_norm2 = nn.BatchNorm1d(channels)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = functional.relu(self.batch_norm1(self.conv1(hidden)))
        added: Tensor = self.batch_norm2(self.conv2(inner))
        return hidden + added


class _MelResNet(nn.Module):
    def __init__(self, config: WaveRnnConfig, n_mels: int) -> None:
        super().__init__()
        channels = config.res_channels
        self.conv_in = nn.Conv1d(n_mels, channels, 2 * config.res_context + 1, bias=False)
        self.batch_norm = nn.BatchNorm1d(channels)
        self.layers = nn.Sequential(*(_ResBlock(channels) for _ in range(config.n_res_blocks)))
        self.conv_out = nn.Conv1d(channels, config.aux_channels, 1)

    def forward(self, mel: Tensor) -> Tensor:
        hidden = functional.relu(self.batch_norm(self.conv_in(mel)))
        aux: Tensor = self.conv_out(self.layers(hidden))
        return aux


class _Upsampling(nn.Module):
    def __init__(self, config: WaveRnnConfig, n_mels: int) -> None:
        super().__init__()
        self.n_cut = config.res_context * math.prod(config.scales)
        self.resnet = _MelResNet(config, n_mels)
        self.up_layers = stretching(config.scales)

    def forward(self, mel: Tensor) -> Tensor:
        """Mel and auxiliary features of each step, [batch, n_mels + aux_channels, time]."""
        smooth = self.up_layers(mel)[..., self.n_cut : -self.n_cut]
        aux = self.resnet(mel)
        return torch.cat([smooth, aux.repeat_interleave(smooth.shape[2] // aux.shape[2], dim=-1)], dim=1)


class WaveRnnNetwork(nn.Module):
    """The layers under fatchord's names; they run one step at a time, as ``GruSteps``.

    Reference:
        Kalchbrenner et al., 2018, Efficient neural audio synthesis, which has one GRU; the two GRUs and the
        residual network are those of the alternative model of github.com/fatchord/WaveRNN.
    """

    lead = 0
    warm_up = 5  # training began from silence and was five frames long, so this is as settled as it gets
    chunk = 4

    def __init__(self, config: WaveRnnConfig, n_mels: int) -> None:
        super().__init__()
        self.config = config
        self.hop_length = math.prod(config.scales)
        self.n_edge = max(0, reach(config.scales) - config.res_context)  # frames spoilt by the zeros beyond
        self.context = config.res_context + self.n_edge
        rnn, fc, aux = config.rnn_channels, config.fc_channels, config.aux_channels // 4
        self.upsample = _Upsampling(config, n_mels)
        self.I = nn.Linear(1 + n_mels + aux, rnn)
        self.rnn1 = nn.GRU(rnn, rnn)
        self.rnn2 = nn.GRU(rnn + aux, rnn)
        self.fc1 = nn.Linear(rnn + aux, fc)
        self.fc2 = nn.Linear(fc + aux, fc)
        self.fc3 = nn.Linear(fc, config.n_outputs)

    def condition(self, mel: Tensor) -> Tensor:
        """Mel and auxiliary features of each step, [1, features, time], of frames and their context."""
        features: Tensor = self.upsample(mel)
        n_edge = self.n_edge * self.hop_length
        return features[..., n_edge : features.shape[2] - n_edge]

    def stepper(self, n_rows: int, n_steps: int) -> GruSteps:
        """Weights multiplied out, and memory for ``n_rows``."""
        return GruSteps(self, n_rows, n_steps)

    def scale(self, mel: Tensor) -> Tensor:
        """The Mel as it is; it lies in [0, 1] already."""
        return mel

    def decode(self, samples: Tensor) -> Tensor:
        """The waveform of what was drawn, any shape."""
        if self.config.output == "softmax" and self.config.mu_law:
            return expand_mu_law(samples, self.config.n_classes)
        return samples


def build(card: Card, state: Mapping[str, Tensor] | None) -> AutoregressiveVocoder:
    """The vocoder of a card; without a state its weights are random."""
    config = WaveRnnConfig(**card.model)
    weights = None if state is None else network_keys(state, config)
    network = settled(lambda: WaveRnnNetwork(config, card.mel.n_mels), weights, card.name)
    return AutoregressiveVocoder(card.name, card.mel, network)


def network_keys(state: Mapping[str, Tensor], config: WaveRnnConfig) -> dict[str, Tensor]:
    """The state under the network's key names, without what it does not need."""
    named = renamed(state, _TORCHAUDIO_KEYS) if config.layout == "torchaudio" else state
    return {key: tensor for key, tensor in named.items() if key not in _UNUSED}
