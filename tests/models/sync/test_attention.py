"""Attention between the streams: the paper's equations in numpy, and what zero, odd and constant bring."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from avfake.errors import AvfakeError
from avfake.models import DetectorConfig, TwoPlusOne
from avfake.models.sync.attention import (
    ATTENTIONS,
    StreamAttention,
    attend,
    intra,
    one_then_other,
    positional_encoding,
)
from tests.models.small import n_parameters, stir

Array = NDArray[np.float64]


def weights(query: Array, key: Array) -> Array:
    """softmax(query key^T / sqrt d), row by row."""
    exponent = np.exp(query @ key.T / np.sqrt(query.shape[1]))
    return exponent / exponent.sum(axis=1, keepdims=True)


def in_numpy(kind: str, v: Array, a: Array) -> tuple[Array, Array]:
    match kind:
        case "inter":
            return weights(a, v) @ v, weights(v, a) @ a
        case "intra":
            return weights(v, v) @ v, weights(a, a) @ a
        case "inter+intra":
            return weights(a, v) @ v + weights(v, v) @ v, weights(v, a) @ a + weights(a, a) @ a
        case "sequence":
            own_v, own_a = weights(v, v) @ v, weights(a, a) @ a
            found_v, found_a = in_numpy("inter", v + own_v, a + own_a)
            return own_v + found_v, own_a + found_a
    together = weights(v, a) @ (v + a)
    return together, together


@pytest.mark.parametrize("kind", [*ATTENTIONS, "intra", "sequence"])
@pytest.mark.parametrize("n_heads", [1, 3])
def test_equations(kind: str, n_heads: int) -> None:
    v, a = np.random.default_rng(0).standard_normal((2, 5, 12))
    function = {**ATTENTIONS, "intra": intra, "sequence": one_then_other}[kind]
    streams = (torch.from_numpy(x)[None] for x in (v, a))
    found = function(*streams, functools.partial(attend, n_heads=n_heads))
    bands = [slice(first, first + 12 // n_heads) for first in range(0, 12, 12 // n_heads)]
    wanted = [
        np.hstack(parts)
        for parts in zip(*(in_numpy(kind, v[:, band], a[:, band]) for band in bands), strict=True)
    ]
    for own, numpys in zip(found, wanted, strict=True):
        np.testing.assert_allclose(own[0], numpys, atol=1e-12)


def test_pictures_are_read_row_by_row() -> None:
    """Two heads: pictures that differ in their upper halves alone change the attended upper half alone."""
    upper = torch.zeros(1, 3, 4, 4)
    upper[:, :, :2] = torch.randn(1, 3, 2, 4)
    query, other = torch.randn(2, 1, 3, 16).unbind()
    change = attend(query, other + upper.flatten(2), other, 2) - attend(query, other, other, 2)
    assert change[..., :8].abs().max() > 0
    assert change[..., 8:].abs().max() == 0


@pytest.mark.parametrize("n_pixels", [8, 49, 1])
def test_positions_are_sines_and_cosines(n_pixels: int) -> None:
    found = positional_encoding(6, n_pixels)
    assert found.shape == (6, n_pixels)
    for pixel in range(n_pixels):
        angle = np.arange(6) / 10_000 ** (2 * (pixel // 2) / n_pixels)
        np.testing.assert_allclose(found[:, pixel], np.cos(angle) if pixel % 2 else np.sin(angle), atol=1e-6)


def layer(size: tuple[int, ...] = (4, 6, 7, 7), **fields: Any) -> StreamAttention:
    return StreamAttention(DetectorConfig(**fields), 1, size)


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_attention_begins_without_effect(kind: Any) -> None:
    video, audio = torch.randn(2, 4, 6, 7, 7), torch.randn(2, 4, 6, 1, 1)
    attended = layer(attention=kind)(video, audio)
    assert torch.equal(attended[0], video)
    assert torch.equal(attended[1], audio.expand_as(video))
    changed = layer(attention=kind, zero_unpool=False)(video, audio)
    assert not torch.equal(changed[0], video)


def test_attention_of_a_whole_layer_by_hand() -> None:
    attention = layer(attention="inter").double()
    stir(attention)
    video = torch.randn(1, 4, 6, 7, 7, dtype=torch.float64)
    audio = torch.randn(1, 4, 6, 1, 1, dtype=torch.float64)
    flat = {}
    for name, feature, pool in (
        ("v", video, attention.pool_video),
        ("a", audio.expand(-1, -1, -1, 7, 7), attention.pool_audio),
    ):
        pooled = np.einsum("cthw,c->thw", feature[0], pool.weight.detach()[0, :, 0, 0, 0]) + pool.bias.item()
        flat[name] = pooled.reshape(6, 49) + positional_encoding(6, 49).double().numpy()
    found = in_numpy("inter", flat["v"], flat["a"])
    attended = attention(video, audio)
    for own, feature, answer, unpool in zip(
        attended,
        (video, audio),
        found,
        (attention.unpool_video, attention.unpool_audio),
        strict=True,
    ):
        weight, bias = (x.detach().numpy().reshape(4, 1, 1, 1) for x in (unpool.weight, unpool.bias))
        wanted = feature[0].numpy() + weight * answer.reshape(6, 7, 7) + bias
        np.testing.assert_allclose(own[0].detach(), wanted, atol=1e-10)


def test_positions_keep_queries_of_sound_from_being_multiples_of_one() -> None:
    video = torch.randn(1, 4, 6, 7, 7, dtype=torch.float64)
    audio = torch.randn(1, 4, 6, 1, 1, dtype=torch.float64)
    attention = layer().double()
    v = attention.pool_video(video).flatten(3)[0, 0]
    a = attention.pool_audio(audio).flatten(3)[0, 0].expand(-1, 49)
    assert torch.linalg.matrix_rank(a @ v.T) == 1
    v, a = v + attention.position, a + attention.position
    assert torch.linalg.matrix_rank(a @ v.T) == 6


def test_positions_of_bands_tell_pictures_apart_in_each() -> None:
    """Frequencies fall along the pixels: of a whole picture, its lower bands get the slow ones."""
    whole, each = (
        layer((4, 6, 8, 8), attention_heads=(1, 4, 1, 1), attention_positions=positions).position
        for positions in ("picture", "band")
    )
    assert torch.equal(whole, positional_encoding(6, 64))
    assert torch.equal(each, positional_encoding(6, 16).repeat(1, 4))
    steps = [(x[1:] - x[:-1]).unflatten(1, (4, 16)).norm(dim=2).mean(dim=0) for x in (whole, each)]
    assert steps[0][3] < 0.05 * steps[0][0]
    assert steps[1][3] == steps[1][0]


def test_parameters_of_the_paper(paper: TwoPlusOne) -> None:
    found = [n_parameters(stage.attention) for stage in paper.sync.stages]
    assert sum(found) == 5_768
    assert found == [6 * channels + 2 for channels in (64, 128, 256, 512)]
    assert not [key for key in paper.state_dict() if "position" in key]


def test_bands_must_divide_the_picture() -> None:
    with pytest.raises(AvfakeError, match=r"attention_heads=\(4, 4, 1, 1\) .* 7 x 7 pixels of stage 2"):
        layer(attention_heads=(4, 4, 1, 1))
