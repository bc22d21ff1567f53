"""Two processes that share each batch come to one model, and val is judged as one would."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from avfake.dataset.clips import ClipDataset
from avfake.dataset.loader import build_loader, scale_pictures
from avfake.manifest.validate import read_split
from avfake.models.build import load_detector
from tests.training.making import SETTINGS, SMALL, make_split


@pytest.mark.slow
def test_two_processes_share_each_batch(tmp_path: Path) -> None:
    split = make_split(tmp_path / "avfake-data")
    settings = [f"--set={setting}" for setting in SETTINGS]
    command = ["train", "--run=pair", "--split=made", "--preset=tiny", *settings, "--epochs=1"]
    options = ["--batch-size=4", "--devices=2", "--strategy=ddp", "--accelerator=cpu"]
    result = subprocess.run(
        [sys.executable, "-m", "avfake", *command, *options], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.count("run pair: epoch 1 of 1") == 1  # one process speaks for both
    assert "batch-norm saw 2 of a step's 4 clips at a time" in result.stdout
    run = tmp_path / "avfake-data" / "runs" / "pair"
    with (run / "metrics.csv").open() as file:
        (epoch,) = csv.DictReader(file)
    assert epoch["step"] == "2"
    losses = judged_by_one(split, load_detector(run / "model"))
    for name, loss in losses.items():
        assert float(epoch[f"val_loss_{name}"]) == pytest.approx(loss, rel=1e-5)


@torch.no_grad()
def judged_by_one(split: Path, detector: torch.nn.Module) -> dict[str, float]:
    root = split.parents[1]
    table = read_split(split / "val.parquet", root)
    (batch,) = build_loader(ClipDataset(table, root, window_frames=SMALL.n_frames), batch_size=8)
    logits = detector(scale_pictures(batch.video), batch.audio)
    losses = [cross_entropy(x, y).item() for x, y in zip(logits, batch.labels, strict=True)]
    return dict(zip(("video", "audio", "whole"), losses, strict=True))
