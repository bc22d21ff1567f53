"""Lightning's checkpoints on disk: written whole or not at all, and read without unpickling."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO

from avfake.errors import AvfakeError, one_line
from avfake.files import whole_file


class WholeCheckpoints(CheckpointIO):
    """How Lightning reads and writes its files here."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint.

        Raises:
            StorageError: The disk is full or cannot be written.
        """
        with whole_file(Path(path)) as temporary:
            _save(checkpoint, temporary)

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable[..., Any] | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read a checkpoint onto the CPU, whatever the caller asks for: tensors, numbers and text, no code.

        Raises:
            AvfakeError: It is damaged, or holds something else.
        """
        return load_checkpoint(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)


def load_checkpoint(path: Path, *, mmap: bool = False) -> dict[str, Any]:
    """Read a checkpoint.

    Args:
        path: Of the file.
        mmap: Leave its tensors on disk until they are used.

    Raises:
        AvfakeError: It is damaged, or holds something else than tensors, numbers and text.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
        found["global_step"], found["state_dict"]
    except Exception as error:  # torch's reader raises whatever its parts do
        raise AvfakeError(
            f"checkpoint {path} cannot be read: {one_line(error)}; remove it to train from the start"
        ) from error
    return dict(found)


def _save(checkpoint: dict[str, Any], path: Path) -> None:
    try:
        torch.save(checkpoint, path)
    except RuntimeError as error:  # what torch's writer makes of a full disk, without naming it
        raise OSError("the file could not be written to its end") from error
