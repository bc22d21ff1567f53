"""``avfake train``: a detector learns a split, and goes on to the exact step wherever it was stopped."""

import json
import logging
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from avfake.errors import AvfakeError, one_line
from avfake.files import sha256_of, write_bytes
from avfake.manifest.table import read_metadata
from avfake.models.build import build_model
from avfake.models.pretrained import WEIGHTS
from avfake.models.transfer import fetch_kinetics, load_streams
from avfake.training.checkpoint import load_checkpoint
from avfake.training.config import TrainConfig
from avfake.training.data import ClipData, Tables, read_tables
from avfake.training.history import as_csv, best_epoch
from avfake.training.keeper import Keeper
from avfake.training.machine import build_trainer, describe, exactly, is_first_process, mendable
from avfake.training.module import DetectorModule
from avfake.training.quiet import quietly
from avfake.training.report import TrainReport, versions
from avfake.training.run_folder import RunFolder, read_json
from avfake.weights import misfits

logger = logging.getLogger("avfake")


def train(
    root: Path | str, config: TrainConfig, *, run: str, kinetics: Path | str | None = None
) -> TrainReport:
    """Train a detector on a split; go on where an earlier call of the same run was stopped.

    On the CPU the result is the same bit for bit, however often it was stopped and whatever the number of
    workers; with another number of threads, or on a GPU, the last bits may differ.

    Args:
        root: Data root (workspace): splits are found, and runs are kept, under it.
        config: All that decides the result.
        run: Name of the run.
        kinetics: File of Kinetics-400 weights that the video stream begins with; without one, a detector with
            ``pretrained="kinetics400"`` takes the published file, which is downloaded once.

    Raises:
        AvfakeError: The split cannot be trained on, the run is another one's, something asked for is not
            there, a loss is not finite, or training was interrupted; the last checkpoint stays.
        StorageError: The disk is full or read-only.
    """
    root, kinetics = Path(root), None if kinetics is None else Path(kinetics)
    if kinetics is not None:
        config = replace(config, detector=replace(config.detector, pretrained="kinetics400"))
    split, folder = root / "splits" / config.split, RunFolder(root / "runs" / run)
    with quietly(), folder.lock() if is_first_process() else nullcontext():
        facts = _facts(root, config, split, kinetics)
        folder.refuse_others(facts)
        if folder.report.exists():
            return _finished(folder)
        tables = read_tables(split, root)
        data = ClipData(tables, root, config)
        module = _module(root, config, tables, kinetics)
        if is_first_process():
            folder.settle(facts)
        return _fit(folder, config, module, data)


def _facts(root: Path, config: TrainConfig, split: Path, kinetics: Path | None) -> dict[str, Any]:
    """All that decides a run: its configuration, and what files of others hold."""
    if not split.is_dir():
        raise AvfakeError(f"there is no split {split.name!r} in {split.parent}; run avfake build-split first")
    if kinetics is None and config.detector.pretrained == "kinetics400":
        kinetics = fetch_kinetics(config.detector)
    begun_with = kinetics or (config.streams_from and root / "runs" / config.streams_from / "model" / WEIGHTS)
    try:
        begun_sha256 = sha256_of(Path(begun_with)) if begun_with else None
    except OSError as error:
        raise AvfakeError(f"weights {begun_with} cannot be read: {one_line(error)}") from error
    build = read_metadata(split / "train.parquet").get("build")
    return {**config.as_json(), "split_build": build, "begun_with_sha256": begun_sha256}


def _module(root: Path, config: TrainConfig, tables: Tables, kinetics: Path | None) -> DetectorModule:
    torch.manual_seed(config.seed)
    detector = build_model(config.detector, kinetics=kinetics).train()
    if config.streams_from is not None:
        load_streams(detector, root / "runs" / config.streams_from / "model")
    detector.recompute = config.recompute
    return DetectorModule(detector, config, n_val=tables.val.num_rows)


def _fit(folder: RunFolder, config: TrainConfig, module: DetectorModule, data: ClipData) -> TrainReport:
    keeper = Keeper(folder, config)
    step = _step_so_far(folder, module) if folder.last.exists() else None
    trainer = build_trainer(folder, config, keeper, first_step=step or 0)
    if config.part_size < config.batch_size:
        logger.info(
            "batch-norm statistics are those of %d clips, not of %d", config.part_size, config.batch_size
        )
    with mendable(folder, config), exactly(trainer):
        trainer.fit(module, data, ckpt_path=folder.last if step else None, weights_only=True)
    report = _report(folder, config, keeper, trainer)
    if is_first_process():
        write_bytes(
            folder.table, as_csv(keeper.history)
        )  # anew, if killed between it and the last checkpoint
        write_bytes(folder.report, (json.dumps(report.as_json(), indent=2) + "\n").encode())
    return report


def _step_so_far(folder: RunFolder, module: DetectorModule) -> int:
    """The step that a run goes on from."""
    checkpoint = load_checkpoint(folder.last, mmap=True)
    if wrong := misfits(module, checkpoint["state_dict"]):
        raise AvfakeError(
            f"checkpoint {folder.last} is of another detector: {wrong[0]}, and {len(wrong) - 1} more such "
            "differences; remove it to train from the start, or choose another --run"
        )
    step: int = checkpoint["global_step"]
    return step


def _report(folder: RunFolder, config: TrainConfig, keeper: Keeper, trainer: pl.Trainer) -> TrainReport:
    return TrainReport(
        run=folder.path.name,
        model=folder.model.as_posix(),
        best_epoch=best_epoch(keeper.history, config.monitor) + 1,
        n_epochs=len(keeper.history),
        n_epochs_wanted=config.epochs,
        history=keeper.history,
        batch_size=config.batch_size,
        part_size=config.part_size,
        seconds_per_step=keeper.seconds_per_step,
        hardware=describe(trainer),
        versions=versions(),
    )


def _finished(folder: RunFolder) -> TrainReport:
    try:
        return TrainReport(**read_json(folder.report), model=folder.model.as_posix(), finished_before=True)
    except TypeError as error:
        raise AvfakeError(f"{folder.report} is of another version of avfake; choose another --run") from error
