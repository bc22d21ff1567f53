"""A detector at work gives its own numbers, and says plainly what it cannot do."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from avfake.errors import AvfakeError, ClipError
from avfake.evaluation.inference import (
    Windows,
    join_known,
    join_windows,
    judge,
    mendable,
    refuse_hop,
    refuse_other_clips,
    whole_by,
)
from avfake.models.config import PRESETS, DetectorConfig
from tests.evaluation.filming import small_detector

CPU = torch.device("cpu")


def make_windows(n_windows: int = 5) -> Windows:
    torch.manual_seed(7)
    video = torch.randint(0, 256, (n_windows, 3, 10, 112, 112), dtype=torch.uint8)
    return Windows(video, 0.1 * torch.randn(n_windows, 22_050))


@pytest.mark.parametrize("framework", ["two-plus-one", "late-fusion", "independent"])
def test_probabilities_are_those_of_the_detector(framework: str) -> None:
    detector, windows = small_detector(framework), make_windows()
    with torch.inference_mode():
        wanted = torch.stack(detector(windows.video / 255, windows.audio).probabilities(), dim=1)
    found = judge(detector, [windows], CPU)
    np.testing.assert_allclose(found, wanted.double().numpy(), rtol=0, atol=1e-6)
    assert np.ptp(found[:, 0]) > 1e-4  # else the windows could be mixed up unseen


def test_batches_come_back_in_their_order() -> None:
    detector, windows = small_detector(), make_windows()
    pieces = [Windows(windows.video[part], windows.audio[part]) for part in (slice(0, 2), slice(2, 5))]
    np.testing.assert_allclose(
        judge(detector, pieces, CPU), judge(detector, [windows], CPU), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("framework", ["two-plus-one", "independent"])
def test_one_kind_alone_is_judged_by_its_own_stream(framework: str) -> None:
    detector, windows = small_detector(framework), make_windows()
    both = judge(detector, [windows], CPU)
    seen = judge(detector, [Windows(windows.video, None)], CPU)
    heard = judge(detector, [Windows(None, windows.audio)], CPU)
    np.testing.assert_allclose(seen[:, 0], both[:, 0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(heard[:, 1], both[:, 1], rtol=0, atol=1e-6)
    assert np.isnan(seen[:, 1:]).all()
    assert np.isnan(heard[:, [0, 2]]).all()


def test_pictures_that_are_judged_by_their_sound_are_not_judged_without() -> None:
    detector = small_detector(attended_video="both")
    with pytest.raises(ClipError, match="no sound.*attended_video=both"):
        judge(detector, [Windows(make_windows().video, None)], CPU)


def test_numbers_that_are_none_are_refused() -> None:
    detector = small_detector()
    torch.nn.init.constant_(detector.sync.fc.bias, torch.nan)
    with pytest.raises(ClipError, match="NaN"):
        judge(detector, [make_windows()], CPU)


def test_whole_is_the_maximum_of_what_is_joined_not_the_mean_of_maxima() -> None:
    windows = np.array([[0.9, 0.1, 0.9], [0.1, 0.8, 0.8], [0.2, 0.3, 0.3]])
    clip = np.array([0, 0, 1])
    np.testing.assert_allclose(
        join_windows(windows, clip, "mean", "maximum"), [[0.5, 0.45, 0.5], [0.2, 0.3, 0.3]]
    )
    np.testing.assert_allclose(
        join_windows(windows, clip, "mean", "head"), [[0.5, 0.45, 0.85], [0.2, 0.3, 0.3]]
    )
    np.testing.assert_allclose(
        join_windows(windows, clip, "max", "maximum"), [[0.9, 0.8, 0.9], [0.2, 0.3, 0.3]]
    )


def test_windows_without_a_face_speak_by_their_sound() -> None:
    nan = np.nan
    windows = np.array([[0.2, 0.4, 0.3], [nan, 0.9, nan], [0.4, 0.2, 0.6]])
    np.testing.assert_allclose(join_known(windows, "mean", "head"), [0.3, 0.5, 0.6])
    np.testing.assert_allclose(join_known(windows, "max", "head"), [0.4, 0.9, 0.9])
    np.testing.assert_allclose(join_known(windows, "mean", "maximum"), [0.3, 0.5, 0.5])


@pytest.mark.parametrize("by", ["head", "maximum"])
def test_what_was_judged_in_no_window_stays_unknown(by: str) -> None:
    nan = np.nan
    np.testing.assert_equal(join_known(np.array([[nan, 0.5, nan]] * 2), "mean", by), [nan, 0.5, nan])
    np.testing.assert_equal(join_known(np.array([[0.5, nan, nan]] * 2), "max", by), [0.5, nan, nan])


@pytest.mark.parametrize("by", ["head", "maximum"])
@pytest.mark.parametrize("aggregation", ["mean", "max"])
def test_a_video_judged_throughout_is_joined_as_a_row_of_a_split(by: str, aggregation: str) -> None:
    windows = np.random.default_rng(0).random((5, 3))
    one_clip = join_windows(windows, np.zeros(5, np.int64), aggregation, by)[0]
    assert np.array_equal(join_known(windows, aggregation, by), one_clip)


def test_only_two_networks_of_their_own_have_no_head_for_the_whole() -> None:
    assert whole_by(small_detector("independent")) == "maximum"
    assert whole_by(small_detector("late-fusion")) == "head"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"frame_rate": 25}, "frame_rate=25, here they have 10"),
        ({"sample_rate": 16_000}, "sample_rate=16000, here they have 22050"),
        ({"picture_size": 56}, "picture_size=56, face crops have 112; .* by its picture_shrink"),
        ({"window_s": 0.25}, "windows of 0.25 s"),
    ],
)
def test_a_detector_for_other_clips_is_refused(changes: dict[str, float], text: str) -> None:
    refuse_other_clips(PRESETS["paper"])
    refuse_other_clips(DetectorConfig(picture_shrink=4))
    with pytest.raises(AvfakeError, match=text):
        refuse_other_clips(replace(PRESETS["paper"], **changes))


@pytest.mark.parametrize("hop_s", [0.0, -1.0, 0.25, 3.1, np.nan, np.inf])
def test_windows_that_leave_something_out_are_refused(hop_s: float) -> None:
    refuse_hop(3.0, PRESETS["paper"])
    with pytest.raises(AvfakeError, match="--hop"):
        refuse_hop(hop_s, PRESETS["paper"])


@pytest.mark.gpu
def test_a_gpu_gives_nearly_the_same_and_the_same_again() -> None:
    detector, windows, gpu = small_detector(), make_windows(), torch.device("cuda")
    wanted = judge(small_detector(), [windows], CPU)
    first, second = (judge(detector, [windows], gpu) for _ in range(2))
    np.testing.assert_allclose(first, wanted, rtol=0, atol=0.01)
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed"),
            AvfakeError,
            "fewer --workers",
        ),
        (torch.OutOfMemoryError("CUDA out of memory"), AvfakeError, "smaller --batch-size"),
        (RuntimeError("a mistake of ours"), RuntimeError, "a mistake of ours"),
    ],
)
def test_what_can_be_mended_is_said(error: Exception, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text), mendable():
        raise error
