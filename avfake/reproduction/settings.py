"""How the detectors of a recipe are trained."""

from dataclasses import dataclass, replace
from typing import Any

from avfake.accelerator import Accelerator
from avfake.reproduction.experiments import DETECTORS, Row
from avfake.training.config import Precision, TrainConfig, detector_config

PRESETS: dict[str, dict[str, Any]] = {  # what a training differs in from the defaults
    "paper": {},
    "tiny": {"epochs": 5, "batch_size": 8},
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the detectors of a recipe are trained, where it is not as the preset says.

    Attributes:
        preset: Of the detector and its training.
        fields: ``field=value`` each, other fields of every detector.
        epochs: At most so many.
        batch_size: Clips of a step.
        accumulate: Parts that a batch is cut into.
        precision: Of most of a step.
        recompute: Less memory for more time.
        accelerator: What training and evaluation run on.
        workers: Processes that read clips.
        label: Begins the names of runs and results; by default the preset.
    """

    preset: str = "paper"
    fields: tuple[str, ...] = ()
    epochs: int | None = None
    batch_size: int | None = None
    accumulate: int = 1
    precision: Precision = "32-true"
    recompute: bool = False
    accelerator: Accelerator = "auto"
    workers: int = 0
    label: str | None = None

    def config(self, split: str, row: Row, seed: int, streams_from: str | None) -> TrainConfig:
        """The training of one detector.

        Raises:
            AvfakeError: The preset or a field is unknown, or a value is impossible.
        """
        detector = detector_config(self.preset, self.fields, **DETECTORS[row.detector])
        if row.frozen:  # its streams are those of another run, whatever these began with
            detector = replace(detector, freeze_streams=True, pretrained="none")
        given: dict[str, Any] = {"epochs": self.epochs, "batch_size": self.batch_size}
        return TrainConfig(
            split=split,
            detector=detector,
            streams_from=streams_from,
            seed=seed,
            accumulate=self.accumulate,
            precision=self.precision,
            recompute=self.recompute,
            accelerator=self.accelerator,
            workers=self.workers,
            **(PRESETS[self.preset] | {name: value for name, value in given.items() if value is not None}),
        )
