"""The two-plus-one detector: a third stream in which sound and pictures meet stage by stage."""

from typing import Any, ClassVar

from torch import Tensor

from avfake.models.config import DetectorConfig
from avfake.models.frameworks.base import Detector, Logits
from avfake.models.sync.stream import SyncStream


class TwoPlusOne(Detector):
    """Video and audio stream, and the sync stream that joins them.

    Reference:
        Zhou and Lim, 2021, Joint audio-visual deepfake detection, sections 3.2 and 3.3.

    Attributes:
        sync: The third stream.
    """

    framework: ClassVar[str] = "two-plus-one"

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        self.sync = SyncStream(config, self.video_shapes, self.audio_shapes)

    def forward(self, video: Tensor, audio: Tensor) -> Logits:
        """Judge a batch of clips."""
        v, a = self.stems(video, audio)
        s: Any = None  # until the first connected stage
        stages = zip(self.video.stages, self.audio.stages, self.sync.stages, strict=True)
        for video_stage, audio_stage, sync_stage in stages:
            v, a = self.run(video_stage, v), self.run(audio_stage, a)
            s, attended = self.run(sync_stage, s, v, a)
            v = attended if self.config.attended_video == "both" else v
        return Logits(self.video.head(v), self.audio.head(a), self.sync.head(s))
