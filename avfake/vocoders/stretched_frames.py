"""Stretching of Mel frames to samples, one tile at a time."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.vocoders.stretch import reach


class StretchedFrames:
    """Conditioning of gated layers that comes from stretched Mel frames.

    Stretching mixes frames and a layer's own convolution mixes bands, so they may change places: the many
    bands of the layers are made once per frame instead of once per sample. And all stages of the stretching
    together are one small matrix, but near the ends, where each stage sees zeros beyond.

    Args:
        frames: What the layers make of the Mel, [layers, 2 * gates, mel_frames].
        bias: [layers, 2 * gates].
        stretching: Stages, from ``stretch.stretching``.
        scales: Of these.
    """

    def __init__(self, frames: Tensor, bias: Tensor, stretching: nn.Module, scales: tuple[int, ...]) -> None:
        self.n_reach = reach(scales)
        self.shares = _shares(stretching, self.n_reach, frames)
        self.hop_length = self.shares.shape[1]
        self.n_samples = frames.shape[2] * self.hop_length
        self.frames = functional.pad(frames, (self.n_reach, self.n_reach))
        self.bias = bias
        n_edge = self.n_reach * self.hop_length
        biased = bias[..., None]
        self.head = stretching(frames[..., : 2 * self.n_reach])[..., :n_edge] + biased
        self.tail = stretching(frames[..., -2 * self.n_reach :])[..., -n_edge:] + biased

    def write(self, layer: int, start: int, gates: Tensor) -> None:
        """Set gates, [2 * gates, samples], to a layer's conditioning from sample ``start`` on.

        Both ``start`` and the number of samples are whole frames.
        """
        hop, width = self.hop_length, 2 * self.n_reach + 1
        first, n_frames = start // hop, gates.shape[1] // hop
        windows = self.frames[layer, :, first : first + n_frames + width - 1].unfold(1, width, 1)
        constant = self.bias[layer, :, None, None].expand(-1, n_frames, 1)
        rows = torch.cat([windows, constant], dim=2).flatten(0, 1)
        torch.mm(rows, self.shares, out=gates.view(-1, hop))
        for values, place in ((self.head, 0), (self.tail, self.n_samples - self.tail.shape[2])):
            left, right = max(start, place), min(start + gates.shape[1], place + values.shape[2])
            if left < right:
                gates[:, left - start : right - start] = values[layer, :, left - place : right - place]


def _shares(stretching: nn.Module, n_reach: int, like: Tensor) -> Tensor:
    """What a frame and its neighbours give to each of its samples, [2 * n_reach + 1, hop_length].

    And a row of ones below, by which a bias is given to all.
    """
    alone = functional.pad(like.new_ones(1, 1), (2 * n_reach, 2 * n_reach))
    response = stretching(alone).view(4 * n_reach + 1, -1)
    shares = response[n_reach : 3 * n_reach + 1].flip(0)  # the frame before gives what comes after itself
    return torch.cat([shares, torch.ones_like(shares[:1])])
