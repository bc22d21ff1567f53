"""The folder of a run: where each file lies, whose configuration it is, and who may write there now."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avfake.errors import AvfakeError, one_line
from avfake.files import hold, write_bytes
from avfake.training.config import differences


@dataclass(frozen=True)
class RunFolder:
    """What a run is kept in.

    Attributes:
        path: Of the folder; made on first use.
    """

    path: Path

    @property
    def last(self) -> Path:
        """Checkpoint that the run goes on from."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def best(self) -> Path:
        """Checkpoint of the best epoch."""
        return self.path / "checkpoints" / "best.ckpt"

    @property
    def model(self) -> Path:
        """Folder of the best epoch's detector, as ``load_detector`` takes it."""
        return self.path / "model"

    @property
    def table(self) -> Path:
        """One line per epoch."""
        return self.path / "metrics.csv"

    @property
    def report(self) -> Path:
        """What came of the run; there is none until it has finished."""
        return self.path / "metrics.json"

    @property
    def config(self) -> Path:
        """All that decides the run."""
        return self.path / "config.json"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for one process.

        Raises:
            AvfakeError: Another process holds it.
            StorageError: The folder cannot be written.
        """
        busy = f"another avfake train is writing to {self.path}; wait for it or choose another --run"
        with hold(self.path / ".lock", busy=busy):
            yield

    def refuse_others(self, facts: Mapping[str, Any]) -> None:
        """Look whether what was trained here so far is this run.

        Args:
            facts: All that decides it.

        Raises:
            AvfakeError: It is another one.
        """
        begun = self.last.exists() or self.report.exists()
        if begun and (wrong := differences(read_json(self.config), facts)):
            raise AvfakeError(
                f"run {self.path.name} was started with {', '.join(wrong)}; "
                "use the same settings, or another --run"
            )

    def settle(self, facts: Mapping[str, Any]) -> None:
        """Write down what decides the run.

        Raises:
            StorageError: The folder cannot be written.
        """
        write_bytes(self.config, (json.dumps(facts, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """What a file of the run says.

    Raises:
        AvfakeError: It cannot be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AvfakeError(f"{path} cannot be read: {one_line(error)}; choose another --run") from error
    if not isinstance(found, dict):
        raise AvfakeError(f"{path} holds no facts about a run; choose another --run")
    return found
