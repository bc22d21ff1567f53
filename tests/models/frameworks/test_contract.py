"""What every framework keeps to."""

from typing import Any

import pytest
import torch
from torch import Tensor

from avfake.models import FRAMEWORKS, Detector, DetectorConfig, Logits, TwoPlusOne
from tests.models.small import draw_clips, small, stir

Gradients = dict[str, Tensor]


@pytest.fixture(params=FRAMEWORKS)
def model(request: pytest.FixtureRequest) -> Detector:
    return small(framework=request.param)


def made(logits: Logits) -> list[Tensor]:
    return [x for x in logits if x is not None]


def loss(model: Detector, n_clips: int = 4) -> Tensor:
    """Cross-entropy of all logits, half of the clips fake."""
    logits = made(model(*draw_clips(model, n_clips)))
    labels = torch.arange(n_clips) % 2
    return torch.stack([torch.nn.functional.cross_entropy(x, labels) for x in logits]).mean()


def gradients(model: Detector) -> Gradients:
    model.zero_grad()
    loss(model).backward()
    return {name: x.grad for name, x in model.named_parameters() if x.grad is not None}


def test_logits_are_two_for_each_clip(model: Detector) -> None:
    logits = model(*draw_clips(model, 3))
    assert isinstance(logits, Logits)
    assert [x.shape for x in made(logits)] == [(3, 2)] * (2 if model.framework == "independent" else 3)


def test_every_parameter_receives_a_gradient(model: Detector) -> None:
    assert gradients(model).keys() == dict(model.named_parameters()).keys()
    stir(model)
    before_norm = {f"audio.stages.{stage}.0.bias" for stage in range(4)}  # which batch-norm takes away
    dead = {name for name, x in gradients(model).items() if x.abs().max() < 1e-7}
    assert dead <= before_norm


