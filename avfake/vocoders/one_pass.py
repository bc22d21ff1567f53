"""The vocoder around a network that makes all samples of a clip in one pass."""

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from avfake.audio.mel import MelConfig
from avfake.errors import AvfakeError
from avfake.vocoders.base import check_mel
from avfake.vocoders.cards import Card
from avfake.vocoders.device import CPU, exact_convolutions

_PIECE_FRAMES = 512  # 6 s at 22,050 Hz, 0.3 GiB for HiFi-GAN V1; longer ones drop out of a CPU's cache


class Network(Protocol):
    """What makes the samples: an ``nn.Module``.

    Attributes:
        hop_length: Samples per Mel frame.
        n_least: Mel frames it cannot do without, such as those it mirrors at the edges.
        reach: How many Mel frames to either side of its own a sample depends on.
    """

    hop_length: int
    n_least: int
    reach: int

    def __call__(self, mel: Tensor) -> Tensor:
        """Turn a Mel, [batch, n_mels, mel_frames], into [batch, 1, mel_frames * hop_length]."""
        ...

    def to(self, device: torch.device) -> object:
        """Move everything it holds."""
        ...


class Statistics(NamedTuple):
    """Of the Mel bands of the training data, each [n_mels]."""

    mean: Tensor
    scale: Tensor


def take_statistics(
    card: Card, state: Mapping[str, Tensor] | None
) -> tuple[Statistics | None, dict[str, Tensor] | None]:
    """Part a state, if there is one, into the statistics that its card calls for, if any, and the weights.

    Raises:
        AvfakeError: The card calls for statistics that the state does not hold.
    """
    if state is None or not card.checkpoint.stats:
        return None, None if state is None else dict(state)
    weights = dict(state)
    mean, scale = (weights.pop(key, None) for key in ("mean", "scale"))
    wanted = [card.mel.n_mels]
    if mean is None or scale is None or list(mean.shape) != wanted or list(scale.shape) != wanted:
        raise AvfakeError(
            f"weights of vocoder {card.name} come without mean and scale of its {card.mel.n_mels} Mel bands; "
            f"put {card.checkpoint.stats} of the same download beside them"
        )
    return Statistics(mean, scale), weights


class OnePassVocoder:
    """Sound made by one pass of a network over each clip.

    The networks were trained on hops of sound beside the frame of the same number, so their sample n is the
    waveform's, with either padding of the Mel, and what delay there is in their layers they learned to undo.
    Clips go through one by one, so that none depends on its neighbours, and long ones in pieces.

    Args:
        name: Of the vocoder.
        mel: The front-end.
        network: In evaluation mode.
        statistics: That the Mel is standardised with; None for a network that takes it as it is.

    Attributes:
        piece_frames: A clip of more Mel frames is made in pieces no longer than this, each with as much
            around it as the network looks at, so that it sounds as if made whole and memory is bounded.
        device: Where the network computes.
    """

    checkpoint_sha256: str | None = None
    device = CPU

    def __init__(
        self, name: str, mel: MelConfig, network: Network, statistics: Statistics | None = None
    ) -> None:
        if network.hop_length != mel.hop_length:
            raise ValueError(
                f"hop_length={mel.hop_length} of the Mel must be {network.hop_length}, the network's"
            )
        self.name = name
        self.mel = mel
        self.network = network
        self.statistics = statistics
        self.piece_frames = _PIECE_FRAMES

    def to(self, device: torch.device) -> None:
        """Let the network compute on a device; Mels may lie on any."""
        self.network.to(device)
        self.device = device

    @torch.inference_mode()
    @exact_convolutions()
    def __call__(self, mel: Tensor) -> Tensor:
        """Make waveforms, [batch, time], of log-Mel spectrograms, [batch, n_mels, mel_frames]."""
        check_mel(mel, self.mel)
        n_frames = mel.shape[2]
        made = mel.new_empty(len(mel), self.mel.n_samples(n_frames))
        for clip, waveform in zip(mel.to(self.device), made, strict=True):
            padded = functional.pad(clip[None], (0, max(0, self._n_needed(n_frames) - n_frames)), "replicate")
            waveform.copy_(self._make(self._scale(padded), clip[None])[0, 0, : made.shape[1]])
        return made

    def _n_needed(self, n_frames: int) -> int:
        """Mel frames that the network must be given to make ``n_frames`` well."""
        return max(n_frames, self.network.n_least)

    def _make(self, scaled: Tensor, mel: Tensor) -> Tensor:
        """Sound, [1, 1, time], of a scaled and padded clip; ``mel`` is the clip as it came."""
        hop, reach, n_frames = self.mel.hop_length, self.network.reach, scaled.shape[2]
        length = math.ceil(n_frames / math.ceil(n_frames / self.piece_frames))
        pieces = []
        for start in range(0, n_frames, length):
            first, stop = max(0, start - reach), min(start + length, n_frames)
            made = self.network(scaled[..., first : stop + reach])
            pieces.append(made[..., (start - first) * hop : (stop - first) * hop])
        return torch.cat(pieces, dim=2)

    def _scale(self, mel: Tensor) -> Tensor:
        """The Mel in the units of training."""
        if self.statistics is None:
            return mel
        mean, scale = (values.to(mel.device)[:, None] for values in self.statistics)
        return (mel - mean) / scale
