import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from avfake.audio.filters import TRANSITION_HZ
from avfake.audio.io import SAMPLE_RATE, load_flac, save_flac
from avfake.audio.measure import bandwidth_hz
from avfake.curate.build_split import build_split
from avfake.curate.workspace import Workspace
from avfake.errors import AvfakeError
from avfake.files import sha256_of
from tests.dummies import Waveform
from tests.split_tables import VOCODERS, make_tables, people

CUTOFF_HZ = 8_000.0  # griffin-lim's bandwidth in the tables


def noise(seed: int, duration_s: float = 1.0) -> Waveform:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(round(duration_s * SAMPLE_RATE))).astype(np.float32)


def sounding(workspace: Workspace) -> None:
    """A workspace whose sound files exist: white noise, all different."""
    clips = people(9, methods=["FaceSwap"], seconds=1.0)
    make_tables(workspace, clips)
    for number, clip in enumerate(clips):
        for folder in ("audio", *(f"vocoded/{name}" for name in VOCODERS)):
            path = workspace.root / folder / "folk" / f"{clip['clip_id']}.flac"
            save_flac(path, noise(number), SAMPLE_RATE)


def all_files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256_of(path) for path in folder.rglob("*") if path.is_file()}


def test_band_limit_passes_real_and_fake_through_one_filter(workspace: Workspace) -> None:
    sounding(workspace)
    report = build_split(workspace, band_limit="common", per_quadrant=1)
    assert report.cutoff_hz == CUTOFF_HZ
    assert f"cut off at {CUTOFF_HZ:.0f} Hz" in str(report)
    for row in pq.read_table(workspace.split("balanced") / "train.parquet").to_pylist():
        path = workspace.root / row["audio_path"]
        assert row["audio_path"].startswith(f"splits/balanced/audio/8000hz/{row['vocoder'] or 'real'}/")
        assert row["audio_sha256"] == sha256_of(path)
        waveform, sample_rate = load_flac(path)
        assert (len(waveform), sample_rate) == (row["n_samples"], row["sample_rate"])
        assert CUTOFF_HZ - TRANSITION_HZ < bandwidth_hz(waveform, sample_rate) < CUTOFF_HZ + 100


def test_band_limited_split_is_the_same_again_and_goes_with_its_sound(workspace: Workspace) -> None:
    sounding(workspace)
    folder = workspace.split("balanced")
    build_split(workspace, band_limit="common", per_quadrant=1)
    before = all_files(folder)
    build_split(workspace, band_limit="common", per_quadrant=1)
    assert all_files(folder) == before
    build_split(workspace, per_quadrant=1)
    assert sorted(all_files(folder)) == ["report.json", "test.parquet", "train.parquet", "val.parquet"]
    assert json.loads((folder / "report.json").read_bytes())["cutoff_hz"] is None


def test_missing_sound_file_stops_the_build_before_the_split_appears(workspace: Workspace) -> None:
    sounding(workspace)
    for path in (workspace.root / "vocoded").rglob("*.flac"):
        path.unlink()
    with pytest.raises(AvfakeError, match="sound files of .* cannot be filtered"):
        build_split(workspace, band_limit="common", per_quadrant=1)
    assert not (workspace.split("balanced") / "train.parquet").exists()
