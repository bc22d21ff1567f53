from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from avfake.audio.io import SAMPLE_RATE, load_flac
from avfake.curate.fetch_audio import fetch_audio
from avfake.curate.index import index
from avfake.curate.stage import read_ledger
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from tests.dummies import speech_like, tone, write_clip


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    root = tmp_path / "clips"
    write_clip(root / "ann" / "a b ü.mp4", speech_like(2.0, 44_100), duration_s=2.0)
    write_clip(
        root / "bob.mkv", tone(440, 1.5, 48_000), sample_rate=48_000, audio_codec="flac", duration_s=1.5
    )
    return root


def test_sound_is_as_long_as_its_video_and_in_one_form(workspace: Workspace, clips: Path) -> None:
    index(workspace, "folder", clips)
    report = fetch_audio(workspace)
    assert report.n_failed == 0
    for row, length_s in zip(read_ledger(workspace.ledger("audio"), "folder"), (2.0, 1.5), strict=True):
        waveform, rate = load_flac(workspace.root / row["audio_path"])
        assert rate == row["sample_rate"] == SAMPLE_RATE
        assert len(waveform) == row["n_samples"] == round(length_s * SAMPLE_RATE)
        assert row["audio_from"] == "own"


def test_every_bad_clip_is_a_row_with_its_reason(workspace: Workspace, clips: Path) -> None:
    write_clip(clips / "mute.mp4", None)
    write_clip(clips / "silent.mp4", np.zeros(44_100, np.float32))
    write_clip(clips / "short.mp4", tone(440, 0.08, 44_100), duration_s=0.08)
    (clips / "page.mp4").write_text("<html>Sign in</html>")
    (clips / "empty.mp4").touch()
    index(workspace, "folder", clips)
    report = fetch_audio(workspace)
    (stage,) = report.stages
    assert stage.n_ok == 2
    assert stage.failures == {"corrupt": 1, "no_audio": 1, "not_media": 1, "silent": 1, "too_short": 1}
    for row in read_ledger(workspace.ledger("audio"), "folder"):
        assert row["status"] == "ok" or (row["error"] and "\n" not in row["error"])


def test_a_second_run_redoes_nothing_and_a_replaced_video_is_fetched_anew(
    workspace: Workspace, clips: Path
) -> None:
    index(workspace, "folder", clips)
    fetch_audio(workspace)
    before = pq.read_table(workspace.ledger("audio"))
    assert fetch_audio(workspace).stages[0].n_done_before == 2
    assert pq.read_table(workspace.ledger("audio")).equals(before)
    write_clip(clips / "bob.mkv", tone(220, 1.0, 48_000), sample_rate=48_000, audio_codec="flac")
    assert fetch_audio(workspace).stages[0].n_done_before == 1


def test_commands_out_of_order_say_what_comes_first(workspace: Workspace, clips: Path) -> None:
    with pytest.raises(AvfakeError, match="run avfake index first"):
        fetch_audio(workspace)
    index(workspace, "folder", clips)
    with pytest.raises(AvfakeError, match="corpus 'dfdc' is not indexed .indexed: folder.; run avfake index"):
        fetch_audio(workspace, corpora=["dfdc"])


@pytest.mark.shared
def test_real_corpora_are_fetched(workspace: Workspace, shared: Path) -> None:
    index(workspace, "dfdc", shared / "data" / "dfdc")
    assert fetch_audio(workspace, jobs=2).stages[0].n_ok == 2
