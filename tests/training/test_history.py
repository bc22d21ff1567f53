"""The best epoch, and when to stop: both follow from the table of epochs alone."""

import csv
import io

import pytest

from avfake.training.history import as_csv, best_epoch, is_over


def epochs(*results: tuple[float, float]) -> list[dict[str, float]]:
    return [{"epoch": n, "val_auc_whole": auc, "val_loss": loss} for n, (auc, loss) in enumerate(results, 1)]


@pytest.mark.parametrize(
    ("results", "best"),
    [
        ([(0.5, 0.7)], 0),
        ([(0.5, 0.7), (0.9, 0.9), (0.8, 0.1)], 1),
        ([(1.0, 0.7), (1.0, 0.2), (1.0, 0.3)], 1),  # few clips make equal AUCs: the loss decides
        ([(1.0, 0.2), (1.0, 0.2)], 0),
    ],
)
def test_the_best_epoch_is_the_highest_then_the_surest_then_the_first(
    results: list[tuple[float, float]], best: int
) -> None:
    assert best_epoch(epochs(*results), "auc_whole") == best


def test_of_losses_the_lowest_is_best() -> None:
    assert best_epoch(epochs((0.9, 0.5), (0.1, 0.3), (1.0, 0.4)), "loss") == 1


def test_training_is_over_when_as_many_epochs_as_patience_were_no_better() -> None:
    history = epochs((0.5, 0.7), (0.9, 0.9), (0.8, 0.1), (0.9, 1.0))
    assert [is_over(history[:n], "auc_whole", patience=2) for n in range(5)] == [False] * 4 + [True]
    assert not is_over(history, "auc_whole", patience=3)
    assert not is_over(history, "auc_whole", patience=0)


def test_the_table_reads_back_exactly() -> None:
    history = epochs((1 / 3, 0.1 + 0.2))
    rows = [{name: float(value) for name, value in row.items()} for row in _read(as_csv(history))]
    assert rows == history


def _read(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode())))
