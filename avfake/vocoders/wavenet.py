"""WaveNet: dilated causal convolutions that say how the next sample is distributed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from avfake.errors import AvfakeError
from avfake.vocoders.autoregressive import AutoregressiveVocoder
from avfake.vocoders.cards import Card
from avfake.vocoders.checkpoint import settled
from avfake.vocoders.conv_steps import ConvSteps
from avfake.vocoders.distributions import expand_mu_law
from avfake.vocoders.stretch import reach, stretching

_LWS_GAIN = 0.88  # amplitudes under the window of 2018, a sine of height 0.71, relative to a Hann window's


@dataclass(frozen=True, kw_only=True)
class WaveNetConfig:
    """Shape of the network; the defaults are those of the published checkpoints.

    Attributes:
        layout: The repository's network of 2018, which was published trained, or that of 2019.
        output: A mixture of logistics, one Gaussian, or classes of mu-law.
        n_mixtures: Number of logistics.
        n_classes: Number of classes.
        n_layers: Dilated convolutions.
        n_stacks: Times that the dilation grows from one.
        residual_channels: Between the layers.
        gate_channels: Inside them, both halves together.
        skip_channels: Of what each hands to the end.
        kernel_size: Of the dilated convolutions.
        mel_context: Mel frames to either side that the first convolution of 2019 sees.
        mel_kernel_size: Neighbouring bands that the upsampling of 2018 sees.
        scales: Stages of the upsampling.
        speaker_channels: Of a speaker's embedding; 0 for a network of one speaker.
        n_speakers: Who can be chosen.
        speaker: Who is.
        pre_emphasis: Filter that the training waveforms of 2019 went through; 0 for none.
        gain: Their loudness, relative to those that the Mel is of.
    """

    layout: Literal["2018", "2019"] = "2018"
    output: Literal["mol", "gaussian", "softmax"] = "mol"
    n_mixtures: int = 10
    n_classes: int = 256
    n_layers: int = 24
    n_stacks: int = 4
    residual_channels: int = 512
    gate_channels: int = 512
    skip_channels: int = 256
    kernel_size: int = 3
    mel_context: int = 0
    mel_kernel_size: int = 3
    scales: tuple[int, ...] = (4, 4, 4, 4)
    speaker_channels: int = 0
    n_speakers: int = 0
    speaker: int = 0
    pre_emphasis: float = 0.0
    gain: float = 1.0

    def __post_init__(self) -> None:
        if self.n_layers % self.n_stacks:
            raise ValueError(f"n_layers={self.n_layers} must be a multiple of n_stacks={self.n_stacks}")
        if self.speaker_channels and not 0 <= self.speaker < self.n_speakers:
            raise ValueError(f"speaker={self.speaker} must lie in 0..{self.n_speakers - 1}")

    @property
    def n_outputs(self) -> int:
        """Outputs of the network."""
        return {"mol": 3 * self.n_mixtures, "gaussian": 2, "softmax": self.n_classes}[self.output]

    @property
    def dilations(self) -> list[int]:
        """Of each layer, in samples."""
        return [2**place for place in range(self.n_layers // self.n_stacks)] * self.n_stacks


class GatedLayer(nn.Module):
    """Parameters of one layer, under the repository's names."""

    def __init__(self, config: WaveNetConfig, n_mels: int) -> None:
        super().__init__()
        residual, gate, half = config.residual_channels, config.gate_channels, config.gate_channels // 2
        biased = config.layout == "2018"
        self.conv = nn.Conv1d(residual, gate, config.kernel_size)
        self.conv1x1c = nn.Conv1d(n_mels, gate, 1, bias=biased)
        if config.speaker_channels:
            self.conv1x1g = nn.Conv1d(config.speaker_channels, gate, 1, bias=biased)
        self.conv1x1_out = nn.Conv1d(half, residual, 1)
        self.conv1x1_skip = nn.Conv1d(half, config.skip_channels, 1)


