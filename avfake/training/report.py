"""What came of a run."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

import torch

from avfake import __version__
from avfake.evaluation.scores import HEADS
from avfake.training.history import Epoch

_OF_A_COMMAND = ("model", "finished_before", "n_failed")


@dataclass(frozen=True)
class TrainReport:
    """What came of a run.

    Attributes:
        run: Its name.
        model: Folder of the best epoch's detector.
        best_epoch: From 1.
        n_epochs: That were trained.
        n_epochs_wanted: That there would have been without stopping early.
        history: One row per epoch.
        batch_size: Clips of a step.
        part_size: Clips that batch-norm saw at a time.
        seconds_per_step: Median of the process that finished the run; None where that took no step.
        hardware: What it ran on.
        versions: Of what it ran with.
        finished_before: Nothing had to be done.
        n_failed: Always 0: a run that fails raises instead.
    """

    run: str
    model: str
    best_epoch: int
    n_epochs: int
    n_epochs_wanted: int
    history: Sequence[Epoch]
    batch_size: int
    part_size: int
    seconds_per_step: float | None
    hardware: Mapping[str, Any]
    versions: Mapping[str, str]
    finished_before: bool = False
    n_failed: int = field(default=0)

    def as_json(self) -> dict[str, Any]:
        """As it is stored: without what holds for one command, or one place, alone."""
        return {name: value for name, value in asdict(self).items() if name not in _OF_A_COMMAND}

    def __str__(self) -> str:
        best = self.history[self.best_epoch - 1]
        early = ", stopped early" if self.n_epochs < self.n_epochs_wanted else ""
        lines = [
            f"run {self.run}: epoch {self.best_epoch} of {self.n_epochs} is the best{early}",
            "  val AUC " + "  ".join(f"{head} {best[f'val_auc_{head}']:.4f}" for head in HEADS),
            "  val balanced accuracy "
            + "  ".join(f"{head} {best[f'val_balanced_accuracy_{head}']:.4f}" for head in HEADS),
        ]
        if self.seconds_per_step is not None:
            lines.append(f"  {self.seconds_per_step:.2f} s per step of {self.batch_size} clips")
        if self.part_size < self.batch_size:
            lines.append(f"  batch-norm saw {self.part_size} of a step's {self.batch_size} clips at a time")
        lines.append(f"  {self.model}")
        if self.finished_before:
            lines.append("  finished before, nothing was done")
        return "\n".join(lines)


def versions() -> dict[str, str]:
    """Of what decides on the last bits of a result."""
    return {
        "avfake": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "pytorch-lightning": metadata.version("pytorch-lightning"),
    }
