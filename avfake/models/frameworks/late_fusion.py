"""Two streams whose last features are added."""

from typing import ClassVar

from torch import Tensor, nn

from avfake.errors import AvfakeError
from avfake.models.config import DetectorConfig
from avfake.models.frameworks.base import Detector, Logits
from avfake.models.streams.base import N_CLASSES
from avfake.models.streams.video import draw_weights


class LateFusion(Detector):
    """Both streams to their end; the means of their features are added, and a third head judges the sum.

    Reference:
        Zhou and Lim, 2021, Joint audio-visual deepfake detection, section 3.1.

    Raises:
        AvfakeError: The streams end with different numbers of channels.
    """

    framework: ClassVar[str] = "late-fusion"

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        width, audio_width = self.video_shapes[-1][0], self.audio_shapes[-1][0]
        if width != audio_width:
            raise AvfakeError(
                f"late fusion adds the last features: pictures have {width} channels, sound {audio_width}; "
                "make the last of video_widths and audio_widths equal"
            )
        self.fc = nn.Linear(width, N_CLASSES)
        self.fc.apply(draw_weights)

    def forward(self, video: Tensor, audio: Tensor) -> Logits:
        """Judge a batch of clips."""
        v, a = self.stems(video, audio)
        for video_stage, audio_stage in zip(self.video.stages, self.audio.stages, strict=True):
            v, a = self.run(video_stage, v), self.run(audio_stage, a)
        fused = v.mean(dim=(2, 3, 4)) + a.mean(dim=2)
        return Logits(self.video.head(v), self.audio.head(a), self.fc(fused))