def test_clips_do_not_know_their_neighbours(model: Detector) -> None:
    model.eval()
    stir(model)
    video, audio = draw_clips(model, 3)
    together = made(model(video, audio))
    alone = made(model(video[1:2], audio[1:2]))
    for all_clips, one in zip(together, alone, strict=True):
        torch.testing.assert_close(all_clips[1:2], one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_a_permuted_batch_has_permuted_logits(model: Detector, training: bool) -> None:
    model.train(training)
    stir(model)
    video, audio = draw_clips(model, 4)
    order = torch.tensor([2, 0, 3, 1])
    plain, permuted = made(model(video, audio)), made(model(video[order], audio[order]))
    for before, after in zip(plain, permuted, strict=True):
        torch.testing.assert_close(after, before[order], rtol=1e-4, atol=1e-5)
        assert (before[0] - before[1]).abs().max() > 1e-4  # so that the order shows


def test_recomputing_changes_no_number(model: Detector) -> None:
    stir(model)
    start = {key: x.clone() for key, x in model.state_dict().items()}
    plain = gradients(model)
    after = {key: x.clone() for key, x in model.state_dict().items()}
    model.load_state_dict(start)
    model.recompute = True
    again = gradients(model)
    assert plain.keys() == again.keys()
    for name in plain:
        torch.testing.assert_close(again[name], plain[name], rtol=1e-5, atol=1e-7)
    assert all(torch.equal(x, after[key]) for key, x in model.state_dict().items())
    assert not torch.equal(after["video.stem.1.running_mean"], start["video.stem.1.running_mean"])


def test_recomputing_keeps_less(model: Detector) -> None:
    def kept() -> int:
        sizes: dict[int, int] = {}

        def pack(x: Tensor) -> Tensor:
            sizes[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
            return x

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            loss(model)
        return sum(sizes.values())

    plain = kept()
    model.recompute = True
    assert kept() < plain / 2


@pytest.mark.slow
def test_marks_in_pictures_and_sound_are_learnt(model: Detector) -> None:
    """A checked patch makes pictures fake, a hum sound; all four quadrants, new clips every step."""
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    video_fake, audio_fake = torch.arange(8) % 2, torch.arange(8) // 2 % 2
    labels = [video_fake, audio_fake, video_fake | audio_fake]
    patch = 0.5 * ((torch.arange(8)[:, None] + torch.arange(8)) % 2)
    hum = 0.3 * torch.sin(torch.arange(17_640) * 0.05)
    right = []
    for step in range(60):
        video, audio = draw_clips(model, 8, seed=step)
        video[..., 12:20, 12:20] += video_fake.view(-1, 1, 1, 1, 1) * patch
        logits = made(model(video, 0.2 * audio + audio_fake[:, None] * hum))
        targets = labels[: len(logits)]
        optimizer.zero_grad()
        sum(map(torch.nn.functional.cross_entropy, logits, targets)).backward()
        optimizer.step()
        right.append([(x.argmax(1) == y).float().mean() for x, y in zip(logits, targets, strict=True)])
    assert torch.tensor(right[-10:]).mean(dim=0).min() > 0.9


@pytest.mark.parametrize(
    ("video", "audio", "message"),
    [
        ((2, 3, 9, 32, 32), (2, 17_640), r"video is \[2, 3, 9, 32, 32\]; wanted \[batch, 3, 8, 32, 32\]"),
        ((2, 8, 32, 32, 3), (2, 17_640), r"video is .*; wanted \[batch, 3, 8, 32, 32\]"),
        ((2, 3, 8, 32, 32), (2, 17_641), r"audio is \[2, 17641\]; wanted \[batch, 17640\]"),
        ((2, 3, 8, 32, 32), (2, 1, 17_640), r"audio is .*; wanted \[batch, 17640\]"),
    ],
)
def test_clips_of_another_size_are_refused(
    model: Detector, video: tuple[int, ...], audio: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(video), torch.zeros(audio))


@pytest.mark.parametrize("framework", ["late-fusion", "two-plus-one"])
def test_frozen_streams_stay_as_they_are(framework: str) -> None:
    model = small(framework=framework, freeze_streams=True).train()
    start = {key: x.clone() for key, x in model.state_dict().items()}
    trained = [x for x in model.parameters() if x.requires_grad]
    optimizer = torch.optim.Adam(trained, 0.01)
    loss(model).backward()
    optimizer.step()
    changed = {key for key, x in model.state_dict().items() if not torch.equal(x, start[key])}
    assert changed
    assert not [key for key in changed if key.startswith(("video.", "audio."))]
    assert model.training
    free = small(framework=framework)
    loss(free)
    assert not torch.equal(free.state_dict()["video.stem.1.running_mean"], start["video.stem.1.running_mean"])


def test_a_class_takes_its_own_configuration_alone() -> None:
    with pytest.raises(ValueError, match="framework='independent' is not 'two-plus-one'"):
        TwoPlusOne(DetectorConfig(framework="independent"))


def test_the_whole_of_independent_streams_is_their_maximum() -> None:
    video = torch.tensor([[0.0, 2.0], [3.0, 0.0], [1.0, 0.0]])
    audio = torch.tensor([[0.0, 1.0], [0.0, 0.5], [2.0, 0.0]])
    found = Logits(video, audio).probabilities()
    assert torch.equal(found.whole, torch.maximum(found.video, found.audio))
    either = (video.argmax(dim=1) == 1) | (audio.argmax(dim=1) == 1)
    assert torch.equal(found.whole > 0.5, either)


def test_probabilities_are_those_of_the_fake_class() -> None:
    logits = torch.tensor([[0.0, 0.0], [1.0, 3.0]], dtype=torch.bfloat16)
    found: Any = Logits(logits, -logits, 2 * logits).probabilities()
    for probability, gap in zip(found, (2, -2, 4), strict=True):
        assert probability.dtype == torch.float32
        torch.testing.assert_close(probability, torch.tensor([0.0, gap]).sigmoid())
