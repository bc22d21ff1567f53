"""The rules of every vocoded file, held on real files of a workspace; and that kills cost nothing."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from avfake.accelerator import Accelerator
from avfake.audio.align import measure_lag
from avfake.audio.io import load_flac
from avfake.audio.measure import active_speech, edge_silence, loudness_db
from avfake.cli import fakes
from avfake.curate import vocode as stage
from avfake.curate.fetch_audio import fetch_audio
from avfake.curate.index import index
from avfake.curate.stage import read_ledger
from avfake.curate.vocode import vocode
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.vocoders.base import Vocoder
from avfake.vocoders.registry import load_vocoder
from tests.dummies import speech_like, write_clip


@pytest.fixture
def fetched(workspace: Workspace, tmp_path: Path) -> Workspace:
    for number in range(3):
        sound = speech_like(1.5 + 0.3 * number, 44_100, seed=number)
        write_clip(tmp_path / "clips" / f"{number}.mp4", sound, duration_s=1.5 + 0.3 * number)
    index(workspace, "folder", tmp_path / "clips")
    fetch_audio(workspace)
    return workspace


def digests(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_fakes_differ_from_their_sources_in_nothing_trivial(fetched: Workspace) -> None:
    report = vocode(fetched, vocoders=["all"])
    assert report.n_failed == 0
    sources = {row["clip_id"]: row for row in read_ledger(fetched.ledger("audio"), "folder")}
    for name in ("griffin-lim", "world"):
        rows = read_ledger(fetched.ledger("vocoded"), f"{name}-folder")
        assert [row["clip_id"] for row in rows] == sorted(sources)
        for row in rows:
            fake, rate = load_flac(fetched.root / row["audio_path"])
            source, _ = load_flac(fetched.root / sources[row["clip_id"]]["audio_path"])
            speech = active_speech(source, rate)
            assert row["source_sha256"] == sources[row["clip_id"]]["audio_sha256"]
            assert len(fake) == len(source)
            assert not np.array_equal(fake, source)
            assert abs(measure_lag(source, fake, rate) or 0.0) <= 1e-3
            assert loudness_db(fake, speech) == pytest.approx(loudness_db(source, speech), abs=1.1)
            assert edge_silence(fake, rate) == pytest.approx(edge_silence(source, rate), abs=0.05)
            assert abs(fake.mean()) < 1e-4


def test_blur_is_drawn_per_clip_and_stored(fetched: Workspace) -> None:
    vocode(fetched, vocoders=["griffin-lim"], blur=1.0)
    sigmas = [row["blur_time_sigma"] for row in read_ledger(fetched.ledger("vocoded"), "griffin-lim-folder")]
    assert len(set(sigmas)) == 3
    assert min(sigmas) > 0


def test_without_blur_the_row_says_zero(fetched: Workspace) -> None:
    vocode(fetched, vocoders=["griffin-lim"], blur=0.0)
    rows = read_ledger(fetched.ledger("vocoded"), "griffin-lim-folder")
    assert {(row["blur_time_sigma"], row["blur_mel_sigma"]) for row in rows} == {(0.0, 0.0)}


def test_jobs_change_no_byte(fetched: Workspace, tmp_path: Path) -> None:
    vocode(fetched, vocoders=["all"], jobs=2)
    both = digests(fetched.root)
    vocode(fetched, vocoders=["all"], jobs=1, retry="all")
    assert digests(fetched.root) == both


def test_another_blur_is_not_mixed_in_silence(fetched: Workspace) -> None:
    vocode(fetched, vocoders=["griffin-lim"], blur=0.0)
    with pytest.raises(AvfakeError, match="made earlier with blur=.*--retry all"):
        vocode(fetched, vocoders=["griffin-lim"], blur=1.0)


def test_unknown_names_are_answered_with_the_known_ones(fetched: Workspace) -> None:
    with pytest.raises(AvfakeError, match="griffin-lim"):
        vocode(fetched, vocoders=["melgum"])
    with pytest.raises(AvfakeError, match="not indexed|no fetched sound"):
        vocode(fetched, vocoders=["world"], corpora=["dfdc"])


def test_a_gpu_that_is_not_there_is_refused_before_any_work(
    fetched: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(AvfakeError, match="--accelerator gpu: torch sees no GPU"):
        vocode(fetched, vocoders=["melgan.embedded"], accelerator="gpu")
    assert not read_ledger(fetched.ledger("vocoded"), "melgan.embedded-folder")


def test_the_device_that_is_typed_reaches_the_network_and_may_change(
    fetched: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def load(name: str, weights: Path | bool, accelerator: Accelerator) -> Vocoder:
        asked.append(accelerator)
        return load_vocoder(name, weights, "cpu")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(stage, "load_vocoder", load)
    app = typer.Typer()
    app.command()(fakes.vocode)
    words = ["--vocoder", "melgan.embedded", "--jobs", "1", "--workspace", str(fetched.root), "--json"]
    for accelerator in ("gpu", "auto"):
        said = CliRunner().invoke(app, [*words, "--accelerator", accelerator])
        assert said.exit_code == 0, said.output
    assert asked == ["cpu", "gpu", "cpu"]  # to see that it loads, to work, and to see that it loads
    assert json.loads(said.stdout)["stages"][0]["n_done_before"] == 3


def test_nothing_fetched_says_what_comes_first(workspace: Workspace) -> None:
    with pytest.raises(AvfakeError, match="run avfake fetch-audio first"):
        vocode(workspace, vocoders=["world"])


@pytest.mark.slow
@pytest.mark.shared
def test_kill_9_at_random_moments_changes_no_byte(workspace: Workspace, shared: Path) -> None:
    """Twenty kills of the real command on real clips, then an undisturbed run beside it."""
    folders = [path for path in sorted((shared / "data" / "talking").iterdir()) if path.is_dir()]
    clips = max(folders, key=lambda folder: len(list(folder.iterdir())))  # more than one shard
    index(workspace, "folder", clips)
    fetch_audio(workspace, jobs=2)
    command = [sys.executable, "-m", "avfake", "vocode", "--vocoder", "all", "-w", str(workspace.root)]
    moments = random.Random(0)
    n_killed = 0
    for _ in range(20):
        process = subprocess.Popen([*command, "--jobs", "2"], stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(5.0, 14.0))  # before and after shards that finish
        if process.poll() is None:
            n_killed += 1
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*command, "--jobs", "2"], check=True)
    disturbed = digests(workspace.root)
    subprocess.run([*command, "--jobs", "2", "--retry", "all"], check=True)
    assert n_killed > 0
    assert digests(workspace.root) == disturbed
