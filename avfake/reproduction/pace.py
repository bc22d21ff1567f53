"""How long a step takes, as finished runs of the workspace measured it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from avfake.models.config import STREAM_FIELDS
from avfake.training.config import TrainConfig

_OUTSIDE = ("batch_size", "accumulate", "precision", "recompute")  # of the detector


@dataclass(frozen=True)
class Pace:
    """How fast a finished run was, and what decided that.

    Attributes:
        config: All that decided the run.
        seconds_per_step: Of its training.
    """

    config: Mapping[str, Any]
    seconds_per_step: float


def find_paces(root: Path) -> Iterator[Pace]:
    """The pace of each finished run of a workspace."""
    for path in sorted((root / "runs").glob("*/metrics.json")):
        try:
            config, report = (json.loads(p.read_text()) for p in (path.with_name("config.json"), path))
            if report["seconds_per_step"] is not None and isinstance(config["detector"], dict):
                yield Pace(config, float(report["seconds_per_step"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of another version, or being written: an estimate can do without


def seconds_per_step(config: TrainConfig, paces: Sequence[Pace]) -> float | None:
    """Of finished runs with such streams and batches: those of the same detector, or else of any."""
    wanted = config.as_json()
    alike = [
        pace
        for pace in paces
        if _agree(pace.config, wanted, _OUTSIDE)
        and _agree(pace.config["detector"], wanted["detector"], STREAM_FIELDS)
    ]
    same = [pace for pace in alike if pace.config["detector"] == wanted["detector"]]
    return median(pace.seconds_per_step for pace in same or alike) if alike else None


def _agree(found: Mapping[str, Any], wanted: Mapping[str, Any], names: Sequence[str]) -> bool:
    return all(found.get(name) == wanted[name] for name in names)
