"""Two detectors that know nothing of each other."""

from typing import ClassVar

from torch import Tensor

from avfake.models.frameworks.base import Detector, Logits


class Independent(Detector):
    """Each stream for itself; the whole clip is fake when one of them says so.

    Reference:
        Zhou and Lim, 2021, Joint audio-visual deepfake detection, section 3.1.
    """

    framework: ClassVar[str] = "independent"

    def forward(self, video: Tensor, audio: Tensor) -> Logits:
        """Judge a batch of clips; there are no logits of the whole."""
        v, a = self.stems(video, audio)
        for video_stage, audio_stage in zip(self.video.stages, self.audio.stages, strict=True):
            v, a = self.run(video_stage, v), self.run(audio_stage, a)
        return Logits(self.video.head(v), self.audio.head(a))
