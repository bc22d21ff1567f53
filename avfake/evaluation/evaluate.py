"""``avfake evaluate``: a trained detector on a part of a split, and what its scores are worth."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from avfake import __version__
from avfake.accelerator import Accelerator, find_device
from avfake.dataset.check import check_split
from avfake.dataset.clips import ClipDataset
from avfake.dataset.loader import ClipLoader, build_loader
from avfake.dataset.sliding import Aggregation
from avfake.errors import AvfakeError
from avfake.evaluation.inference import (
    Windows,
    join_windows,
    judge,
    refuse_hop,
    refuse_other_clips,
    whole_by,
)
from avfake.evaluation.pages import as_text, latex_page, markdown_page
from avfake.evaluation.result_folder import PAGE, PICTURE, RESULT, SCORES, TABLES, new_folder, read_result
from avfake.evaluation.scores import HEADS, Scores, make_scores, save_scores
from avfake.evaluation.summary import Summary, summarise
from avfake.files import sha256_of, write_bytes
from avfake.manifest.validate import read_split
from avfake.models.build import load_detector
from avfake.models.config import DetectorConfig
from avfake.models.pretrained import WEIGHTS
from avfake.progress import track
from avfake.reporting.reliability import draw_reliability

Part = Literal["train", "val", "test"]


@dataclass(frozen=True)
class EvaluationReport:
    """What an evaluation found.

    Attributes:
        folder: Where scores, metrics, tables and the picture lie.
        summary: All metrics, as ``summarise`` gives them, and what they were made from.
        finished_before: Nothing had to be done.
        n_failed: Always 0: an evaluation that fails raises instead.
    """

    folder: str
    summary: Summary
    finished_before: bool = False
    n_failed: int = field(default=0)

    def __str__(self) -> str:
        lines = [as_text(self.summary), f"  {self.folder}"]
        if self.finished_before:
            lines.append("  finished before, nothing was done")
        return "\n".join(lines)


def evaluate(
    root: Path | str,
    run: str,
    split: str,
    *,
    part: Part = "test",
    hop_s: float | None = None,
    aggregation: Aggregation = "mean",
    batch_size: int = 16,
    workers: int = 0,
    accelerator: Accelerator = "auto",
    seed: int = 0,
) -> EvaluationReport:
    """Judge every row of a part of a split, and measure how well.

    A second call finds the result of the first one, unless the detector or the split has changed. On one
    machine the same call gives the same bytes; with another batch size, number of threads or device, the last
    bits of a probability may differ.

    Args:
        root: Data root (workspace): runs and splits are found under it.
        run: Name of the run whose detector is judged.
        split: Name of the split.
        part: Of it.
        hop_s: Judge windows so far apart, in seconds, and join their probabilities; by default the first
            window of each row alone, as in the paper.
        aggregation: How windows are joined.
        batch_size: Windows at a time.
        workers: Processes that read clips.
        accelerator: What the detector runs on.
        seed: Of the bootstrap behind the intervals.

    Raises:
        AvfakeError: There is no such run or split, its rows lack crops or sound, or the detector was made for
            other clips.
        StorageError: The disk is full or read-only.
    """
    root = Path(root)
    model, table = root / "runs" / run / "model", root / "splits" / split / f"{part}.parquet"
    facts = {
        "run": run,
        "split": split,
        "part": part,
        "hop_s": hop_s,
        "aggregation": None if hop_s is None else aggregation,
        "seed": seed,
        "detector_sha256": _sha256(model / WEIGHTS, f"run {run!r} has no trained detector", "avfake train"),
        "split_sha256": _sha256(table, f"split {split!r} has no {part}", "avfake build-split"),
        "avfake_version": __version__,
    }
    sliding = "" if hop_s is None else f"-hop{hop_s:g}s-{aggregation}"
    folder = root / "runs" / run / "evaluation" / f"{split}-{part}{sliding}"
    if found := read_result(folder, facts):
        return EvaluationReport(str(folder), found, finished_before=True)
    with new_folder(folder) as filling:
        detector, device = load_detector(model), find_device(accelerator)
        dataset = _open_clips(table, root, detector.config, hop_s)
        loader = build_loader(dataset, batch_size=batch_size, n_workers=workers)
        by = whole_by(detector)
        windows = judge(detector, _shown(loader), device)
        p = join_windows(windows, dataset.windows[:, 0], aggregation, by)
        scores = make_scores(dataset.table, p[:, 0], p[:, 1], p[:, 2] if by == "head" else None)
        summary = {**facts, "window_s": detector.config.window_s, **summarise(scores, seed=seed)}
        _write(filling, scores, facts, summary)
    return EvaluationReport(str(folder), summary)


def _sha256(path: Path, lacking: str, command: str) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise AvfakeError(
            f"{lacking}: {path} cannot be read ({error.strerror}); run {command} first"
        ) from error


def _open_clips(path: Path, root: Path, config: DetectorConfig, hop_s: float | None) -> ClipDataset:
    """Windows of a part of a split.

    Raises:
        AvfakeError: Its rows cannot be judged by such a detector, or as asked.
    """
    refuse_other_clips(config)
    if hop_s is not None:
        refuse_hop(hop_s, config)
    table = read_split(path, root, check_files=False)
    if not table.num_rows:
        raise AvfakeError(f"{path} has no rows; build the split with more clips")
    if table["faces_path"].null_count == table.num_rows:
        raise AvfakeError(f"{path} has no face crops; run avfake faces, then avfake build-split again")
    check_split(table, root)
    dataset = ClipDataset(table, root, window_frames=config.n_frames, hop_s=hop_s)
    if hop_s is not None and len(dataset) == table.num_rows:
        raise AvfakeError(
            f"no row of {path} lasts longer than the detector's window of {config.window_s} s; "
            "leave out --hop, or build the split with a longer --window"
        )
    return dataset


def _shown(loader: ClipLoader) -> Iterator[Windows]:
    """Batches of a loader, with their progress."""
    with track("evaluate", total=len(loader)) as advance:
        for batch in loader:
            yield Windows(batch.video, batch.audio)
            advance(1)


def _write(folder: Path, scores: Scores, facts: Mapping[str, Any], summary: Summary) -> None:
    """All that is kept of an evaluation."""
    folder.mkdir()
    save_scores(folder / SCORES, scores, facts)
    write_bytes(folder / PAGE, markdown_page(summary).encode())
    write_bytes(folder / TABLES, latex_page(summary).encode())
    draw_reliability(folder / PICTURE, {str(head): summary["heads"][head]["reliability"] for head in HEADS})
    write_bytes(folder / RESULT, (json.dumps(summary, indent=1) + "\n").encode())
