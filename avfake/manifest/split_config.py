"""What decides a split: every option of ``avfake build-split``, and the question it answers."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from avfake.errors import AvfakeError

TrainPolicy = Literal["balanced", "swap"]
BandLimit = Literal["none", "common"]


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """All options that decide the bytes of a split.

    Attributes:
        corpora: Indexed corpora to draw from.
        vocoders: Whose sound stands for fake audio.
        balanced: Equal quadrants, methods and vocoders; else every eligible row.
        train_policy: ``swap`` takes each training clip once, with a vocoded sound one time in two.
        leave_out_method: Video manipulations kept for the test split.
        leave_out_vocoder: Vocoders kept for the test split.
        shuffle_audio: Give each clip the sound of another person.
        per_quadrant: Rows of a quadrant in each balanced split; None for as many as there can be.
        window_s: Length of a sample, in seconds.
        min_duration_s: Shorter sounds are left out, in seconds.
        min_sync: Clips with a lower ``sync_score`` are left out; None for no such limit.
        ratios: Shares of train, val and test where the corpus has no official split.
        band_limit: ``common`` passes all sound through one low-pass.
        seed: Of every draw.
    """

    corpora: tuple[str, ...]
    vocoders: tuple[str, ...]
    balanced: bool = True
    train_policy: TrainPolicy = "balanced"
    leave_out_method: tuple[str, ...] = ()
    leave_out_vocoder: tuple[str, ...] = ()
    shuffle_audio: bool = False
    per_quadrant: int | None = None
    window_s: float = 3.0
    min_duration_s: float = 0.0
    min_sync: float | None = None
    ratios: tuple[float, ...] = (0.72, 0.14, 0.14)
    band_limit: BandLimit = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        _require_choice("train_policy", self.train_policy, get_args(TrainPolicy))
        _require_choice("band_limit", self.band_limit, get_args(BandLimit))
        if self.per_quadrant is not None and self.per_quadrant < 1:
            raise AvfakeError(f"per_quadrant={self.per_quadrant} must be at least 1")
        if not (0 < self.window_s < math.inf and 0 <= self.min_duration_s < math.inf):
            raise AvfakeError(
                f"window_s={self.window_s} must be above 0, min_duration_s={self.min_duration_s} not below"
            )
        if len(self.ratios) != 3 or min(self.ratios) <= 0 or not math.isclose(sum(self.ratios), 1):
            raise AvfakeError(f"ratios={self.ratios} must be three shares above 0 that sum to 1")

    def is_swapped(self, split: str) -> bool:
        """Whether the rows of a split follow the ``swap`` policy."""
        return split == "train" and self.train_policy == "swap"

    def vocoders_of(self, split: str) -> tuple[str, ...]:
        """Vocoders that may be heard in a split.

        Raises:
            AvfakeError: A vocoder to leave out is not among them, or none remains.
        """
        if unknown := sorted(set(self.leave_out_vocoder) - set(self.vocoders)):
            known = ", ".join(self.vocoders)
            raise AvfakeError(f"vocoder {unknown[0]!r} cannot be left out: it is not among {known}")
        if split == "test":
            return self.leave_out_vocoder or self.vocoders
        return _remaining(self.vocoders, self.leave_out_vocoder, "vocoder")

    def methods_of(self, split: str, methods: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the data's ``methods`` that may be seen in a split.

        Raises:
            AvfakeError: A method to leave out does not occur, or none remains.
        """
        if unknown := sorted(set(self.leave_out_method) - set(methods)):
            known = ", ".join(methods) or "none"
            raise AvfakeError(f"method {unknown[0]!r} cannot be left out: the clips show {known}")
        if split == "test":
            return self.leave_out_method or methods
        return _remaining(methods, self.leave_out_method, "method")

    def as_json(self) -> dict[str, Any]:
        """The options as JSON gives them back: lists for tuples."""
        return {name: list(x) if isinstance(x, tuple) else x for name, x in asdict(self).items()}


def _remaining(names: tuple[str, ...], left_out: tuple[str, ...], what: str) -> tuple[str, ...]:
    remaining = tuple(name for name in names if name not in left_out)
    if left_out and not remaining:
        raise AvfakeError(f"every {what} is left out ({', '.join(left_out)}): train and val have none")
    return remaining


def _require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise AvfakeError(f"{name}={value!r} is unknown; choose one of {', '.join(choices)}")
