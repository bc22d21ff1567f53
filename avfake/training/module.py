"""One step of training, and the judgement of an epoch on val, as Lightning wants them."""

import logging
from collections.abc import Mapping
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional

from avfake.dataset.clips import Labels
from avfake.dataset.draws import number_for
from avfake.dataset.loader import Batch, scale_pictures
from avfake.errors import AvfakeError
from avfake.evaluation.scores import HEADS
from avfake.models.frameworks.base import Detector, Logits
from avfake.training.config import TrainConfig
from avfake.training.judgement import judge

_SHOWN = 8  # clips that a message names
logger = logging.getLogger("avfake")


class DetectorModule(pl.LightningModule):
    """A detector, its loss and its optimizer.

    Args:
        detector: What is trained.
        config: How.
        n_val: Rows of val.

    Attributes:
        detector: As it came.
        train_losses: Mean over the epoch so far, by name.
        val_results: Of the last epoch that val judged, by name.
    """

    def __init__(self, detector: Detector, config: TrainConfig, *, n_val: int) -> None:
        super().__init__()
        self.detector = detector
        self.val_results: dict[str, float] = {}
        self._config = config
        self._n_val = n_val
        self._sums = [0.0] * (1 + len(HEADS))
        self._n_parts = 0
        self._judged: list[Tensor] = []
        self._sample_ids: list[str] = []

    @property
    def train_losses(self) -> dict[str, float]:
        """Mean losses of the epoch so far: the weighted sum, and each head's own."""
        return {name: total / self._n_parts for name, total in zip(self._names, self._sums, strict=False)}

    @property
    def _names(self) -> list[str]:
        heads = HEADS if self.detector.framework != "independent" else HEADS[:2]
        return ["loss", *(f"loss_{head}" for head in heads)]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over what is not frozen."""
        learning = [parameter for parameter in self.detector.parameters() if parameter.requires_grad]
        return torch.optim.Adam(learning, lr=self._config.learning_rate)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Draw whatever a layer draws from what the batch is, not from what was drawn before it."""
        key = (self._config.seed, "layers", self.current_epoch, batch_idx, self.global_rank)
        torch.manual_seed(number_for(*key))
        if batch_idx == 0:
            self._sums, self._n_parts = [0.0] * len(self._sums), 0
        if batch_idx % self._config.accumulate == 0:
            self._sample_ids = []
        self._sample_ids += batch.sample_ids

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The weighted loss of a batch.

        Raises:
            AvfakeError: It is NaN or infinite.
        """
        losses = self._losses(self._logits(batch), batch.labels).mean(dim=1)
        loss = self._weighted(losses)
        found = self.trainer.strategy.reduce(torch.stack([loss, *losses]).detach(), reduce_op="mean")
        values = dict(zip(self._names, found.tolist(), strict=True))
        if not found.isfinite().all():
            raise self._not_finite("loss")
        for place, value in enumerate(values.values()):
            self._sums[place] += value
        self._n_parts += 1
        self.log_dict({f"train/{name}": value for name, value in values.items()}, batch_size=len(batch.audio))
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Look at the gradients before they change the weights.

        Raises:
            AvfakeError: One is NaN or infinite.
        """
        gradients = [
            p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None
        ]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not norm.isfinite():
            raise self._not_finite("gradient")
        self.log("train/gradient_norm", norm)

    def on_validation_epoch_start(self) -> None:
        """Forget the epoch before."""
        self._judged = []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Judge a batch of val."""
        logits = self._logits(batch)
        losses = self._losses(logits, batch.labels)
        values = [*logits.probabilities(), *batch.labels, *losses]
        self._judged.append(torch.stack([value.float() for value in values], dim=1))

    def on_validation_epoch_end(self) -> None:
        """Bring the judgements of all devices together, in the order of the rows.

        Raises:
            AvfakeError: One is NaN.
        """
        found = torch.cat(self._judged)
        if self.trainer.world_size > 1:  # rows were dealt in turn, the first ones again where they ran out
            found = cast(Tensor, self.all_gather(found)).transpose(0, 1).reshape(-1, found.shape[1])
        found = found[: self._n_val].double().cpu()
        losses = found[:, 2 * len(HEADS) :].mean(dim=0)
        means = torch.stack([self._weighted(losses), *losses]).tolist()
        self.val_results = {
            **dict(zip(self._names, means, strict=True)),
            **judge(found[:, : 2 * len(HEADS)].numpy()),
        }
        self.log_dict({f"val/{name}": value for name, value in self.val_results.items()})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the losses of an epoch that is not over."""
        checkpoint["losses"] = {"sums": list(self._sums), "n_parts": self._n_parts}

    def on_load_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Go on with them."""
        losses = checkpoint["losses"]
        self._sums, self._n_parts = list(losses["sums"]), losses["n_parts"]

    def _logits(self, batch: Batch) -> Logits:
        logits: Logits = self.detector(scale_pictures(batch.video), batch.audio)
        return logits

    def _losses(self, logits: Logits, labels: Labels) -> Tensor:
        """Cross-entropies of each head that there is, [heads, batch]."""
        pairs = zip(logits, labels, strict=True)
        return torch.stack(
            [functional.cross_entropy(x.float(), y, reduction="none") for x, y in pairs if x is not None]
        )

    def _weighted(self, losses: Tensor) -> Tensor:
        weights = losses.new_tensor(self._config.loss_weights[: len(losses)])
        return (weights * losses).sum()

    def _not_finite(self, what: str) -> AvfakeError:
        logger.info("clips of this step: %s", ", ".join(self._sample_ids))
        shown = ", ".join(self._sample_ids[:_SHOWN])
        more = f" and {len(self._sample_ids) - _SHOWN} more" if len(self._sample_ids) > _SHOWN else ""
        return AvfakeError(
            f"the {what} of step {self.global_step + 1} is not finite; its clips are {shown}{more}; look at "
            "them, or train under another --run with a lower --learning-rate; the last checkpoint is kept"
        )
