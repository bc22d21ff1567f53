"""What a training runs on: Lightning's trainer as avfake wants it, and what stops it in plain words."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.accelerators import CPUAccelerator
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from avfake.accelerator import find_device
from avfake.errors import AvfakeError, StorageError, one_line
from avfake.training.bar import Bar
from avfake.training.checkpoint import WholeCheckpoints, load_checkpoint
from avfake.training.config import TrainConfig
from avfake.training.keeper import Keeper
from avfake.training.run_folder import RunFolder


def is_first_process() -> bool:
    """Whether this process speaks for all that train together."""
    return getattr(rank_zero_only, "rank", 0) == 0


def build_trainer(folder: RunFolder, config: TrainConfig, keeper: Keeper, *, first_step: int) -> pl.Trainer:
    """Lightning's trainer of a run.

    Args:
        folder: Of the run.
        config: How it is trained.
        keeper: That saves it.
        first_step: That it goes on with; what TensorBoard was told of later ones is taken back.

    Raises:
        AvfakeError: The machine lacks what is asked for.
    """
    on_gpu = find_device(config.accelerator).type == "cuda"
    events = TensorBoardLogger(
        folder.path, name=None, version="tensorboard", default_hp_metric=False, purge_step=first_step
    )
    try:
        return pl.Trainer(
            accelerator="gpu" if on_gpu else "cpu",
            devices=config.devices,
            strategy=config.strategy,
            precision=config.precision,
            accumulate_grad_batches=config.accumulate,
            max_epochs=config.epochs,
            logger=events,
            log_every_n_steps=1,
            callbacks=[Bar(), keeper],
            plugins=[WholeCheckpoints()],
            default_root_dir=folder.path,
            benchmark=on_gpu,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # avfake's samplers share the rows themselves
            enable_progress_bar=False,
            enable_model_summary=False,
        )
    except (MisconfigurationException, ValueError) as error:
        raise AvfakeError(
            f"devices={config.devices} with strategy={config.strategy!r} cannot be had: {one_line(error)}"
        ) from error


@contextmanager
def exactly(trainer: pl.Trainer) -> Iterator[None]:
    """On the CPU, refuse what would not give the same bits again."""
    memory: Any = torch.utils.deterministic  # a module with a property, which its types leave out
    before = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(isinstance(trainer.accelerator, CPUAccelerator))
    memory.fill_uninitialized_memory = False  # with NaN, before it is written; a step takes 6 % longer by it
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        memory.fill_uninitialized_memory = before[1]


@contextmanager
def mendable(folder: RunFolder, config: TrainConfig) -> Iterator[None]:
    """Say in one line what stopped a training, and from where the same command goes on.

    Raises:
        AvfakeError: It was interrupted, memory was too little, or a worker died.
        StorageError: The disk is full or read-only.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:  # Lightning leaves the process for Ctrl-C and SIGTERM
        step = load_checkpoint(folder.last, mmap=True)["global_step"] if folder.last.exists() else 0
        raise AvfakeError(
            f"run {folder.path.name}: interrupted; the same command goes on from step {step}"
        ) from error
    except torch.OutOfMemoryError as error:
        raise AvfakeError(
            f"{config.part_size} clips at a time are too many for the GPU's memory; take a larger "
            "--accumulate, --precision bf16-mixed or --recompute"
        ) from error
    except OSError as error:
        raise StorageError(
            f"cannot write {folder.path}: {error.strerror or error}; free some space"
        ) from error
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise AvfakeError(
            f"a worker that reads clips died; take fewer --workers: {one_line(error)}"
        ) from error


def describe(trainer: pl.Trainer) -> dict[str, Any]:
    """What a training took place on."""
    on_gpu = not isinstance(trainer.accelerator, CPUAccelerator)
    name = torch.cuda.get_device_name() if on_gpu else platform.processor() or platform.machine()
    return {"device": name, "devices": trainer.world_size, "threads": torch.get_num_threads()}
