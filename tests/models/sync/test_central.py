"""Central connections: the windows of the paper's sizes, every sample seen, sound on the pictures' clock."""

from typing import Any

import pytest
import torch

from avfake.errors import AvfakeError
from avfake.models import DetectorConfig, TwoPlusOne
from avfake.models.sync.central import CentralConnection, Windows, centred_windows, literal_windows
from tests.models.small import n_parameters

STAGES = [(4129, 30, 1), (1032, 15, 2), (258, 8, 4), (64, 4, 8)]  # sound, pictures, of which every n-th


def test_windows_of_the_paper() -> None:
    found = [literal_windows(n_audio, n_video)[:2] for n_audio, n_video, _ in STAGES]
    assert found == [(137, 156), (68, 80), (32, 34), (16, 16)]


@pytest.mark.parametrize(
    ("connection", "wanted"),
    [
        ("dense", [1_278_016, 1_310_848, 2_228_480, 4_194_816]),
        ("separable", [28_224, 26_752, 74_496, 270_848]),
    ],
)
def test_parameters_of_the_paper(connection: Any, wanted: list[int], paper: TwoPlusOne) -> None:
    found = []
    for sound, pictures in zip(paper.audio_shapes, paper.video_shapes, strict=True):
        windows = literal_windows(sound[1], pictures[1])
        config = DetectorConfig(connection=connection)
        with torch.device("meta"):
            made = CentralConnection(config, sound[0], pictures[0], pictures[1], windows)
        found.append(n_parameters(made))
    assert found == wanted


@pytest.mark.parametrize(
    ("n_audio", "n_video"), [stage[:2] for stage in STAGES] + [(7, 7), (100, 1), (31, 4)]
)
@pytest.mark.parametrize("connection", ["dense", "separable"])
def test_every_feature_of_sound_is_seen_and_every_picture_hears(
    n_audio: int, n_video: int, connection: Any
) -> None:
    windows = literal_windows(n_audio, n_video)
    made = CentralConnection(DetectorConfig(connection=connection), 1, 2, n_video, windows)
    sound = torch.randn(1, 1, n_audio, requires_grad=True)
    paced = made(sound)
    assert paced.shape == (1, 2, n_video, 1, 1)
    paced.sum().backward()
    assert sound.grad is not None
    assert sound.grad.count_nonzero() == n_audio


def centres_s(windows: Windows, n_audio: int, n_video: int) -> torch.Tensor:
    """Middle of each window, in seconds, by which features its picture depends on."""
    made = CentralConnection(DetectorConfig(), 1, 1, n_video, windows)
    torch.nn.init.ones_(made.conv.weight)
    seen = torch.autograd.functional.jacobian(made, torch.zeros(1, 1, n_audio))[0, 0, :, 0, 0, 0, 0]
    whole = [first - windows.padding for first in range(0, n_video * windows.stride, windows.stride)]
    for row, first in zip(seen, whole, strict=True):
        (touched,) = torch.nonzero(row, as_tuple=True)
        assert touched.min() == max(first, 0)
        assert touched.max() == min(first + windows.kernel_size, n_audio) - 1
    return (torch.tensor(whole) + windows.kernel_size / 2) / n_audio * 3


@pytest.mark.parametrize(("n_audio", "n_video", "every"), STAGES)
def test_centred_windows_lie_over_their_pictures(n_audio: int, n_video: int, every: int) -> None:
    windows = centred_windows(n_audio, n_video, every / 30)
    assert windows.kernel_size >= windows.stride
    pictures_s = torch.arange(0, 30, every) / 10
    assert (centres_s(windows, n_audio, n_video) - pictures_s).abs().max() < 0.05  # half a picture


def test_literal_windows_drift() -> None:
    drift_s = [
        (centres_s(literal_windows(n_audio, n_video), n_audio, n_video) - torch.arange(0, 30, every) / 10)
        .abs()
        .max()
        for n_audio, n_video, every in STAGES
    ]
    assert drift_s[3] == pytest.approx(0.375)
    assert drift_s == sorted(drift_s)


def test_sound_is_not_copied_over_the_picture() -> None:
    made = CentralConnection(DetectorConfig(), 1, 2, 4, literal_windows(64, 4))
    tiled = made(torch.randn(1, 1, 64)).expand(-1, -1, -1, 56, 56)
    assert tiled.stride()[3:] == (0, 0)


def test_too_little_sound_is_refused() -> None:
    with pytest.raises(AvfakeError, match="3 features of sound are too few for 4 of pictures"):
        literal_windows(3, 4)
