"""A run learns, can be stopped anywhere at no cost, is never mixed with another, and fails in one line."""

import hashlib
import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from avfake.errors import AvfakeError, StorageError
from avfake.manifest.table import write_rows
from avfake.models import transfer
from avfake.models.build import build_model, load_detector
from avfake.models.config import PRESETS, DetectorConfig
from avfake.training.config import TrainConfig, augmentation, detector_config
from avfake.training.fit import train
from avfake.training.keeper import Keeper
from avfake.training.module import DetectorModule
from tests.training.killing import killed
from tests.training.making import SECONDS, SMALL, make_split, quick, write_part
from tests.weights_server import serve

THOROUGH = quick(accumulate=2, save_every=1, augmentation=augmentation(["flip", "noise"]))


def outcome(root: Path, run: str) -> dict[str, bytes]:
    """What a run came to, bit for bit."""
    names = ("model/model.safetensors", "model/config.json", "metrics.csv")
    return {name: (root / "runs" / run / name).read_bytes() for name in names}


def curves(root: Path, run: str) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a run."""
    events = EventAccumulator(str(root / "runs" / run / "tensorboard"))
    events.Reload()
    return {name: [(at.step, at.value) for at in events.Scalars(name)] for name in events.Tags()["scalars"]}


@pytest.fixture(scope="session")
def undisturbed(root: Path) -> dict[str, bytes]:
    train(root, THOROUGH, run="undisturbed")
    return outcome(root, "undisturbed")


@pytest.mark.parametrize(
    ("detector", "n_clips", "learning_rate"),
    [
        (SMALL, 4, 0.01),
        pytest.param(replace(PRESETS["tiny"], window_s=SECONDS), 16, 0.003, marks=pytest.mark.slow),
    ],
)
def test_a_few_clips_are_learnt_by_heart(
    tmp_path: Path, detector: DetectorConfig, n_clips: int, learning_rate: float
) -> None:
    split = make_split(tmp_path, n_train=n_clips // 4)
    rows = pq.read_table(split / "train.parquet").to_pylist()
    write_part(split, "val", rows)
    often = [{**row, "sample_id": f"{row['sample_id']}/{n}"} for row in rows for n in range(10)]
    write_part(split, "train", often)
    config = quick(
        detector,
        epochs=5,
        batch_size=n_clips,
        learning_rate=learning_rate,
        save_every=100,
        patience=0,
        monitor="loss",
    )
    report = train(str(tmp_path), config, run="heart")
    best = report.history[report.best_epoch - 1]
    assert [best[f"val_balanced_accuracy_{head}"] for head in ("video", "audio", "whole")] == [1, 1, 1]
    assert load_detector(Path(report.model)).config == detector


def test_a_run_killed_anywhere_ends_as_if_it_had_not_been(root: Path, undisturbed: dict[str, bytes]) -> None:
    """One run, killed in the middle of a batch, of an epoch's saving and of its last words."""
    for moment, number in (("step", 4), ("checkpoint", 2), ("table", 1), ("report", 2)):
        killed(root, THOROUGH, "killed", moment, number)
    assert not (root / "runs" / "killed" / "metrics.json").exists()
    train(root, THOROUGH, run="killed")
    assert outcome(root, "killed") == undisturbed
    assert curves(root, "killed") == curves(root, "undisturbed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "number"),
    [
        *(("step", number) for number in range(1, 9)),
        ("update", 2),
        *(("val", number) for number in (1, 2)),
        *(("checkpoint", number) for number in range(1, 5)),
        *(("table", number) for number in (1, 2)),
        *(("report", number) for number in (1, 2)),
    ],
)
@pytest.mark.parametrize("save_every", [1, 2])
def test_every_single_kill_costs_nothing(
    root: Path, undisturbed: dict[str, bytes], moment: str, number: int, save_every: int
) -> None:
    config, run = replace(THOROUGH, save_every=save_every), f"{moment}{number}-{save_every}"
    killed(root, config, run, moment, number)
    train(root, config, run=run)
    assert outcome(root, run) == undisturbed


@pytest.mark.slow
def test_workers_change_nothing(root: Path, undisturbed: dict[str, bytes]) -> None:
    train(root, replace(THOROUGH, workers=2), run="workers")
    assert outcome(root, "workers") == undisturbed


