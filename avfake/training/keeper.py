"""What a run leaves behind as it goes: checkpoints, the best model, the table of epochs, and when to stop."""

from collections.abc import Mapping
from statistics import median
from time import perf_counter
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from avfake.dataset.loader import Batch
from avfake.files import write_bytes
from avfake.training.config import TrainConfig
from avfake.training.history import as_csv, best_epoch, is_over
from avfake.training.module import DetectorModule
from avfake.training.run_folder import RunFolder


class Keeper(Checkpoint):
    """Saves a run so that killing it at any moment loses nothing but time.

    Lightning's own callbacks for checkpoints and early stopping do not know after resuming that training was
    over, and forget what they compared with.

    Args:
        folder: Of the run.
        config: How it is trained.

    Attributes:
        history: One row per finished epoch.
        step_s: Seconds of each step in this process, from batch to batch.
    """

    def __init__(self, folder: RunFolder, config: TrainConfig) -> None:
        self.history: list[dict[str, float]] = []
        self.step_s: list[float] = []
        self._folder = folder
        self._config = config
        self._started_s: float | None = None

    @property
    def seconds_per_step(self) -> float | None:
        """Median over the steps of this process; None without one."""
        return median(self.step_s) if self.step_s else None

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {"history": [dict(epoch) for epoch in self.history]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.history = [dict(epoch) for epoch in state_dict["history"]]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop at once where a run was killed between its end and its report."""
        trainer.should_stop = self._is_over()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock anew, for what came before was no step."""
        self._started_s = perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Save a checkpoint every so many steps, never with gradients of half a batch, which it has not."""
        if (batch_idx + 1) % self._config.accumulate:
            return
        now_s = perf_counter()
        if self._started_s is not None:
            self.step_s.append(now_s - self._started_s)
        self._started_s = now_s
        is_last = batch_idx + 1 == trainer.num_training_batches  # whose epoch's end saves one
        if trainer.global_step % self._config.save_every == 0 and not is_last:
            trainer.save_checkpoint(self._folder.last)
            self._started_s = perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the epoch to the table, and save: what resuming starts from comes last."""
        assert isinstance(pl_module, DetectorModule)
        self.history.append(_row(trainer, pl_module))
        if best_epoch(self.history, self._config.monitor) == len(self.history) - 1:
            trainer.save_checkpoint(self._folder.best)
            if trainer.is_global_zero:
                pl_module.detector.save_pretrained(self._folder.model)
        if trainer.is_global_zero:
            write_bytes(self._folder.table, as_csv(self.history))
        trainer.save_checkpoint(self._folder.last)
        trainer.should_stop = self._is_over()

    def _is_over(self) -> bool:
        return is_over(self.history, self._config.monitor, patience=self._config.patience)


def _row(trainer: pl.Trainer, module: DetectorModule) -> dict[str, float]:
    return {
        "epoch": trainer.current_epoch + 1,
        "step": trainer.global_step,
        **{f"train_{name}": value for name, value in module.train_losses.items()},
        **{f"val_{name}": value for name, value in module.val_results.items()},
    }
