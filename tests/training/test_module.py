"""The loss is the paper's, each head's part of it reaches what it should, and what is frozen stays."""

from typing import Any

import numpy as np
import pytest
import torch

from avfake.dataset.clips import Labels
from avfake.dataset.loader import Batch
from avfake.models.build import build_model
from avfake.training.config import detector_config
from avfake.training.module import DetectorModule
from tests.training.making import SMALL, quick

FIELDS = ("framework", "freeze_streams", "attended_video")  # of the detector


def clips(n_clips: int = 4) -> Batch:
    rng = torch.Generator().manual_seed(0)
    video = torch.randint(0, 256, (n_clips, 3, 10, 112, 112), dtype=torch.uint8, generator=rng)
    audio = torch.rand(n_clips, 22_050, generator=rng) - 0.5
    labels = Labels(
        *(torch.tensor(values * (n_clips // 4)) for values in ([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]))
    )
    pads = torch.zeros(n_clips, dtype=torch.int64)
    return Batch(video, audio, labels, [f"clip{n}" for n in range(n_clips)], pads, pads, pads)


def module(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> DetectorModule:
    """A module that a step can be asked of without a trainer."""
    torch.manual_seed(0)
    fields = {name: changes.pop(name) for name in FIELDS if name in changes}
    config = quick(detector_config("tiny", [], **{**vars(SMALL), **fields}), **changes)
    made = DetectorModule(build_model(config.detector).train(), config, n_val=4)
    strategy = type("Strategy", (), {"reduce": staticmethod(lambda x, reduce_op: x)})
    monkeypatch.setattr(DetectorModule, "trainer", type("Trainer", (), {"strategy": strategy}))
    monkeypatch.setattr(made, "log_dict", lambda *args, **kwargs: None)
    return made


@pytest.mark.parametrize("framework", ["independent", "late-fusion", "two-plus-one"])
def test_the_loss_is_the_weighted_sum_of_cross_entropies(
    monkeypatch: pytest.MonkeyPatch, framework: str
) -> None:
    weights = (0.5, 0.2, 0.3)
    step = module(monkeypatch, framework=framework, loss_weights=weights)
    batch = clips()
    loss = step.training_step(batch, 0)
    with torch.no_grad():
        logits = step.detector(batch.video / 255, batch.audio)
    wanted = 0.0
    for weight, head, labels in zip(weights, logits, batch.labels, strict=True):
        if head is not None:
            p_fake = 1 / (1 + np.exp((head[:, 0] - head[:, 1]).double().numpy()))
            wanted += weight * -np.log(np.where(labels.numpy() == 1, p_fake, 1 - p_fake)).mean()
    assert loss.item() == pytest.approx(wanted, rel=1e-5)
    assert step.train_losses["loss"] == pytest.approx(wanted, rel=1e-5)
    assert ("loss_whole" in step.train_losses) == (framework != "independent")


@pytest.mark.parametrize(
    ("framework", "head", "reached"),
    [
        ("independent", 0, "video"),
        ("independent", 1, "audio"),
        ("late-fusion", 0, "video"),
        ("late-fusion", 1, "audio"),
        ("late-fusion", 2, "all but the other heads"),
        ("two-plus-one", 0, "video"),
        ("two-plus-one", 1, "audio"),
        ("two-plus-one", 2, "all but the other heads"),
    ],
)
def test_the_loss_of_one_head_reaches_its_own_parameters(
    monkeypatch: pytest.MonkeyPatch, framework: str, head: int, reached: str
) -> None:
    step = module(monkeypatch, framework=framework)
    batch = clips()
    logits = step.detector(batch.video / 255, batch.audio)[head]
    torch.nn.functional.cross_entropy(logits, batch.labels[head]).backward()
    found = {name for name, parameter in step.detector.named_parameters() if parameter.grad is not None}
    every = {name for name, _ in step.detector.named_parameters()}
    others = {name for name in every if name.startswith(("video.fc.", "audio.fc."))}
    assert len(others) == 4
    own = {name for name in every if name.startswith(f"{reached}.")}
    assert found == (own or every - others)


def test_attended_pictures_let_the_video_loss_reach_sound_but_not_its_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = module(monkeypatch, attended_video="both")
    batch = clips()
    logits = step.detector(batch.video / 255, batch.audio)[0]
    torch.nn.functional.cross_entropy(logits, batch.labels[0]).backward()
    found = {name for name, parameter in step.detector.named_parameters() if parameter.grad is not None}
    streams = {name for name, _ in step.detector.named_parameters() if name.startswith(("video.", "audio."))}
    assert found >= {name for name in streams if not name.startswith("audio.fc.")}
    assert not {name for name in found if name.startswith(("audio.fc.", "sync.fc."))}


@pytest.mark.parametrize("framework", ["independent", "late-fusion", "two-plus-one"])
def test_the_loss_of_a_step_reaches_every_parameter(monkeypatch: pytest.MonkeyPatch, framework: str) -> None:
    step = module(monkeypatch, framework=framework)
    step.training_step(clips(), 0).backward()
    assert all(parameter.grad is not None for parameter in step.detector.parameters())


def test_frozen_streams_keep_weights_and_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    step = module(monkeypatch, freeze_streams=True, streams_from="x", learning_rate=0.1)
    before = {key: value.clone() for key, value in step.detector.state_dict().items()}
    optimizer = step.configure_optimizers()
    for _ in range(2):
        optimizer.zero_grad()
        step.training_step(clips(), 0).backward()
        optimizer.step()
    after = step.detector.state_dict()
    changed = {key for key, value in before.items() if not torch.equal(value, after[key])}
    assert changed
    assert not [key for key in changed if key.startswith(("video.", "audio."))]
    learning = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert learning == {id(p) for name, p in step.detector.named_parameters() if name.startswith("sync.")}


def test_recomputing_changes_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = []
    for recompute in (False, True):
        step = module(monkeypatch)
        step.detector.recompute = recompute
        step.training_step(clips(), 0).backward()
        gradients.append([parameter.grad for parameter in step.detector.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
