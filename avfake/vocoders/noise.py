"""Random input of a vocoder, drawn from the clip itself."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def clip_generators(mel: Tensor) -> list[torch.Generator]:
    """One random generator per clip, seeded by the bytes of the clip's own Mel.

    The same clip always gives the same sound, whatever its neighbours in the batch and whatever ran before;
    another clip gives another sound.

    Args:
        mel: [batch, n_mels, mel_frames].

    Returns:
        One generator per clip, on the CPU, so that a GPU draws the same numbers.
    """
    clips = mel.detach().cpu().contiguous().numpy()
    digests = (hashlib.sha256(clip.tobytes()).digest() for clip in clips)
    return [torch.Generator().manual_seed(int.from_bytes(digest[:8], "little")) for digest in digests]


def clip_noise(mel: Tensor, shape: Sequence[int]) -> Tensor:
    """Standard normal noise of each clip, [batch, *shape], on the Mel's device.

    Args:
        mel: [batch, n_mels, mel_frames].
        shape: Of one clip's noise.
    """
    drawn = [torch.randn(*shape, generator=generator) for generator in clip_generators(mel)]
    return torch.stack(drawn).to(mel.device)
