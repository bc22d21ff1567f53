"""What each epoch came to: the table that decides on the best one and on stopping; checkpoints hold it."""

import csv
import io
from collections.abc import Mapping, Sequence

from avfake.training.config import Monitor

Epoch = Mapping[str, float]  # a row of metrics.csv


def best_epoch(history: Sequence[Epoch], monitor: Monitor) -> int:
    """Place of the best epoch so far.

    Of epochs that are equal, as few clips make many, the one with the lower loss on val is better; then the
    earlier one.

    Args:
        history: At least one epoch.
        monitor: What decides: higher is better, save for a loss.
    """
    sign = -1 if monitor == "loss" else 1
    keys = [(sign * epoch[f"val_{monitor}"], -epoch["val_loss"]) for epoch in history]
    return keys.index(max(keys))


def is_over(history: Sequence[Epoch], monitor: Monitor, *, patience: int) -> bool:
    """Whether the last ``patience`` epochs were no better than one before them; never with 0."""
    return bool(history and patience) and len(history) - 1 - best_epoch(history, monitor) >= patience


def as_csv(history: Sequence[Epoch]) -> bytes:
    """The table, one line per epoch; numbers as exact as they are."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue().encode()
