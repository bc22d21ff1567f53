"""Processes that train and die at a chosen moment; forked, so that nothing is imported again."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avfake.training import checkpoint, fit, keeper
from avfake.training.config import TrainConfig
from avfake.training.fit import train
from avfake.training.module import DetectorModule

# By name: what is called at that moment, as the object that holds it and its name there.
MOMENTS: dict[str, tuple[Any, str]] = {
    "step": (DetectorModule, "training_step"),
    "update": (DetectorModule, "on_before_optimizer_step"),
    "val": (DetectorModule, "validation_step"),
    "checkpoint": (checkpoint, "_save"),
    "table": (keeper, "write_bytes"),
    "report": (fit, "write_bytes"),
}


def killed(root: Path, config: TrainConfig, run: str, moment: str, number: int) -> None:
    """Train in another process, which is killed by SIGKILL the n-th time that a moment comes."""
    process = multiprocessing.get_context("fork").Process(
        target=_train, args=(root, config, run, moment, number)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _train(root: Path, config: TrainConfig, run: str, moment: str, number: int) -> None:
    holder, name = MOMENTS[moment]
    setattr(holder, name, _deadly(getattr(holder, name), number))
    train(root, config, run=run)


def _deadly(function: Callable[..., Any], number: int) -> Callable[..., Any]:
    left = iter(range(number - 1, -1, -1))

    def call(*args: Any) -> Any:
        if not next(left):
            if function.__name__ == "_save":
                args[1].write_bytes(b"half of a file")
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args)

    return call
