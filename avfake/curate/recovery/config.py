"""The choices of a user who recovers the sound of FaceForensics++."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from avfake.curate.recovery.donor import ReenactmentAudio
from avfake.curate.recovery.download import CrawlConfig
from avfake.errors import AvfakeError

Align = Literal["auto", "frames", "visual", "none"]


@dataclass(frozen=True)
class RecoveryConfig:
    """How sound is recovered.

    Attributes:
        align: How a clip is found in its upload: by frame list, by its pictures, or (``auto``) by the list
            and, where there is none or it does not fit, by the pictures. ``none``, the whole track, is
            refused.
        frame_lists: Folder of the frame lists; by default looked for beside the videos.
        audio_from_dir: Folder of uploads the user has; nothing is fetched then.
        reenactment_audio: Whose sound reenactments get.
        crawl: How uploads are fetched.

    Raises:
        AvfakeError: A folder does not exist.
    """

    align: Align = "auto"
    frame_lists: Path | None = None
    audio_from_dir: Path | None = None
    reenactment_audio: ReenactmentAudio = "target"
    crawl: CrawlConfig = field(default_factory=CrawlConfig)

    def __post_init__(self) -> None:
        for option, folder in (
            ("--frame-lists", self.frame_lists),
            ("--audio-from-dir", self.audio_from_dir),
        ):
            if folder is not None and not folder.is_dir():
                raise AvfakeError(f"{option} {folder} is no folder")
