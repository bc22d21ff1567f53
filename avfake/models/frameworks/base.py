"""What a detector is, whatever its framework: two streams, and logits for each and for the whole clip."""

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from avfake.errors import AvfakeError
from avfake.models.config import DetectorConfig
from avfake.models.pretrained import load_weights, read_config, save_weights
from avfake.models.streams.audio import AUDIO_STREAMS
from avfake.models.streams.base import Stream, check_stages, stage_shapes
from avfake.models.streams.video import VIDEO_STREAMS

# torch.compile takes no context that changes a module, so what is computed twice stays as it is.
_checkpoint: Callable[..., Any] = torch.compiler.disable(checkpoint)  # type: ignore[no-untyped-call]


class Probabilities(NamedTuple):
    """How likely each is fake, [batch], from 0 to 1; ``whole`` means that something in the clip is."""

    video: Tensor
    audio: Tensor
    whole: Tensor


class Logits(NamedTuple):
    """What a detector says of a batch of clips, each [batch, 2]: real, fake.

    ``sync`` is about the clip as a whole; None where the framework has no such head.
    """

    video: Tensor
    audio: Tensor
    sync: Tensor | None = None

    def probabilities(self) -> Probabilities:
        """Softmax of each; without a sync head, the whole is as fake as the more suspicious of the two.

        That maximum passes a threshold exactly when one of the two heads does.
        """
        video, audio = _fake(self.video), _fake(self.audio)
        return Probabilities(
            video, audio, torch.maximum(video, audio) if self.sync is None else _fake(self.sync)
        )


class Detector(nn.Module):
    """Two streams, and what a framework makes of them.

    Args:
        config: Decides everything; its ``framework`` is the class's own.

    Raises:
        AvfakeError: The configuration names an unknown stream.
        ValueError: It is another framework's, or a stream does not fit.

    Attributes:
        framework: Key of ``FRAMEWORKS``.
        config: As it came.
        video: Stream of the pictures.
        audio: Stream of the sound.
        video_shapes: [channels, frames, height, width] after each stage.
        audio_shapes: [channels, time] after each stage.
        recompute: Whether training keeps what goes in and out of each stage alone, and computes the rest
            again for the gradients: a fraction of the memory for a third more time, the same numbers.
    """

    framework: ClassVar[str]

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        if config.framework != self.framework:
            raise ValueError(f"framework={config.framework!r} is not {self.framework!r}, which this class is")
        self.config = config
        self.recompute = False
        self.video = _find(VIDEO_STREAMS, config.video_stream, "video")(config)
        self.audio = _find(AUDIO_STREAMS, config.audio_stream, "audio")(config)
        self.video_shapes = stage_shapes(self.video, self.clip_shapes[0])
        self.audio_shapes = stage_shapes(self.audio, self.clip_shapes[1])
        check_stages(self.video_shapes, config.video_stream, 4)
        check_stages(self.audio_shapes, config.audio_stream, 2)
        for stream in self._streams():
            stream.requires_grad_(not config.freeze_streams)

    @property
    def clip_shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Size of one clip's pictures and sound: [3, frames, height, width] and [time]."""
        side = self.config.picture_size
        return (3, self.config.n_frames, side, side), (self.config.n_samples,)

    def forward(self, video: Tensor, audio: Tensor) -> Logits:
        """Judge a batch of clips.

        Args:
            video: [batch, 3, frames, height, width], in [0, 1].
            audio: [batch, time], in [-1, 1].
        """
        raise NotImplementedError

    def train(self, mode: bool = True) -> Self:
        """As every module's, but frozen streams keep to what their batch-norms know."""
        super().train(mode)
        if self.config.freeze_streams:
            for stream in self._streams():
                stream.eval()
        return self

    def stems(self, video: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """What both stems make of clips of the right size.

        Raises:
            ValueError: The clips have another size.
        """
        for name, clips, wanted in zip(("video", "audio"), (video, audio), self.clip_shapes, strict=True):
            if clips.shape[1:] != wanted:
                raise ValueError(f"{name} is {list(clips.shape)}; wanted [batch, {str(list(wanted))[1:-1]}]")
        return self.run(self.video.stem, video), self.run(self.audio.stem, audio)

    def run(self, stage: nn.Module, *features: Any) -> Any:
        """What a stage makes of its input; computed twice in training if ``recompute`` says so."""
        if not (self.recompute and self.training and torch.is_grad_enabled()):
            return stage(*features)
        again = functools.partial(_recomputing, stage)
        return _checkpoint(stage, *features, use_reentrant=False, context_fn=again)

    def save_pretrained(self, folder: Path | str) -> None:
        """Write ``model.safetensors`` and ``config.json`` into a folder, each whole or not at all.

        Raises:
            StorageError: The folder cannot be written.
        """
        save_weights(self, self.config, Path(folder))

    @classmethod
    def from_pretrained(cls, folder: Path | str) -> Self:
        """The detector that ``save_pretrained`` wrote, in evaluation mode.

        Raises:
            AvfakeError: The folder holds none, a damaged one, or one of another framework.
        """
        folder = Path(folder)
        config = read_config(folder)
        if config.framework != cls.framework:
            raise AvfakeError(
                f"{folder} holds a detector {config.framework}, not {cls.framework}; take load_detector"
            )
        model = cls(config)
        load_weights(model, config, folder)
        return model.eval()

    def _streams(self) -> list[nn.Module]:
        return [cast(nn.Module, stream) for stream in (self.video, self.audio)]


def _fake(logits: Tensor) -> Tensor:
    return logits.float().softmax(dim=1)[:, 1]


def _find(streams: dict[str, Callable[[DetectorConfig], Stream]], name: str, kind: str) -> Any:
    if name not in streams:
        raise AvfakeError(f"{kind} stream {name!r} is unknown; choose one of {', '.join(streams)}")
    return streams[name]


def _recomputing(stage: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Contexts of the two times a stage runs: the second one is not for its statistics."""
    return nullcontext(), _statistics_kept(stage)


@contextmanager
def _statistics_kept(stage: nn.Module) -> Iterator[None]:
    """Batch-norms in training use their batch's statistics and leave the running ones alone."""
    norms = [norm for norm in stage.modules() if isinstance(norm, nn.modules.batchnorm._BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, n_batches) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, n_batches
