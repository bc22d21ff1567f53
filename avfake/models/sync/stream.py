"""The sync stream: at each connected stage sound and pictures are added, and carried on."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from avfake.models.config import DetectorConfig
from avfake.models.streams.base import N_CLASSES
from avfake.models.streams.video import BasicBlock, draw_weights
from avfake.models.sync.attention import StreamAttention
from avfake.models.sync.central import CentralConnection, centred_windows, literal_windows

Shapes = Sequence[tuple[int, ...]]


class Unconnected(nn.Module):
    """A stage after which pictures and sound stay apart."""

    def forward(self, state: Tensor | None, video: Tensor, audio: Tensor) -> tuple[Tensor | None, Tensor]:
        """Hand on what came."""
        return state, video


class SyncStage(nn.Module):
    """Adds a stage's sound to its pictures, and the sum to what the stages before it made.

    Args:
        config: Its sync fields decide the parts.
        stage: From 0 to 3.
        video: Shape of the pictures' feature after each stage.
        audio: And of the sound's.
        starts: Whether this is the first connected stage.
    """

    def __init__(
        self, config: DetectorConfig, stage: int, video: Shapes, audio: Shapes, *, starts: bool
    ) -> None:
        super().__init__()
        n_video, width = video[stage][1], video[stage][0]
        strides = [-(-config.n_frames // video[0][1]), *map(_stride, video, video[1:])]
        apart = math.prod(strides[: stage + 1]) / config.n_frames
        n_in, n_audio = audio[stage]
        centred = config.connection_align == "centred"
        windows = centred_windows(n_audio, n_video, apart) if centred else literal_windows(n_audio, n_video)
        self.connection = CentralConnection(config, n_in, width, n_video, windows)
        self.attention = StreamAttention(config, stage, video[stage]) if config.attention != "none" else None
        self.block: nn.Module
        if not starts:
            self.block = BasicBlock(video[stage - 1][0], width, strides[stage])
        else:
            self.block = BasicBlock(width, width) if config.sync_start == "block" else nn.Identity()
        self.block.apply(draw_weights)

    def forward(self, state: Tensor | None, video: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Go one stage on.

        Args:
            state: What the stage before made; None at the first.
            video: [batch, channels, frames, height, width].
            audio: [batch, channels, time].

        Returns:
            The new state, of the size of ``video``, and the attended pictures.
        """
        paced = self.connection(audio)
        if self.attention is not None:
            video, paced = self.attention(video, paced)
        fused = video + paced
        return (self.block(fused) if state is None else self.block(state) + fused), video


class SyncStream(nn.Module):
    """The four stages, and the head of the whole clip.

    Reference:
        Zhou and Lim, 2021, Joint audio-visual deepfake detection, section 3.2.

    Args:
        config: Its ``connect`` names the connected stages.
        video: Shape of the pictures' feature after each stage: [channels, frames, height, width].
        audio: And of the sound's: [channels, time].
    """

    def __init__(self, config: DetectorConfig, video: Shapes, audio: Shapes) -> None:
        super().__init__()
        first = int(config.connect[0]) - 1
        self.stages = nn.ModuleList(
            Unconnected() if stage < first else SyncStage(config, stage, video, audio, starts=stage == first)
            for stage in range(4)
        )
        self.fc = nn.Linear(video[-1][0], N_CLASSES)
        self.fc.apply(draw_weights)

    def head(self, state: Tensor) -> Tensor:
        """[batch, channels, frames, height, width] -> logits [batch, 2]."""
        logits: Tensor = self.fc(state.mean(dim=(2, 3, 4)))
        return logits


def _stride(before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """Stride of a stage, in time and in space alike.

    Raises:
        ValueError: No one stride makes of each axis what the stage makes of it.
    """
    sizes = list(zip(before[1:], after[1:], strict=True))
    stride = max(-(-n_before // n_after) for n_before, n_after in sizes)
    if any(-(-n_before // stride) != n_after for n_before, n_after in sizes):
        raise ValueError(f"no single stride takes a video stage from {before} to {after}")
    return stride
