"""What decides a training: every field is saved with the run."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from avfake.accelerator import Accelerator
from avfake.dataset.augment import Augmentation
from avfake.dataset.sampling import Policy
from avfake.errors import AvfakeError
from avfake.models.config import PRESETS, DetectorConfig, changed

Precision = Literal["32-true", "bf16-mixed"]
Monitor = Literal["auc_whole", "auc_video", "auc_audio", "balanced_accuracy_whole", "loss"]

_FREE = {"free": True}  # of what decides how fast a training is, and nothing about its result
_OFTEN = 0.5  # probability of a transform that is named without one


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """All that decides a training; the defaults are the paper's where it states them.

    Attributes:
        split: Name of the split, of which train is learnt and val judges each epoch.
        detector: What is trained.
        epochs: At most so many.
        batch_size: Clips of one step of the optimizer, over all its parts and devices.
        accumulate: Parts that a device takes one after another, to need less memory.
        learning_rate: Of Adam, the same throughout.
        loss_weights: Of the cross-entropies of video, audio and the whole.
        precision: ``bf16-mixed`` computes most of a step in half the bits.
        recompute: Compute each stage a second time for the gradients rather than keep it in memory.
        policy: Which rows an epoch shows.
        augmentation: What may happen to a clip.
        monitor: Which result on val decides on the best epoch.
        patience: Stop after so many epochs in a row that were no better; 0 never stops early.
        streams_from: Name of the run whose trained video and audio streams this begins with.
        seed: Of the first weights and every draw.
        devices: So many share each batch.
        accelerator: What these are; ``auto`` takes GPUs where there are any.
        strategy: How they work together, in Lightning's words.
        workers: Processes that read clips, per device.
        save_every: Steps from one checkpoint to the next, within an epoch.
    """

    split: str
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    epochs: int = 30
    batch_size: int = 64
    accumulate: int = 1
    learning_rate: float = 2e-4
    loss_weights: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    precision: Precision = "32-true"
    recompute: bool = False
    policy: Policy = "all"
    augmentation: Augmentation = field(default_factory=Augmentation)
    monitor: Monitor = "auc_whole"
    patience: int = 10
    streams_from: str | None = None
    seed: int = 0
    devices: int = 1
    accelerator: Accelerator = field(default="auto", metadata=_FREE)
    strategy: str = field(default="auto", metadata=_FREE)
    workers: int = field(default=0, metadata=_FREE)
    save_every: int = field(default=100, metadata=_FREE)

    def __post_init__(self) -> None:
        for name, low in {
            "epochs": 1,
            "batch_size": 1,
            "accumulate": 1,
            "devices": 1,
            "save_every": 1,
        }.items():
            if getattr(self, name) < low:
                raise AvfakeError(f"{name}={getattr(self, name)} must be at least {low}")
        for name in ("patience", "workers"):
            if getattr(self, name) < 0:
                raise AvfakeError(f"{name}={getattr(self, name)} must not be below 0")
        for name, known in (("policy", Policy), ("monitor", Monitor), ("precision", Precision)):
            _refuse_unknown(name, getattr(self, name), get_args(known))
        if not 0 < self.learning_rate < math.inf:
            raise AvfakeError(f"learning_rate={self.learning_rate} must be above 0 and finite")
        if min(self.loss_weights) < 0 or not 0 < sum(self.loss_weights) < math.inf:
            raise AvfakeError(f"loss_weights={self.loss_weights} must be 0 or more, and not all 0")
        if self.batch_size % (self.accumulate * self.devices):
            raise AvfakeError(
                f"batch_size={self.batch_size} cannot be cut into accumulate={self.accumulate} equal parts "
                f"on devices={self.devices}; take a multiple of {self.accumulate * self.devices}"
            )
        if self.detector.freeze_streams and self.streams_from is None:
            raise AvfakeError(
                "freeze_streams would keep random streams as they are; name with --streams-from the run that "
                "trained them"
            )
        if self.streams_from is not None and self.detector.pretrained != "none":
            raise AvfakeError(f"--streams-from {self.streams_from} leaves nothing of --pretrained; take one")

    @property
    def part_size(self) -> int:
        """Clips that a device sees at a time, hence those of one batch-norm."""
        return self.batch_size // (self.accumulate * self.devices)

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON has them."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found


def detector_config(preset: str, settings: Sequence[str], **overrides: Any) -> DetectorConfig:
    """A preset's detector with some fields changed.

    Args:
        preset: Key of ``PRESETS``.
        settings: ``field=value`` each, the value as JSON writes it, or a bare word.
        overrides: More fields; None leaves one as it is.

    Raises:
        AvfakeError: The preset or a field is unknown, or a value is impossible.
    """
    _refuse_unknown("preset", preset, PRESETS)
    wanted = {name: value for name, value in overrides.items() if value is not None}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise AvfakeError(f"--set {setting!r} must be field=value")
        wanted[name.strip().replace("-", "_")] = _value(text.strip())
    return changed(PRESETS[preset], wanted)


def weights_file(pretrained: str | None) -> Path | None:
    """The file that ``--pretrained`` names: none for the word ``kinetics``, whose file avfake knows."""
    return None if pretrained in (None, "kinetics") else Path(str(pretrained))


def augmentation(names: Sequence[str]) -> Augmentation:
    """What the names of transforms switch on.

    Args:
        names: ``name`` or ``name=probability`` each; without a probability it is one half.

    Raises:
        AvfakeError: A name is unknown, or a probability is none.
    """
    known = [item.name for item in fields(Augmentation)]
    chosen = {}
    for name, equals, text in (item.partition("=") for item in names):
        _refuse_unknown("augmentation", name, known)
        try:
            chosen[name] = float(text) if equals else _OFTEN
            Augmentation(**{name: chosen[name]})
        except ValueError as error:
            raise AvfakeError(
                f"--augment {name}={text}: {text!r} must be a probability from 0 to 1"
            ) from error
    return Augmentation(**chosen)


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Fields whose values differ, as ``name=before (now after)``; those that change no result are left out.

    Args:
        before: As ``TrainConfig.as_json`` gave it, with more facts or less.
        now: Likewise.
    """
    free = {item.name for item in fields(TrainConfig) if item.metadata.get("free")}
    texts = []
    for name in dict.fromkeys([*before, *now]):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            texts += differences(old, new)
        elif old != new and name not in free:
            texts.append(f"{name}={json.dumps(old)} (now {json.dumps(new)})")
    return texts


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refuse_unknown(name: str, value: str, known: Any) -> None:
    if value not in known:
        raise AvfakeError(f"{name} {value!r} is unknown; choose one of {', '.join(known)}")
