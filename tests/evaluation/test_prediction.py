"""A prediction says what was judged, how, and what was not."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from avfake.errors import ClipError, ErrorKind
from avfake.evaluation.prediction import (
    Prediction,
    draw_prediction,
    failed_prediction,
    make_prediction,
    save_prediction,
)
from avfake.evaluation.recording import Recording
from avfake.models.config import DetectorConfig
from avfake.models.verdict import Verdict

SECOND = DetectorConfig(window_s=1.0)
NAN = math.nan


def make_recording(n_frames: int = 25, *, notes: tuple[str, ...] = ()) -> Recording:
    crops = np.zeros((n_frames, 112, 112, 3), np.uint8)
    return Recording(crops, np.full(2_205 * n_frames, 0.1, np.float32), notes)


def predict_from(joined: list[float], recording: Recording | None = None) -> Prediction:
    p = np.array([joined, joined, joined])
    starts = np.array([0, 10, 15])
    return make_prediction(Path("a.mp4"), recording or make_recording(), starts, SECOND, p, np.array(joined))


@pytest.mark.parametrize(
    ("joined", "verdict"),
    [
        ([0.9, 0.9, 0.1], Verdict.REAL),  # the whole decides first
        ([0.9, 0.1, 0.9], Verdict.FAKE_VIDEO),
        ([0.1, 0.9, 0.9], Verdict.FAKE_AUDIO),
        ([0.9, 0.9, 0.9], Verdict.FAKE_BOTH),
        ([0.1, 0.1, 0.9], Verdict.UNATTRIBUTED),
        ([0.5, 0.49, 0.5], Verdict.FAKE_VIDEO),
        ([0.9, NAN, NAN], Verdict.FAKE_VIDEO),
        ([0.1, NAN, NAN], Verdict.REAL),
        ([NAN, 0.9, NAN], Verdict.FAKE_AUDIO),
        ([NAN, 0.1, NAN], Verdict.REAL),
    ],
)
def test_the_whole_decides_and_the_heads_attribute(joined: list[float], verdict: Verdict) -> None:
    prediction = predict_from(joined)
    assert prediction.verdict is verdict
    known = [None if math.isnan(p) else p for p in joined]
    assert [prediction.p_video, prediction.p_audio, prediction.p_whole] == known
    assert prediction.words == (verdict if known[2] is not None else f"{verdict}, as far as judged")


def test_windows_lie_where_they_were_judged() -> None:
    prediction = predict_from([0.25, 0.5, 0.75], make_recording(24))
    assert [(window.start_s, window.end_s) for window in prediction.windows] == [(0, 1), (1, 2), (1.5, 2.4)]
    assert {(window.p_video, window.p_audio, window.p_whole) for window in prediction.windows} == {
        (0.25, 0.5, 0.75)
    }
    assert prediction.duration_s == 2.4


def test_a_line_says_all_of_it() -> None:
    prediction = predict_from([0.9, 0.1, 0.8], make_recording(notes=("It shows 2 faces.",)))
    assert str(prediction) == (
        "a.mp4: fake video (video 0.90, audio 0.10, whole 0.80, 3 windows in 2.5 s)\n  It shows 2 faces."
    )


def test_a_failure_is_one_line() -> None:
    prediction = failed_prediction(Path("a.mp4"), ClipError(ErrorKind.CORRUPT, "it is\ncut off"))
    assert str(prediction) == "a.mp4: not judged: it is cut off"
    assert (prediction.status, prediction.error_kind) == ("failed", "corrupt")


def test_a_name_of_any_bytes_can_be_printed(tmp_path: Path) -> None:
    name = Path(b"caf\xe9 \xf0\x9f\x8e\xac.mp4".decode(errors="surrogateescape"))
    prediction = failed_prediction(name, ClipError(ErrorKind.CORRUPT, "broken"))
    assert "caf\ufffd 🎬.mp4" in str(prediction).encode().decode()


def test_json_holds_everything_and_no_nan(tmp_path: Path) -> None:
    prediction = predict_from([0.9, NAN, NAN])
    save_prediction(tmp_path / "a.json", prediction, {"hop_s": 0.5})
    text = (tmp_path / "a.json").read_text()
    assert "NaN" not in text
    found = json.loads(text)
    assert found["verdict"] == "fake video"
    assert found["p_video"] == 0.9
    assert found["p_whole"] is None
    assert found["windows"][2] == {
        "start_s": 1.5,
        "end_s": 2.5,
        "p_video": 0.9,
        "p_audio": None,
        "p_whole": None,
    }
    assert found["hop_s"] == 0.5


def test_the_picture_is_drawn_alike_every_time(tmp_path: Path) -> None:
    for name in ("first", "second"):
        draw_prediction(tmp_path / name, predict_from([0.9, 0.1, 0.8]), make_recording())
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
