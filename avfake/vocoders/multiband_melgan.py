"""Multi-band MelGAN: MelGAN makes the bands of a filter bank, at a fraction of the rate."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from avfake.vocoders.cards import Card
from avfake.vocoders.checkpoint import settled
from avfake.vocoders.melgan import MelGanConfig, MelGanNetwork, network_keys
from avfake.vocoders.one_pass import OnePassVocoder, take_statistics
from avfake.vocoders.pqmf import Pqmf


@dataclass(frozen=True, kw_only=True)
class MultibandMelGanConfig(MelGanConfig):
    """Shape of the network; the defaults are those of the published checkpoints at 22,050 Hz.

    Attributes:
        layout: As of ``MelGanConfig``, like what follows.
        channels: After the first convolution.
        upsample_scales: Stages of the upsampling to the rate of the bands.
        n_stacks: Residual blocks per stage.
        n_outputs: Bands.
        taps: Length of the filters less one.
        cutoff_ratio: Of the filters' prototype; checkpoints of before 2021 were trained with 0.15, with which
            the bands add up to a little more than the whole.
        beta: Of its window.
    """

    layout: Literal["descript", "kan-bayashi"] = "kan-bayashi"
    channels: int = 384
    upsample_scales: tuple[int, ...] = (8, 4, 2)
    n_stacks: int = 4
    n_outputs: int = 4
    taps: int = 62
    cutoff_ratio: float = 0.142
    beta: float = 9.0


class MultibandMelGanNetwork(MelGanNetwork):
    """MelGAN's network under the same names, and the synthesis of its bands; it can be trained.

    Reference:
        Yang et al., 2020, Multi-band MelGAN: faster waveform generation for high-quality text-to-speech.

    Args:
        config: Its shape.
        n_mels: Bands of the Mel.
    """

    def __init__(self, config: MultibandMelGanConfig, n_mels: int) -> None:
        super().__init__(config, n_mels)
        self.pqmf = Pqmf(
            config.n_outputs, taps=config.taps, cutoff_ratio=config.cutoff_ratio, beta=config.beta
        )
        self.reach += -(-self.pqmf.reach // self.hop_length)
        self.hop_length *= config.n_outputs

    def bands(self, mel: Tensor) -> Tensor:
        """[batch, n_mels, mel_frames] -> [batch, n_outputs, mel_frames * hop_length / n_outputs]."""
        return super().forward(mel)

    def forward(self, mel: Tensor) -> Tensor:
        """[batch, n_mels, mel_frames] -> [batch, 1, mel_frames * hop_length]."""
        return self.pqmf.synthesise(self.bands(mel))


def build(card: Card, state: Mapping[str, Tensor] | None) -> OnePassVocoder:
    """The vocoder of a card; without a state its weights are random."""
    config = MultibandMelGanConfig(**card.model)
    statistics, weights = take_statistics(card, state)
    if weights is not None:
        weights = network_keys(weights, config)
    network = settled(lambda: MultibandMelGanNetwork(config, card.mel.n_mels), weights, card.name)
    return OnePassVocoder(card.name, card.mel, network, statistics)
