"""What is typed reaches the training, results go to stdout, and nothing else is said."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from avfake.cli.detector import train
from avfake.dataset.augment import Augmentation
from avfake.errors import AvfakeError
from avfake.models.config import PRESETS, changed
from avfake.training.config import TrainConfig
from tests.training.making import SETTINGS, SMALL, make_split

SMALL_WORDS = [f"--set={setting}" for setting in SETTINGS]

app = typer.Typer()
app.command()(train)


def run(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_option_reaches_the_configuration(tmp_path: Path) -> None:
    make_split(tmp_path)
    words = """--run typed --split made --preset tiny --framework late-fusion --attention none --epochs 1
        --batch-size 4 --accumulate 2 --learning-rate 0.001 --precision bf16-mixed --recompute
        --policy balanced --augment flip --augment noise=0.25 --monitor loss --patience 3 --workers 0
        --accelerator cpu --devices 1 --strategy auto --save-every 7 --seed 5 --json"""
    report = json.loads(run(*words.split(), *SMALL_WORDS, "--workspace", str(tmp_path)))
    assert (report["run"], report["n_epochs"], report["part_size"]) == ("typed", 1, 2)
    saved = json.loads((tmp_path / "runs" / "typed" / "config.json").read_text())
    wanted = TrainConfig(
        split="made",
        detector=changed(SMALL, {"framework": "late-fusion", "attention": "none"}),
        epochs=1,
        batch_size=4,
        accumulate=2,
        learning_rate=0.001,
        precision="bf16-mixed",
        recompute=True,
        policy="balanced",
        augmentation=Augmentation(flip=0.5, noise=0.25),
        monitor="loss",
        patience=3,
        accelerator="cpu",
        save_every=7,
        seed=5,
    )
    assert {name: saved[name] for name in wanted.as_json()} == wanted.as_json()


def test_the_defaults_are_those_of_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def remember(root: Path, config: TrainConfig, **rest: object) -> None:
        seen.append((root, config, rest))
        raise AvfakeError("enough")

    monkeypatch.setattr("avfake.training.fit.train", remember)
    with pytest.raises(AvfakeError, match="enough"):
        run("--run", "x", "-w", str(tmp_path))
    wanted = TrainConfig(split="balanced", detector=PRESETS["paper"])
    assert seen == [(tmp_path, wanted, {"run": "x", "kinetics": None})]


@pytest.mark.parametrize(("word", "file"), [("kinetics", None), ("./kinetics", Path("kinetics"))])
def test_pretrained_is_the_published_file_or_another(
    word: str, file: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def remember(root: Path, config: TrainConfig, *, run: str, kinetics: Path | None) -> None:
        seen.append((config.detector.pretrained, kinetics))
        raise AvfakeError("enough")

    monkeypatch.setattr("avfake.training.fit.train", remember)
    with pytest.raises(AvfakeError, match="enough"):
        run("--run", "x", "--pretrained", word, "-w", str(tmp_path))
    assert seen == [("kinetics400", file)]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("--run ../x", "run name '../x'"),
        ("--run x --split ../x", "split name '../x'"),
        ("--run x --streams-from ../x", "run name '../x'"),
        ("--run x --preset huge", "preset 'huge' is unknown"),
        ("--run x --set colour=red", "no field 'colour'"),
        ("--run x --framework triple", "framework='triple'"),
        ("--run x --epochs 0", "epochs=0"),
        ("--run x", "no split 'balanced'"),
        ("--run x --pretrained absent.pth", "no split 'balanced'"),
        ("--run x --pretrained kinetics", "no split 'balanced'"),
        ("--run x --pretrained kinetics --streams-from y", "leaves nothing of --pretrained; take one"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path: Path, words: str, text: str) -> None:
    with pytest.raises(AvfakeError, match=text) as caught:
        run(*words.split(), "-w", str(tmp_path))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.ckpt"))


def test_nothing_but_the_result_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_split(tmp_path)
    words = "--run quiet --split made --preset tiny --framework independent --epochs 1 --batch-size 4"
    said = run(*words.split(), *SMALL_WORDS, "--accelerator=cpu", "-w", str(tmp_path))
    assert said.startswith("run quiet: epoch 1 of 1 is the best\n  val AUC video ")
    assert said.endswith(f"  {tmp_path}/runs/quiet/model\n")
    assert capfd.readouterr() == ("", "")
