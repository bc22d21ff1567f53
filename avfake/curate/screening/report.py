"""What screening says at its end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avfake.curate.screening.separation import Separation
from avfake.curate.stage import StageReport
from avfake.curate.task import Outcome


@dataclass(frozen=True)
class ScreenedCorpus:
    """What screening found in one corpus.

    Attributes:
        corpus: Its name.
        n_clips: Clips with crops and sound that could be read.
        n_scored: Of these, with a score.
        n_off_camera: Of these, whose speaker seems to be off camera.
        reasons: How many have no score, by reason.
        separation: How well the score tells a clip's own sound from others'; None for SyncNet, and where
            there is nothing to compare.
    """

    corpus: str
    n_clips: int
    n_scored: int
    n_off_camera: int
    reasons: Mapping[str, int]
    separation: Separation | None

    def __str__(self) -> str:
        without = "".join(f", {count} not: {reason}" for reason, count in self.reasons.items())
        lines = [
            f"{self.corpus}: {self.n_scored} of {self.n_clips} clips scored{without}; "
            f"the speaker of {self.n_off_camera} seems to be off camera"
        ]
        if self.separation:
            lines.append(f"  the score tells a clip's own sound from other people's with {self.separation}")
        return "\n".join(lines)


@dataclass(frozen=True)
class ScreenReport:
    """What screening found.

    Attributes:
        stages: The run over each corpus.
        corpora: The result for each.
    """

    stages: tuple[StageReport, ...]
    corpora: tuple[ScreenedCorpus, ...]

    @property
    def n_failed(self) -> int:
        """Clips whose files could not be read."""
        return sum(stage.n_failed for stage in self.stages)

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.stages, *self.corpora)))


def summarize(corpus: str, rows: Sequence[Outcome], compared: Separation | None) -> ScreenedCorpus:
    """Count what stands in the table of one corpus."""
    reasons = Counter(row["reason"] for row in rows if row["reason"] is not None)
    return ScreenedCorpus(
        corpus,
        n_clips=len(rows),
        n_scored=len(rows) - reasons.total(),
        n_off_camera=sum(row["off_camera"] or False for row in rows),
        reasons=dict(sorted(reasons.items())),
        separation=compared,
    )
