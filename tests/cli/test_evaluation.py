"""Both commands, as a person types them."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from avfake.cli.evaluation import evaluate, predict
from avfake.errors import AvfakeError
from tests.dummies import speech_like
from tests.evaluation.filming import SOUND_RATE, film_face, small_detector
from tests.training.making import make_split

app = typer.Typer()
for command in (evaluate, predict):
    app.command()(command)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    make_split(root, n_train=1)
    small_detector().save_pretrained(root / "runs" / "first" / "model")
    return root


def test_evaluate_prints_tables_then_what_is_there(root: Path) -> None:
    words = ["evaluate", "first", "--split", "made", "--workspace", str(root)]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith(
        "Run first on test of split made: 4 rows of 1 identity group, the first 1 s of each"
    )
    again = CliRunner().invoke(app, [*words, "--json"])
    report = json.loads(again.stdout)
    assert report["finished_before"]
    assert report["summary"]["n_samples"] == 4


def test_predict_prints_a_line_per_file_and_ends_with_3_if_one_is_broken(root: Path, tmp_path: Path) -> None:
    video = film_face(tmp_path / "talk.mp4", 6, speech_like(0.6, SOUND_RATE))
    broken = tmp_path / "page.mp4"
    broken.write_text("<html>Sign in</html>")
    words = ["predict", str(video), str(broken), "--model", str(root / "runs/first/model")]
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")])
    assert result.exit_code == 3, result.output
    assert f"{video}: " in result.stdout
    assert f"{broken}: not judged: it is a web page" in result.stdout
    names = {"talk.mp4.json", "talk.mp4.png", "page.mp4.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 3
    predictions = json.loads(result.stdout)["predictions"]
    assert [prediction["status"] for prediction in predictions] == ["ok", "failed"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["evaluate", "../x"], "run name '../x'"),
        (["evaluate", "first", "--split", "../x"], "split name '../x'"),
        (["predict", "a.mp4", "--model", "absent"], "absent holds no detector"),
    ],
)
def test_a_mistake_is_one_line(root: Path, words: list[str], text: str) -> None:
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, AvfakeError)
    assert text in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize(
    "words", [["evaluate"], ["predict"], ["predict", "a.mp4"], ["evaluate", "a", "--part", "b"]]
)
def test_a_wrong_command_line_ends_with_2(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2
