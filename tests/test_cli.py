"""Every command, end to end, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from tests.dummies import speech_like, write_clip


def avfake(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "avfake", *map(str, words)]
    environment = {key: value for key, value in os.environ.items() if key != "AVFAKE_WORKSPACE"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, each with a real and a manipulated video, taken through every command."""
    folder = tmp_path_factory.mktemp("cli")
    for number, person in enumerate(["ann", "bob", "cleo"]):
        for kind in ("real", "fake"):
            sound = speech_like(1.2, 44_100, seed=number)
            write_clip(folder / kind / person / "clip 1.mp4", sound, duration_s=1.2)
    regex = ("--identity-regex", "^([^/]+)/")
    fake = ("--name", "fake", "--video-label", "fake", "--method", "swap")
    for words in (
        ("index", "folder", "real", "--name", "real", *regex),
        ("index", "folder", "fake", *fake, *regex),
        ("fetch-audio",),
        ("vocode", "--vocoder", "all"),
        ("build-split", "--balanced"),
    ):
        result = avfake(*words, cwd=folder)
        assert result.returncode == 0, result.stderr
        assert "Traceback" not in result.stderr
    return folder


def test_the_manifest_opens_everywhere(folder: Path) -> None:
    path = folder / "avfake-data" / "splits" / "balanced" / "train.parquet"
    n_rows = pq.read_table(path).num_rows
    assert n_rows == 4
    assert len(pd.read_parquet(path)) == n_rows
    assert pl.read_parquet(path).height == n_rows
    assert duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall() == [(n_rows,)]


def test_the_quadrants_are_equal(folder: Path) -> None:
    for split in ("train", "val", "test"):
        rows = pd.read_parquet(folder / "avfake-data" / "splits" / "balanced" / f"{split}.parquet")
        assert rows.quadrant.value_counts().to_dict() == dict.fromkeys(
            ["real-real", "real-fake", "fake-real", "fake-fake"], 1
        )


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("index", "folder", "real", "--name", "real", "--identity-regex", "^([^/]+)/"), "n_rows"),
        (("fetch-audio", "real"), "stages"),
        (("vocode", "real", "--vocoder", "world"), "stages"),
        (("build-split",), "proof"),
        (("audit",), "findings"),
    ],
)
def test_json_is_one_line_per_report_on_stdout(folder: Path, words: tuple[str, ...], key: str) -> None:
    result = avfake(*words, "--json", cwd=folder)
    assert result.returncode == 0, result.stderr
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert key in reports[0]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("vocode", "--vocoder", "melgum"), 1, "melgum"),
        (("audit", "nosuch"), 1, "nosuch"),
        (("build-split", "--name", "../x"), 1, "split name '../x'"),
        (("build-split", "--per-quadrant", "99"), 1, "short"),
        (("index", "folder", "absent"), 1, "absent"),
        (("fetch-audio", "nosuch"), 1, "nosuch"),
        (("vocode", "--vocoder", "world", "--weights", "w.pt"), 1, "world has no weights"),
        (("vocode", "--vocoder", "hifigan.ljspeech-v3", "--weights", "w.pt"), 1, "w.pt does not exist"),
        (("vocode", "--vocoder", "all", "--weights", "w.pt"), 1, "belongs to one vocoder"),
        (("vocoders", "show", "melgum"), 1, "melgum"),
        (("vocoders", "download", "melgum"), 1, "melgum"),
        (("vocode",), 2, "--vocoder"),
        (("index", "filder", "real"), 2, "filder"),
        (("fetch-audio", "--jobs", "0"), 2, "jobs"),
    ],
)
def test_a_mistake_is_one_clear_line(folder: Path, words: tuple[str, ...], code: int, text: str) -> None:
    result = avfake(*words, cwd=folder)
    assert result.returncode == code
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert code == 2 or len(result.stderr.strip().splitlines()) == 1


def test_failed_clips_end_with_3_and_the_rest_is_done(tmp_path: Path) -> None:
    write_clip(tmp_path / "clips" / "good.mp4", speech_like(1.0, 44_100))
    (tmp_path / "clips" / "bad.mp4").write_text("<html>Sign in</html>")
    assert avfake("index", "folder", "clips", cwd=tmp_path).returncode == 3
    result = avfake("fetch-audio", cwd=tmp_path)
    assert result.returncode == 3
    assert "1 of 2 clips ok" in result.stdout
    assert "1 failed: not_media" in result.stdout


def test_a_workspace_that_cannot_be_written_is_one_clear_line(folder: Path) -> None:
    result = avfake("index", "folder", "real", "-w", "/proc/avfake", cwd=folder)
    assert result.returncode == 1
    assert "/proc/avfake" in result.stderr
    assert "Traceback" not in result.stderr


def test_vocoders_are_listed_shown_and_verified(tmp_path: Path) -> None:
    listed = json.loads(avfake("vocoders", "list", "--json", cwd=tmp_path).stdout)["vocoders"]
    assert {"griffin-lim", "wavernn.ljspeech-mol"} <= {vocoder["name"] for vocoder in listed}
    assert "LJSpeech" in avfake("vocoders", "show", "wavernn.ljspeech-mol", cwd=tmp_path).stdout
    assert avfake("vocoders", "verify", cwd=tmp_path).returncode == 0


def test_version_is_the_packages() -> None:
    from avfake import __version__

    assert avfake("--version", cwd=Path.cwd()).stdout.strip() == f"avfake {__version__}"
