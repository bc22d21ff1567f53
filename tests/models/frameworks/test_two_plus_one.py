"""The third stream: its published size, its rule, what it knows of the other two, every ablation."""

from typing import Any

import pytest
import torch
from torch import Tensor

from avfake.models import Detector, TwoPlusOne, build_model
from avfake.models.sync.stream import SyncStage
from tests.models.frameworks.test_contract import gradients, made
from tests.models.small import draw_clips, n_parameters, small, stir


def counted(**fields: Any) -> int:
    with torch.device("meta"):
        return n_parameters(build_model("paper", **fields))


def test_parameters_of_the_paper(paper: TwoPlusOne) -> None:
    stages = list(paper.sync.stages)
    assert n_parameters(paper) == 53_346_647
    assert sum(n_parameters(stage.connection) for stage in stages) == 9_012_160
    assert sum(n_parameters(stage.block) for stage in stages) == 12_471_532
    assert n_parameters(paper.sync.fc) == 1_026


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"connection": "separable"}, 44_734_807),
        ({"framework": "independent"}, 31_856_161),
        ({"framework": "late-fusion"}, 31_857_187),
        ({"attention": "none"}, 53_346_647 - 5_768),
        ({"attention": "inter+intra"}, 53_346_647),
        ({"attention": "joint"}, 53_346_647),
    ],
)
def test_parameters_of_its_kin(fields: dict[str, Any], wanted: int) -> None:
    assert counted(**fields) == wanted


def test_three_times_two_logits(paper: TwoPlusOne, meta_clips: tuple[Tensor, Tensor]) -> None:
    assert [x.shape for x in paper(*meta_clips)] == [(2, 2)] * 3


@pytest.mark.slow
def test_a_clip_through_the_full_size() -> None:
    model = build_model("paper").eval()
    with torch.no_grad():
        logits = made(model(*draw_clips(model, 1)))
    assert [x.shape for x in logits] == [(1, 2)] * 3
    assert all(x.isfinite().all() for x in logits)


@pytest.mark.parametrize("training", [False, True])
def test_streams_do_not_know_each_other(training: bool) -> None:
    model = small().train(training)
    stir(model)
    video, audio = draw_clips(model, 4)
    logits = model(video, audio)
    other_sound, other_pictures = model(video, audio.roll(1, 0)), model(video.roll(1, 0), audio)
    assert torch.equal(other_sound.video, logits.video)
    assert torch.equal(other_pictures.audio, logits.audio)
    for shuffled in (other_sound, other_pictures):
        assert (shuffled.sync - logits.sync).abs().max() > 1e-4


def test_attended_pictures_may_go_on_through_the_video_stream() -> None:
    model = small(attended_video="both").eval()
    stir(model)
    video, audio = draw_clips(model, 4)
    logits, shuffled = model(video, audio), model(video, audio.roll(1, 0))
    assert (shuffled.video - logits.video).abs().max() > 1e-5
    assert torch.equal(shuffled.audio, logits.audio.roll(1, 0))


@pytest.mark.parametrize("attention", ["inter", "inter+intra", "joint"])
def test_attention_begins_without_effect(attention: str) -> None:
    plain, attended = small(attention="none").eval(), small(attention=attention).eval()
    missing = attended.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert all(".attention." in key for key in missing)
    clips = draw_clips(plain, 2)
    for one, other in zip(plain(*clips), attended(*clips), strict=True):
        assert torch.equal(one, other)


def sync_by_hand(model: Detector, video: Tensor, audio: Tensor, first: int) -> Tensor:
    """Sync logits: F = video + sound at each stage, S = Block(F) at the first and Block(S) + F after it."""
    v, a = model.video.stem(video), model.audio.stem(audio)
    state = None
    for number in range(4):
        v, a = list(model.video.stages)[number](v), list(model.audio.stages)[number](a)
        if number < first:
            continue
        stage = model.get_submodule(f"sync.stages.{number}")
        assert isinstance(stage, SyncStage)
        conv = stage.connection.conv
        paced = torch.stack(
            [
                torch.einsum("bck,ock->bo", a[:, :, at : at + conv.kernel_size[0]], conv.weight) + conv.bias
                for at in range(0, v.shape[2] * conv.stride[0], conv.stride[0])
            ],
            dim=2,
        )
        fused = v + paced[..., None, None].repeat(1, 1, 1, *v.shape[3:])
        state = stage.block(fused) if state is None else stage.block(state) + fused
    assert state is not None
    fc = model.get_submodule("sync.fc")
    return state.mean(dim=(2, 3, 4)) @ fc.weight.T + fc.bias


@pytest.mark.parametrize("connect", ["1234", "234", "34", "4"])
def test_one_rule_gives_all_connections(connect: str) -> None:
    model = small(connect=connect, attention="none").eval()
    stir(model)
    clips = draw_clips(model, 2)
    found, wanted = model(*clips).sync, sync_by_hand(model, *clips, int(connect[0]) - 1)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "fields",
    [
        {"connect": "234"},
        {"connect": "34", "attention": "joint"},
        {"connect": "4", "sync_start": "sum"},
        {"attention": "none"},
        {"attention": "inter+intra"},
        {"attention": "inter+intra", "inter_intra": "sequence"},
        {"attention": "joint"},
        {"connection": "separable"},
        {"connection_align": "centred"},
        {"connection": "separable", "connection_align": "centred"},
        {"sync_start": "sum"},
        {"attended_video": "both"},
        {"pad": "mean", "waveform_level": "peak"},
        {"zero_unpool": False},
        {"attention_heads": (16, 4, 2, 4), "attention_positions": "band"},
        {"window_s": 1.1, "picture_size": 48, "picture_shrink": 2, "attention_heads": (1, 1, 1, 1)},
    ],
    ids=str,
)
def test_every_ablation_learns(fields: dict[str, Any]) -> None:
    model = small(**fields)
    assert gradients(model).keys() == dict(model.named_parameters()).keys()
    assert all(x.isfinite().all() for x in gradients(model).values())