def test_an_interrupted_run_says_from_where_it_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = DetectorModule.training_step

    def interrupted(self: DetectorModule, batch: Any, batch_idx: int) -> torch.Tensor:
        if self.global_step == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    monkeypatch.setattr(DetectorModule, "training_step", interrupted)
    before = signal.getsignal(signal.SIGINT), torch.are_deterministic_algorithms_enabled()
    with pytest.raises(
        AvfakeError, match="run interrupted: interrupted; the same command goes on from step 1"
    ):
        train(root, quick(), run="interrupted")
    assert (signal.getsignal(signal.SIGINT), torch.are_deterministic_algorithms_enabled()) == before


def test_a_finished_run_is_left_alone(root: Path, undisturbed: dict[str, bytes]) -> None:
    folder = root / "runs" / "undisturbed"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != ".lock"}
    again = train(root, replace(THOROUGH, workers=1, save_every=50), run="undisturbed")
    assert again.finished_before
    assert "finished before, nothing was done" in str(again)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != ".lock"} == before
    stored = json.loads((folder / "metrics.json").read_text())
    assert stored["history"] == again.history
    assert stored["versions"]["torch"] == torch.__version__
    assert [epoch["step"] for epoch in again.history] == [2, 4]


def test_another_configuration_under_the_same_name_is_refused(
    root: Path, undisturbed: dict[str, bytes]
) -> None:
    other = replace(THOROUGH, seed=1, detector=replace(SMALL, attention="joint"))
    with pytest.raises(
        AvfakeError, match=r'was started with attention="inter" \(now "joint"\), seed=0 \(now 1\)'
    ):
        train(root, other, run="undisturbed")


def test_a_split_that_was_built_anew_is_another_configuration(
    root: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    shutil.copytree(root, tmp_path / "data")
    path = tmp_path / "data" / "splits" / "made" / "train.parquet"
    table = pq.read_table(path)
    write_rows(path, table.to_pylist(), table.schema, {"build": "second"})
    with pytest.raises(AvfakeError, match=r'split_build="first" \(now "second"\)'):
        train(tmp_path / "data", THOROUGH, run="undisturbed")


def test_what_failed_before_its_first_checkpoint_binds_nobody(root: Path) -> None:
    with pytest.raises(AvfakeError, match="batch_size=12"):
        train(root, quick(batch_size=12), run="retried")
    with pytest.raises(AvfakeError, match="step 1 is not finite"):
        train(root, quick(epochs=1, loss_weights=(1e39, 1.0, 1.0)), run="retried")
    assert train(root, quick(epochs=1), run="retried").n_epochs == 1


def test_a_checkpoint_of_another_configuration_is_one_clear_line(
    root: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    config = quick(replace(SMALL, video_widths=(4, 4, 4, 8)), epochs=2)
    killed(root, config, "foreign", "step", 2)
    checkpoint = root / "runs" / "foreign" / "checkpoints" / "last.ckpt"
    assert checkpoint.exists()
    shutil.copy(root / "runs" / "undisturbed" / "checkpoints" / "last.ckpt", checkpoint)
    with pytest.raises(AvfakeError, match=r"foreign/checkpoints/last\.ckpt .*of another detector") as caught:
        train(root, config, run="foreign")
    assert "\n" not in str(caught.value)


def test_a_loss_that_explodes_stops_the_run_and_names_its_clips(root: Path) -> None:
    with pytest.raises(AvfakeError, match=r"of step 2 is not finite; its clips are made/.*, made/") as caught:
        train(root, quick(learning_rate=1e30), run="exploded")
    assert str(caught.value).count("made/train") == 4
    folder = root / "runs" / "exploded"
    assert not (folder / "metrics.json").exists()
    kept = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["global_step"] == 1
    assert all(weights.isfinite().all() for weights in kept["state_dict"].values())


def test_a_crop_that_breaks_under_way_is_named(root: Path, tmp_path: Path) -> None:
    make_split(tmp_path)
    broken = sorted((tmp_path / "faces" / "made").glob("val*.avi"))[0]
    broken.write_bytes(broken.read_bytes()[:1000])
    with pytest.raises(
        AvfakeError, match=rf"sample made/{broken.stem}/world of corpus made: .*{broken.name}"
    ):
        train(tmp_path, quick(), run="broken")


def test_early_stopping_ends_a_run_for_good(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = quick(epochs=9, patience=1, learning_rate=1e-9, monitor="auc_video", save_every=9)
    killed(root, config, "early", "report", 1)
    begun = []
    monkeypatch.setattr(Keeper, "on_train_epoch_start", lambda *args: begun.append(args))
    report = train(root, config, run="early")
    assert not begun
    assert report.n_epochs < 9
    assert "stopped early" in str(report)


def test_streams_of_an_earlier_run_are_taken_and_can_be_frozen(root: Path) -> None:
    alone = train(root, quick(replace(SMALL, framework="independent"), epochs=1), run="alone")
    config = quick(replace(SMALL, freeze_streams=True), epochs=1, streams_from="alone")
    joined = train(root, config, run="joined")
    before, after = (load_detector(Path(report.model)).state_dict() for report in (alone, joined))
    assert {key for key in after if key.startswith(("video.", "audio."))} == before.keys()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    with pytest.raises(AvfakeError, match=r"alone/model .* streams are others: waveform_level is 'kept'"):
        other = detector_config("tiny", [], **{**vars(SMALL), "waveform_level": "peak"})
        train(root, quick(other, streams_from="alone"), run="misfit")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"accelerator": "gpu"}, "torch sees no GPU here; take --accelerator cpu"),
        ({"strategy": "magic"}, "strategy='magic' cannot be had"),
        ({"split": "nosuch"}, "no split 'nosuch'"),
        ({"streams_from": "nosuch"}, "weights .*nosuch.* cannot be read"),
    ],
)
def test_what_is_not_there_is_one_clear_line(root: Path, changes: dict[str, Any], text: str) -> None:
    if changes.get("accelerator") == "gpu" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(AvfakeError, match=text) as caught:
        train(root, quick(**changes), run="absent")
    assert "\n" not in str(caught.value)