class _Upsampling2019(nn.Module):
    """A convolution over neighbouring frames, then stretching."""

    def __init__(self, config: WaveNetConfig, n_mels: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv1d(n_mels, n_mels, 2 * config.mel_context + 1, bias=False)
        self.upsample = nn.ModuleDict({"up_layers": stretching(config.scales)})

    def forward(self, mel: Tensor) -> Tensor:
        smooth: Tensor = self.upsample["up_layers"](self.conv_in(mel))
        return smooth


def _upsampling_2018(config: WaveNetConfig) -> nn.Sequential:
    """Transposed convolutions that mix neighbouring bands and keep to each frame's own time."""
    width = config.mel_kernel_size
    layers: list[nn.Module] = []
    for scale in config.scales:
        spread = nn.ConvTranspose2d(1, 1, (width, scale), stride=(1, scale), padding=((width - 1) // 2, 0))
        layers += [spread, nn.ReLU()]
    return nn.Sequential(*layers)


class WaveNetNetwork(nn.Module):
    """The layers of github.com/r9y9/wavenet_vocoder under its names; they run step by step, as ``ConvSteps``.

    Reference:
        van den Oord et al., 2016, WaveNet: a generative model for raw audio.
    """

    mel_mean: Tensor
    mel_scale: Tensor

    def __init__(self, config: WaveNetConfig, n_mels: int) -> None:
        super().__init__()
        self.config = config
        n_inputs = config.n_classes if config.output == "softmax" else 1
        skip = config.skip_channels
        self.first_conv = nn.Conv1d(n_inputs, config.residual_channels, 1)
        self.conv_layers = nn.ModuleList(GatedLayer(config, n_mels) for _ in range(config.n_layers))
        self.last_conv_layers = nn.Sequential(
            nn.ReLU(), nn.Conv1d(skip, skip, 1), nn.ReLU(), nn.Conv1d(skip, config.n_outputs, 1)
        )
        if config.speaker_channels:
            self.embed_speakers = nn.Embedding(config.n_speakers, config.speaker_channels)
        if config.layout == "2018":
            self.upsample_conv = _upsampling_2018(config)
        else:
            self.upsample_net = _Upsampling2019(config, n_mels)
        self.register_buffer("mel_mean", torch.zeros(n_mels), persistent=False)
        self.register_buffer("mel_scale", torch.ones(n_mels), persistent=False)
        self._measure()

    @property
    def layers(self) -> list[GatedLayer]:
        """Its dilated convolutions, from the first on."""
        return cast("list[GatedLayer]", list(self.conv_layers))

    def _measure(self) -> None:
        config = self.config
        self.hop_length = math.prod(config.scales)
        past = (config.kernel_size - 1) * sum(config.dilations)
        self.warm_up = math.ceil((past + 1) / self.hop_length)  # until nothing heard precedes the row
        turn = config.kernel_size * max(config.dilations)
        self.chunk = math.lcm(turn, self.hop_length) // self.hop_length
        # 2018: a frame was paired with the first quarter of its window, which is two frames before its centre
        self.lead = 2 if config.layout == "2018" else 0
        self.n_edge = reach(config.scales) if config.layout == "2019" else 0  # frames spoilt by zeros beyond
        self.context = config.mel_context + self.n_edge

    def upsample(self, mel: Tensor) -> Tensor:
        """Mel of each step, [batch, n_mels, time]; frames of ``mel_context`` are used up."""
        if self.config.layout == "2018":
            smooth: Tensor = self.upsample_conv(mel[:, None])[:, 0]
        else:
            smooth = self.upsample_net(mel)
        return smooth

    def condition(self, mel: Tensor) -> Tensor:
        """Mel of each step, [1, n_mels, time], of frames and their context."""
        smooth = self.upsample(mel)
        n_edge = self.n_edge * self.hop_length
        return smooth[..., n_edge : smooth.shape[2] - n_edge]

    def stepper(self, n_rows: int, n_steps: int) -> ConvSteps:
        """Weights laid out for single steps, and memory for ``n_rows``."""
        return ConvSteps(self, n_rows, n_steps)

    def decode(self, samples: Tensor) -> Tensor:
        """The waveform, [rows, time], of what was drawn, [rows, time]."""
        config = self.config
        waveform = expand_mu_law(samples, config.n_classes) if config.output == "softmax" else samples
        return _de_emphasised(waveform, config.pre_emphasis) / config.gain

    def scale(self, mel: Tensor) -> Tensor:
        """The Mel, [n_mels, mel_frames], in the units of training."""
        if self.config.layout == "2018":  # from 100 dB below to the level of 20 dB over full scale
            return ((mel + math.log10(_LWS_GAIN)) / 5 + 0.8).clamp(0, 1)
        return (mel - self.mel_mean[:, None]) / self.mel_scale[:, None]


def build(card: Card, state: Mapping[str, Tensor] | None) -> AutoregressiveVocoder:
    """The vocoder of a card; without a state its weights are random."""
    config = WaveNetConfig(**card.model)
    weights = None if state is None else dict(state)
    statistics = _statistics(weights, card) if weights and config.layout == "2019" else None
    network = settled(lambda: WaveNetNetwork(config, card.mel.n_mels), weights, card.name)
    if statistics:
        network.mel_mean, network.mel_scale = statistics
    return AutoregressiveVocoder(card.name, card.mel, network)


def _statistics(weights: dict[str, Tensor], card: Card) -> tuple[Tensor, Tensor]:
    """Take mean and scale of the Mel bands out of the weights."""
    mean, scale = (weights.pop(key, torch.empty(0)) for key in ("mean", "scale"))
    if any(list(found.shape) != [card.mel.n_mels] for found in (mean, scale)):
        raise AvfakeError(
            f"weights of vocoder {card.name} hold no mean and scale of its {card.mel.n_mels} Mel bands; "
            "add them from the recipe"
        )
    return mean, scale


def _de_emphasised(waveform: Tensor, coefficient: float) -> Tensor:
    """Undo y[n] = x[n] - coefficient * x[n - 1] on a waveform, [rows, time]."""
    waveform = waveform.clone()
    shift = 1
    while coefficient**shift > 1e-9:  # the geometric series as a product of 1 + (coefficient / z) ** shift
        waveform[:, shift:] += coefficient**shift * waveform[:, :-shift].clone()
        shift *= 2
    return waveform
