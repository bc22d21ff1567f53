"""A small FaceForensics++, its uploads on a loopback server, and the real yt-dlp: sound out of nothing."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from avfake.audio.io import SAMPLE_RATE, load_flac
from avfake.curate.fetch_audio import fetch_audio
from avfake.curate.index import index
from avfake.curate.recovery.config import RecoveryConfig
from avfake.curate.recovery.download import CrawlConfig
from avfake.curate.stage import read_ledger
from avfake.curate.task import Outcome
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from tests.ffpp_world import QUICK, World, build_world, generated_takes
from tests.loopback import Loopback

STREAMS = ("sound.m4a", "pictures.mp4", "silence.m4a")
DELETED = "-9Gg5zdX7nU"  # upload of sequence 003


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    takes = list(generated_takes(12, 0))
    return build_world(tmp_path_factory.mktemp("world"), takes, QUICK[:2], streams=STREAMS)


@pytest.fixture
def indexed(world: World, workspace: Workspace) -> Workspace:
    index(workspace, "ffpp", world.root)
    return workspace


@pytest.fixture
def server(world: World, no_proxies: None) -> Iterator[Loopback]:
    with Loopback() as server:
        for youtube_id, files in world.streams.items():
            server.serve(youtube_id, files["sound.m4a"], files["pictures.mp4"])
        yield server


def rows(workspace: Workspace) -> dict[str, Outcome]:
    return {row["clip_id"]: row for row in read_ledger(workspace.ledger("audio"), "ffpp")}


def largest_error_ms(workspace: Workspace, world: World) -> float:
    errors = []
    for clip_id, row in rows(workspace).items():
        if row["status"] == "ok":
            waveform, _ = load_flac(workspace.root / row["audio_path"])
            errors += world.clips[clip_id].errors_ms(waveform).tolist()
    assert errors
    return float(np.abs(errors).max())


@pytest.mark.parametrize(("align", "worst_ms"), [("frames", 10), ("visual", 20)])
def test_every_clip_gets_its_sound_through_yt_dlp(
    world: World, indexed: Workspace, server: Loopback, align: str, worst_ms: float
) -> None:
    config = RecoveryConfig(align=align, crawl=CrawlConfig(url_template=server.url_template, sleep_s=0))
    report = fetch_audio(indexed, recovery=config)
    found = rows(indexed)
    assert {row["status"] for row in found.values()} == {"ok"}, found
    assert {row["align"] for row in found.values()} == {align}
    assert largest_error_ms(indexed, world) < worst_ms
    for clip_id, row in found.items():
        truth = world.clips[clip_id]
        assert row["frame_rate"] == pytest.approx(truth.frame_rate, rel=1e-3)
        assert row["n_samples"] == pytest.approx(len(truth.numbers) / row["frame_rate"] * SAMPLE_RATE, abs=1)
        assert abs(row["align_error_ms"]) < 500 / truth.frame_rate
    assert report.recoveries[0].uploads == {"ok": 2}
    stored = json.loads((indexed.root / report.recoveries[0].path).read_text())
    assert stored["uploads"] == {"ok": 2}
    assert sum(split["n_with_sound"] for split in stored["coverage"].values()) == 3


def test_nothing_is_asked_for_twice_even_when_uploads_are_gone(indexed: Workspace, server: Loopback) -> None:
    config = RecoveryConfig(crawl=CrawlConfig(url_template=server.url_template, sleep_s=0))
    first = fetch_audio(indexed, recovery=config)
    n_requests = sum(map(server.count, (DELETED, "zPdvu-SUnbg")))
    for folder in ("uploads", "tracks"):
        shutil.rmtree(indexed.root / folder / "ffpp")
    second = fetch_audio(indexed, recovery=config)
    assert sum(map(server.count, (DELETED, "zPdvu-SUnbg"))) == n_requests
    assert second.stages[0].n_done_before == second.stages[0].n_ok == first.stages[0].n_ok


def test_a_lost_upload_is_named_and_the_rest_recovered(indexed: Workspace, server: Loopback) -> None:
    config = RecoveryConfig(crawl=CrawlConfig(url_template=server.url_template, sleep_s=0))
    server.fail(DELETED, status=404)
    report = fetch_audio(indexed, recovery=config)
    (recovery,) = report.recoveries
    assert recovery.uploads == {"ok": 1, "deleted": 1}
    assert [(lost.youtube_id, lost.reason, lost.sequences) for lost in recovery.lost] == [
        (DELETED, "deleted", ("003",))
    ]
    assert report.n_failed == 2
    server.mend(DELETED)
    assert fetch_audio(indexed, recovery=config, retry="failed").n_failed == 0


def test_a_dry_run_asks_no_server(indexed: Workspace, server: Loopback) -> None:
    config = RecoveryConfig(crawl=CrawlConfig(url_template=server.url_template, sleep_s=0, max_per_hour=1))
    (plan,) = fetch_audio(indexed, recovery=config, dry_run=True).plans
    assert (plan.n_uploads, plan.n_to_fetch) == (2, 2)
    assert plan.duration_s > 3600
    assert not server.count(DELETED)
    assert not (indexed.root / "audio.parquet").exists()


@pytest.mark.parametrize("align", ["auto", "visual"])
def test_the_sound_of_another_video_is_never_kept(
    world: World, indexed: Workspace, tmp_path: Path, align: str
) -> None:
    folder = world.lay_out(tmp_path / "own", swap=True)
    report = fetch_audio(indexed, recovery=RecoveryConfig(align=align, audio_from_dir=folder))
    assert {row["error_kind"] for row in rows(indexed).values()} == {"misaligned"}
    assert report.recoveries[0].uploads == {"misaligned": 2}
    assert not list((indexed.root / "audio").rglob("*.flac"))


def test_sound_that_is_there_stays_and_nothing_is_fetched_for_it(
    world: World, indexed: Workspace, server: Loopback, tmp_path: Path
) -> None:
    own = world.lay_out(tmp_path / "own")
    fetch_audio(indexed, recovery=RecoveryConfig(audio_from_dir=own))
    before = rows(indexed)
    (own / f"{DELETED}.sound.m4a").rename(own / "other0000000.m4a")
    fetch_audio(indexed, recovery=RecoveryConfig(audio_from_dir=own))
    config = RecoveryConfig(crawl=CrawlConfig(url_template=server.url_template, sleep_s=0))
    fetch_audio(indexed, recovery=config)
    assert rows(indexed) == before
    assert not server.count(DELETED)
    assert len(list((indexed.root / "tracks").rglob("*.npz"))) == 2


def test_silence_is_told_from_sound(world: World, indexed: Workspace, tmp_path: Path) -> None:
    folder = world.lay_out(tmp_path / "own", sound="silence.m4a")
    report = fetch_audio(indexed, recovery=RecoveryConfig(audio_from_dir=folder))
    assert report.recoveries[0].uploads == {"silent": 2}


def test_sound_alone_is_cut_by_lists(world: World, indexed: Workspace, tmp_path: Path) -> None:
    folder = world.lay_out(tmp_path / "own", pictures=None)
    fetch_audio(indexed, recovery=RecoveryConfig(align="frames", audio_from_dir=folder))
    assert rows(indexed)["youtube-c23-003"]["status"] == "ok"
    assert rows(indexed)["youtube-c23-003"]["align_error_ms"] is None
    assert largest_error_ms(indexed, world) < 20


def test_a_reenactment_takes_the_sound_of_its_source_only_with_its_pictures(
    world: World, indexed: Workspace, tmp_path: Path
) -> None:
    folder = world.lay_out(tmp_path / "own")
    fetch_audio(indexed, recovery=RecoveryConfig(audio_from_dir=folder, reenactment_audio="source"))
    found = rows(indexed)
    assert found["Deepfakes-c23-003_000"]["audio_from"] == "target"
    assert found["Deepfakes-c23-003_000"]["audio_clip_id"] == "youtube-c23-003"
    assert found["NeuralTextures-c23-983_113"]["error_kind"] == "not_found"  # 113 is not on disk


def test_the_whole_track_of_an_upload_is_refused(indexed: Workspace) -> None:
    with pytest.raises(AvfakeError, match="lips and sound would not belong together"):
        fetch_audio(indexed, recovery=RecoveryConfig(align="none"))


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="--audio-from-dir .* is no folder"):
        RecoveryConfig(audio_from_dir=tmp_path / "absent")
