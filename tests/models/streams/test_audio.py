"""M5: its published sizes, and its first stage by hand."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from avfake.models import DetectorConfig, TwoPlusOne
from avfake.models.streams.audio import M5
from tests.models.small import n_parameters

SHORT = {"window_s": 0.1, "audio_widths": (3, 4, 5, 6)}


def test_features_have_the_sizes_of_the_paper(paper: TwoPlusOne, meta_clips: tuple[Tensor, Tensor]) -> None:
    features = paper.audio.stem(meta_clips[1])
    found = []
    for stage in paper.audio.stages:
        features = stage(features)
        found.append(tuple(features.shape[1:]))
    assert found == [(128, 4129), (128, 1032), (256, 258), (512, 64)]
    assert found == paper.audio_shapes
    assert paper.audio.head(features).shape == (2, 2)


def test_parameters_are_as_many_as_published(paper: TwoPlusOne) -> None:
    assert n_parameters(paper.get_submodule("audio")) == 555_010


@pytest.mark.parametrize("padding", [(0, 1, 1, 1), (0, 0, 0, 0), (40, 1, 1, 1), (2, 3, 0, 1)])
def test_promised_sizes_are_made(padding: Any) -> None:
    stream = M5(DetectorConfig(**SHORT, audio_padding=padding))
    features = stream.stem(torch.randn(2, 2205))
    for stage, shape in zip(stream.stages, stream.shapes, strict=True):
        features = stage(features)
        assert features.shape == (2, *shape)


def test_first_stage_by_hand() -> None:
    stream = M5(DetectorConfig(**SHORT)).eval()
    audio = np.random.default_rng(0).uniform(-1, 1, 2205).astype(np.float32)
    conv, norm = stream.stages[0][0], stream.stages[0][1]
    windows = np.lib.stride_tricks.sliding_window_view(audio, 80)[::4]
    convolved = windows @ conv.weight[:, 0].detach().numpy().T + conv.bias.detach().numpy()
    rectified = np.maximum(convolved / np.sqrt(1 + norm.eps), 0)  # statistics of an untrained batch-norm
    pooled = rectified[: len(rectified) // 4 * 4].reshape(-1, 4, 3).max(axis=1)
    found = stream.stages[0](stream.stem(torch.from_numpy(audio)[None]))[0]
    np.testing.assert_allclose(found.detach().numpy().T, pooled, rtol=1e-4, atol=1e-6)


def test_loudness_is_kept_unless_asked() -> None:
    audio = 0.1 * torch.randn(2, 2205)
    kept, peak = (M5(DetectorConfig(**SHORT, waveform_level=level)).stem for level in ("kept", "peak"))
    assert torch.equal(kept(audio)[:, 0], audio)
    torch.testing.assert_close(peak(audio), peak(3 * audio))
    assert peak(audio).abs().amax(dim=(1, 2)).tolist() == [1, 1]
    assert torch.equal(peak(torch.zeros(1, 9)), torch.zeros(1, 1, 9))