def test_weights_of_kinetics_that_do_not_fit_are_one_clear_line(root: Path, tmp_path: Path) -> None:
    torch.save(build_model("tiny").get_submodule("video").state_dict(), tmp_path / "kinetics.pth")
    with pytest.raises(AvfakeError, match=r"kinetics.pth do not fit"):
        train(root, quick(), run="kinetics", kinetics=tmp_path / "kinetics.pth")


def test_the_published_weights_of_kinetics_are_fetched_and_noted(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(build_model(SMALL).get_submodule("video").state_dict(), tmp_path / "w.pth")
    data = (tmp_path / "w.pth").read_bytes()
    monkeypatch.setenv("AVFAKE_CACHE", str(tmp_path / "cache"))
    with serve(data) as server:
        record = transfer.KINETICS._replace(url=f"{server.url}/plain", sha256_start="", fits=SMALL)
        monkeypatch.setattr(transfer, "KINETICS", record)
        config = quick(replace(SMALL, pretrained="kinetics400"), epochs=1)
        train(root, config, run="published")
        assert len(server.asked) == 1
    saved = json.loads((root / "runs" / "published" / "config.json").read_text())
    assert saved["begun_with_sha256"] == hashlib.sha256(data).hexdigest()
    train(root, quick(epochs=1), run="given", kinetics=tmp_path / "w.pth")
    assert outcome(root, "given") == outcome(root, "published")


def test_a_full_disk_is_one_clear_line(root: Path) -> None:
    folder = root / "runs" / "full" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / ".last.ckpt.tmp").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"cannot write .*last.ckpt: .*free some space"):
        train(root, quick(), run="full")
    assert list(folder.iterdir()) == []


def test_bf16_trains(root: Path) -> None:
    report = train(root, quick(precision="bf16-mixed", recompute=True, epochs=1), run="bf16")
    assert 0 < report.history[0]["train_loss"] < 3
    weights = load_detector(Path(report.model)).state_dict().values()
    assert {value.dtype for value in weights} == {torch.float32, torch.int64}


def test_a_config_is_saved_whole(root: Path, undisturbed: dict[str, bytes]) -> None:
    saved = json.loads((root / "runs" / "undisturbed" / "config.json").read_text())
    assert saved.keys() == TrainConfig(split="x").as_json().keys() | {"split_build", "begun_with_sha256"}
