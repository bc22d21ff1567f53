"""The vocoder around an autoregressive network: folds of clips in, one waveform per clip out."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from avfake.audio.mel import MelConfig
from avfake.vocoders.base import check_mel
from avfake.vocoders.device import CPU, exact_convolutions
from avfake.vocoders.folds import Folds, join_folds, plan_folds
from avfake.vocoders.noise import clip_generators
from avfake.vocoders.sampling import Network, Row, sample_rows

_FOLD_S = 3.0  # a window of the detector, which so sees one seam at most
_OVERLAP_S = 0.25  # speech seldom goes without a pause or a weak consonant for longer
_FADE_S = 0.01


class VocoderNetwork(Network, Protocol):
    """What the vocoder needs to know besides; lengths in Mel frames.

    Attributes:
        lead: By how much the frame that drives a sample comes after the sample's own.
        warm_up: What is made before a row's first sample counts, at least one.
    """

    lead: int
    warm_up: int

    def scale(self, mel: Tensor) -> Tensor:
        """The Mel in the units of training, [n_mels, mel_frames]."""
        ...

    def decode(self, samples: Tensor) -> Tensor:
        """The waveform, [rows, time], of what the network drew, [rows, time]."""
        ...

    def to(self, device: torch.device) -> object:
        """Move everything it holds."""
        ...


class AutoregressiveVocoder:
    """Sound drawn sample by sample from a network's distributions.

    Args:
        name: Of the vocoder.
        mel: The front-end.
        network: In evaluation mode.

    Attributes:
        fold_s: Clips at least twice as long are cut into equal folds no shorter than this, in seconds; 0 cuts
            none. A clip's folds depend on its length alone, so that its sound does not depend on the batch.
        device: Where the network computes.
    """

    checkpoint_sha256: str | None = None
    device = CPU

    def __init__(self, name: str, mel: MelConfig, network: VocoderNetwork) -> None:
        if network.hop_length != mel.hop_length:
            raise ValueError(
                f"hop_length={mel.hop_length} of the Mel must be {network.hop_length}, the product of scales"
            )
        self.name = name
        self.mel = mel
        self.network = network
        self.fold_s = _FOLD_S

    def to(self, device: torch.device) -> None:
        """Let the network compute on a device; Mels may lie on any."""
        self.network.to(device)
        self.device = device

    def __call__(self, mel: Tensor) -> Tensor:
        """Make waveforms, [batch, time], of log-Mel spectrograms, [batch, n_mels, mel_frames]."""
        check_mel(mel, self.mel)
        return torch.stack(self.make(mel.unbind()))

    @torch.inference_mode()
    @exact_convolutions()
    def make(self, clips: Sequence[Tensor]) -> list[Tensor]:
        """Make clips of any lengths side by side.

        Args:
            clips: Log-Mel spectrograms, each [n_mels, mel_frames].

        Returns:
            Waveforms, each [time], on the device of its clip.
        """
        for clip in clips:
            check_mel(clip[None], self.mel)
        plans = [self._plan(clip) for clip in clips]
        rows = [
            row
            for clip, plan in zip(clips, plans, strict=True)
            for row in self._rows(clip.to(self.device), plan)
        ]
        samples = iter(sample_rows(self.network, rows))
        return [
            self._join([next(samples) for _ in range(plan.n_folds)], plan)[: self._n_samples(clip)].to(
                clip.device
            )
            for clip, plan in zip(clips, plans, strict=True)
        ]

    def _plan(self, clip: Tensor) -> Folds:
        per_second = self.mel.sample_rate / self.mel.hop_length
        shortest, overlap = round(self.fold_s * per_second), round(_OVERLAP_S * per_second)
        return plan_folds(self._n_samples(clip) // self.mel.hop_length, shortest, overlap)

    def _rows(self, clip: Tensor, plan: Folds) -> list[Row]:
        """The folds of one clip, each begun earlier, so that it is in full swing where it is first used."""
        network = self.network
        scaled = network.scale(clip)
        seeds = torch.randint(2**62, (plan.n_folds,), generator=clip_generators(clip[None])[0]).tolist()
        first = network.lead - network.warm_up
        length = network.warm_up + plan.length
        return [
            Row(scaled, first + fold * plan.stride, length, torch.Generator().manual_seed(seed))
            for fold, seed in enumerate(seeds)
        ]

    def _join(self, samples: Sequence[Tensor], plan: Folds) -> Tensor:
        """The waveform of one clip, [time]."""
        hop = self.mel.hop_length
        start = self.network.warm_up * hop - 1  # what is drawn at a step is the sample after it
        waveform = self.network.decode(torch.stack(list(samples)))[:, start : start + plan.length * hop]
        fade = round(_FADE_S * self.mel.sample_rate)
        return join_folds(waveform[None], plan.overlap * hop, fade)[0]

    def _n_samples(self, clip: Tensor) -> int:
        return self.mel.n_samples(clip.shape[1])
