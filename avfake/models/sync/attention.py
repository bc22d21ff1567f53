"""Attention between pictures and sound, without projections."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.errors import AvfakeError
from avfake.models.config import DetectorConfig

Pair = tuple[Tensor, Tensor]
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]  # of query, key and value, [batch, frames, pixels]


def positional_encoding(n_frames: int, n_pixels: int) -> Tensor:
    """Sines and cosines of falling frequency that tell pictures apart: [n_frames, n_pixels].

    Reference:
        Vaswani et al., 2017, Attention is all you need, section 3.5.
    """
    pair = torch.arange(-(-n_pixels // 2), dtype=torch.float64)
    angle = torch.arange(n_frames)[:, None] * 10_000.0 ** (-2 * pair / n_pixels)
    waves = torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)
    return waves[:, :n_pixels].float()  # an odd number leaves the last cosine out


def attend(query: Tensor, key: Tensor, value: Tensor, n_heads: int) -> Tensor:
    """For each picture, the values of the pictures whose keys are like its query.

    Args:
        query: [batch, frames, pixels].
        key: The same size.
        value: The same size.
        n_heads: Bands of the picture, from top to bottom, that attend each for itself.

    Returns:
        [batch, frames, pixels].
    """
    query, key, value = (x.view(*x.shape[:2], n_heads, -1).transpose(1, 2) for x in (query, key, value))
    return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)


def inter(video: Tensor, audio: Tensor, attend: Attend) -> Pair:
    """Sound asks the pictures, and pictures the sound (equations 7 and 8)."""
    return attend(audio, video, video), attend(video, audio, audio)


def intra(video: Tensor, audio: Tensor, attend: Attend) -> Pair:
    """Each asks itself (equation 9)."""
    return attend(video, video, video), attend(audio, audio, audio)


def both(video: Tensor, audio: Tensor, attend: Attend) -> Pair:
    """Sum of what the two kinds find in the same features."""
    (from_sound, from_video), (own_video, own_sound) = (kind(video, audio, attend) for kind in (inter, intra))
    return from_sound + own_video, from_video + own_sound


def one_then_other(video: Tensor, audio: Tensor, attend: Attend) -> Pair:
    """Each asks itself, and what then is known of it the other."""
    own_video, own_audio = intra(video, audio, attend)
    video_found, audio_found = inter(video + own_video, audio + own_audio, attend)
    return own_video + video_found, own_audio + audio_found


def joint(video: Tensor, audio: Tensor, attend: Attend) -> Pair:
    """Pictures ask the sound for the sum of the two; one answer for both (equation 10)."""
    found = attend(video, audio, video + audio)
    return found, found


ATTENTIONS: dict[str, Callable[[Tensor, Tensor, Attend], Pair]] = {
    "inter": inter,
    "inter+intra": both,
    "joint": joint,
}


class StreamAttention(nn.Module):
    """Adds to pictures and to sound what attention between them finds.

    Channels are weighed into one, so that a stage's feature is one small grey picture per moment; what is
    found is spread over the channels again.

    Reference:
        Zhou and Lim, 2021, Joint audio-visual deepfake detection, section 3.3, equations 7 to 10, figure 2e.

    Args:
        config: Its ``attention`` is none of ``none``.
        stage: From 0 to 3.
        shape: Of the pictures' feature: [channels, frames, height, width].

    Raises:
        AvfakeError: The picture cannot be cut into as many bands as there are heads.
    """

    position: Tensor

    def __init__(self, config: DetectorConfig, stage: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        channels, n_frames, height, width = shape
        self.n_heads = config.attention_heads[stage]
        if height * width % self.n_heads:
            raise AvfakeError(
                f"attention_heads={config.attention_heads} of a detector do not divide the "
                f"{height} x {width} pixels of stage {stage + 1}"
            )
        sequence = config.attention == "inter+intra" and config.inter_intra == "sequence"
        self.kind = one_then_other if sequence else ATTENTIONS[config.attention]
        self.pool_video, self.pool_audio = nn.Conv3d(channels, 1, 1), nn.Conv3d(channels, 1, 1)
        self.unpool_video, self.unpool_audio = nn.Conv3d(1, channels, 1), nn.Conv3d(1, channels, 1)
        if config.zero_unpool:
            for unpool in (self.unpool_video, self.unpool_audio):
                nn.init.zeros_(unpool.weight)
                nn.init.zeros_(unpool.bias)  # type: ignore[arg-type]
        # Tiled sound is the same in all pixels: without positions, all its queries would be multiples of one.
        n_repeats = self.n_heads if config.attention_positions == "band" else 1
        position = positional_encoding(n_frames, height * width // n_repeats).repeat(1, n_repeats)
        self.register_buffer("position", position, persistent=False)

    def forward(self, video: Tensor, audio: Tensor) -> Pair:
        """Attend.

        Args:
            video: [batch, channels, frames, height, width].
            audio: [batch, channels, frames, 1, 1].

        Returns:
            Both attended, of the size of ``video``.
        """
        flat = self.pool_video(video).flatten(3)[:, 0] + self.position
        flat_audio = self.pool_audio(audio).flatten(3)[:, 0] + self.position
        found = self.kind(flat, flat_audio, functools.partial(attend, n_heads=self.n_heads))
        from_video, from_audio = (x.view(-1, 1, *video.shape[2:]) for x in found)
        return video + self.unpool_video(from_video), audio + self.unpool_audio(from_audio)
