from pathlib import Path

import numpy as np
import pytest

from avfake.audio.activity import speech_bands
from avfake.audio.io import SAMPLE_RATE, load_flac, save_flac
from avfake.curate.screening import signals
from avfake.curate.screening.signals import CONFIG, SIGNAL_FIELDS, Watch, read_signals
from avfake.curate.stage import Stage, find_parts, run_stage
from avfake.curate.task import OneByOne, Task
from avfake.faces.mouth import mouth_shapes
from avfake.video.lossless import write_pictures
from tests.dummies import speech_like


@pytest.mark.parametrize("n_pictures", [32, 30, 7])  # more than two reads, exactly two, one
def test_signals_come_back_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_pictures: int
) -> None:
    monkeypatch.setattr(signals, "_AT_ONCE", 15)
    crops = np.random.default_rng(0).integers(0, 256, (n_pictures, 112, 112, 3), np.uint8)
    write_pictures(tmp_path / "a.avi", crops, fps=10)
    save_flac(tmp_path / "a.flac", speech_like(3.2), SAMPLE_RATE)
    stage = Stage(tmp_path / "ledger", "folk", SIGNAL_FIELDS, CONFIG, OneByOne(Watch(tmp_path)), tmp_path)
    run_stage(stage, [Task("folk", "a", "0", {"faces_path": "a.avi", "audio_path": "a.flac"})])
    (part,) = find_parts(tmp_path / "ledger", "folk")
    (clip,) = read_signals(part)
    assert (clip.corpus, clip.clip_id) == ("folk", "a")
    np.testing.assert_allclose(clip.mouth, mouth_shapes(crops), atol=0.0051)
    np.testing.assert_allclose(clip.sound, speech_bands(*load_flac(tmp_path / "a.flac")), atol=0.0051)
