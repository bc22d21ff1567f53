"""R(2+1)D-18: its published sizes, its published keys, and the same numbers as torchvision's."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from avfake.models import DetectorConfig, TwoPlusOne
from avfake.models.streams.video import BasicBlock, R2Plus1d, TimeConv
from tests.models.small import SMALL, n_parameters

SMALL_VIDEO = DetectorConfig(**{**SMALL, "video_widths": (8, 8, 16, 16), "video_stem_width": 5})


@pytest.fixture(scope="module")
def theirs() -> ModuleType:
    try:
        from torchvision.models.video import resnet
    except Exception as error:  # beside a CPU build of torch it raises RuntimeError
        pytest.skip(f"torchvision does not import: {error}")
    return resnet


def test_features_have_the_sizes_of_the_paper(paper: TwoPlusOne, meta_clips: tuple[Tensor, Tensor]) -> None:
    features = paper.video.stem(meta_clips[0])
    assert features.shape[1:] == (64, 30, 56, 56)
    found = []
    for stage in paper.video.stages:
        features = stage(features)
        found.append(tuple(features.shape[1:]))
    assert found == [(64, 30, 56, 56), (128, 15, 28, 28), (256, 8, 14, 14), (512, 4, 7, 7)]
    assert found == paper.video_shapes
    assert paper.video.head(features).shape == (2, 2)


def test_parameters_are_as_many_as_published(paper: TwoPlusOne) -> None:
    stream = paper.get_submodule("video")
    assert n_parameters(stream) == 31_301_151
    head = n_parameters(stream.get_submodule("fc"))
    assert n_parameters(stream) - head + 512 * 400 + 400 == 31_505_325  # torchvision's


@pytest.mark.parametrize(
    ("layer", "n_between"), [("layer1", 144), ("layer2", 230), ("layer3", 460), ("layer4", 921)]
)
def test_blocks_have_as_many_channels_between_as_published(
    paper: TwoPlusOne, layer: str, n_between: int
) -> None:
    for key, parameter in paper.get_submodule(f"video.{layer}.0").named_parameters():
        if key.endswith(".0.0.weight"):
            assert parameter.shape[0] == n_between
            assert parameter.shape[2:] == (1, 3, 3)


def test_keys_are_those_of_the_published_file(paper: TwoPlusOne) -> None:
    keys = set(paper.get_submodule("video").state_dict())
    assert {"stem.0.weight", "stem.1.running_mean", "stem.3.weight", "stem.4.bias"} <= keys
    assert {"layer1.0.conv1.0.0.weight", "layer1.0.conv1.0.3.weight", "layer1.0.conv1.1.weight"} <= keys
    assert {"layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_var"} <= keys
    assert {"layer4.1.conv2.0.1.num_batches_tracked", "fc.weight", "fc.bias"} <= keys
    assert not [key for key in keys if "mean" in key and "running" not in key]  # statistics of pictures


@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_over_time_is_torch_s(stride: int) -> None:
    conv = TimeConv(3, 5, stride).double()
    features = torch.randn(2, 3, 7, 4, 5, dtype=torch.float64, requires_grad=True)
    wanted = functional.conv3d(features, conv.weight, stride=(stride, 1, 1), padding=(1, 0, 0))
    torch.testing.assert_close(conv(features), wanted)
    pull = torch.randn_like(wanted)
    inputs = (features, conv.weight)
    torch.testing.assert_close(
        torch.autograd.grad(conv(features), inputs, pull), torch.autograd.grad(wanted, inputs, pull)
    )


def test_block_adds_its_input_where_sizes_stay() -> None:
    block = BasicBlock(4, 4).eval()
    features = torch.randn(2, 4, 3, 5, 5)
    nn.init.zeros_(block.conv2[1].weight)
    torch.testing.assert_close(block(features), features.clamp_min(0))
    assert BasicBlock(4, 4, 2)(features).shape == (2, 4, 2, 3, 3)
    assert BasicBlock(4, 6)(features).shape == (2, 6, 3, 5, 5)


def stem_input(config: DetectorConfig, video: Tensor) -> Tensor:
    """What the stem's first convolution sees."""
    seen: list[Tensor] = []
    stream = R2Plus1d(config)
    stream.stem[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    stream.stem(video)
    return seen[0]


def test_pictures_are_normalised_inside() -> None:
    mean = torch.tensor([0.43216, 0.394666, 0.37645])
    std = torch.tensor([0.22803, 0.22145, 0.216989])
    video = torch.rand(2, 3, 8, 32, 32)
    wanted = ((video.movedim(1, -1) - mean) / std).movedim(-1, 1)
    torch.testing.assert_close(stem_input(SMALL_VIDEO, video), wanted)


@pytest.mark.parametrize("pad", ["black", "mean"])
def test_an_empty_picture_is_black_or_the_mean(pad: Any) -> None:
    video = torch.rand(1, 3, 8, 32, 32)
    video[:, :, 5:] = 0
    seen = stem_input(DetectorConfig(**{**SMALL, "pad": pad}), video)
    black = -0.43216 / 0.22803 if pad == "black" else 0.0
    torch.testing.assert_close(seen[:, 0, 5:], torch.full((1, 3, 32, 32), black))
    assert not torch.equal(seen[:, 0, 4], torch.full((1, 32, 32), black))


def test_shrinking_averages_pixels() -> None:
    video = torch.rand(1, 3, 8, 32, 32)
    averaged = video.reshape(1, 3, 8, 16, 2, 16, 2).mean(dim=(4, 6))
    shrunk = DetectorConfig(**{**SMALL, "picture_shrink": 2})
    torch.testing.assert_close(stem_input(shrunk, video), stem_input(SMALL_VIDEO, averaged))


def test_the_published_network_has_the_same_keys_and_sizes(theirs: ModuleType, paper: TwoPlusOne) -> None:
    with torch.device("meta"):
        published = theirs.r2plus1d_18().state_dict()
    own = paper.get_submodule("video").state_dict()
    assert list(own) == list(published)
    different = [key for key in own if own[key].shape != published[key].shape]
    assert different == ["fc.weight", "fc.bias"]


@pytest.mark.parametrize("training", [False, True])
def test_the_published_network_gives_the_same_logits(theirs: ModuleType, training: bool) -> None:
    published = theirs.r2plus1d_18(num_classes=2)
    own = R2Plus1d(DetectorConfig())
    own.load_state_dict(published.state_dict())
    video = torch.rand(2, 3, 8, 32, 32)
    mean, std = (x.view(3, 1, 1, 1) for x in (own.stem.mean, own.stem.std))
    with torch.no_grad():
        wanted = published.train(training)((video - mean) / std)
        torch.testing.assert_close(own.train(training)(video), wanted, rtol=1e-4, atol=1e-5)
    for key, statistic in published.named_buffers():
        torch.testing.assert_close(own.state_dict()[key], statistic, rtol=1e-4, atol=1e-5)
