"""What decides a detector: each reading of the paper is a named field, saved beside the weights."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from avfake.errors import AvfakeError

STREAM_FIELDS = (  # by which the two streams are built
    "window_s",
    "frame_rate",
    "sample_rate",
    "picture_size",
    "picture_shrink",
    "picture_mean",
    "picture_std",
    "pad",
    "waveform_level",
    "video_stream",
    "video_widths",
    "video_blocks",
    "video_stem_width",
    "audio_stream",
    "audio_widths",
    "audio_padding",
)
_COUNTS = (  # what must be at least 1
    "frame_rate",
    "sample_rate",
    "picture_size",
    "picture_shrink",
    "video_widths",
    "video_blocks",
    "video_stem_width",
    "audio_widths",
    "attention_heads",
)


@dataclass(frozen=True, kw_only=True)
class DetectorConfig:
    """All that decides a detector's shape and how it reads a clip; the defaults are the preset ``paper``.

    Attributes:
        framework: How the streams come together.
        window_s: Length of a clip, in seconds.
        frame_rate: Pictures per second.
        sample_rate: Of the sound, in Hz.
        picture_size: Height and width of a picture, in pixels; face crops have 112.
        picture_shrink: Pixels a side that are averaged into one before the video stream sees them.
        picture_mean: Of red, green and blue over the pictures, which are in [0, 1]; taken away.
        picture_std: And what they are divided by then.
        pad: What an empty picture is: black, as it comes, or zero after the normalisation.
        waveform_level: ``peak`` brings the loudest sample of each clip to 1.
        video_stream: Key of ``VIDEO_STREAMS``.
        video_widths: Channels after each of the four stages.
        video_blocks: Residual blocks in each.
        video_stem_width: Channels between the two convolutions of the stem.
        pretrained: What the video stream began with.
        audio_stream: Key of ``AUDIO_STREAMS``.
        audio_widths: Channels after each of the four stages.
        audio_padding: Zeros at either end of what each stage's convolution reads.
        connect: Stages after which sound is added to pictures.
        connection: Kind of the convolution over time that brings sound to the pace of pictures.
        connection_align: ``literal`` lays the windows end to end, ``centred`` over the pictures' times.
        sync_start: What the first sum of sound and pictures runs through: a ``block`` of its own, or nothing.
        attention: Between the two, before they are added.
        attention_heads: Into so many bands of the picture each stage's attention is cut.
        attention_positions: Encoded over all pixels of the ``picture``, or of each ``band`` anew.
        inter_intra: How the two kinds add up: ``sum`` of both, or in ``sequence``, intra first.
        zero_unpool: Whether attention begins without effect.
        attended_video: Where attended pictures go: to ``sync`` alone, or on through the video stream too.
        freeze_streams: Keep the weights and the statistics of both streams as they are.
    """

    framework: Literal["two-plus-one", "late-fusion", "independent"] = "two-plus-one"
    window_s: float = 3.0
    frame_rate: int = 10
    sample_rate: int = 22_050
    picture_size: int = 112
    picture_shrink: int = 1
    picture_mean: tuple[float, float, float] = (0.43216, 0.394666, 0.37645)
    picture_std: tuple[float, float, float] = (0.22803, 0.22145, 0.216989)
    pad: Literal["black", "mean"] = "black"
    waveform_level: Literal["kept", "peak"] = "kept"
    video_stream: str = "r2plus1d"
    video_widths: tuple[int, int, int, int] = (64, 128, 256, 512)
    video_blocks: tuple[int, int, int, int] = (2, 2, 2, 2)
    video_stem_width: int = 45
    pretrained: Literal["none", "kinetics400"] = "none"
    audio_stream: str = "m5"
    audio_widths: tuple[int, int, int, int] = (128, 128, 256, 512)
    audio_padding: tuple[int, int, int, int] = (0, 1, 1, 1)
    connect: Literal["1234", "234", "34", "4"] = "1234"
    connection: Literal["dense", "separable"] = "dense"
    connection_align: Literal["literal", "centred"] = "literal"
    sync_start: Literal["block", "sum"] = "block"
    attention: Literal["none", "inter", "inter+intra", "joint"] = "inter"
    attention_heads: tuple[int, int, int, int] = (4, 1, 1, 1)
    attention_positions: Literal["picture", "band"] = "picture"
    inter_intra: Literal["sum", "sequence"] = "sum"
    zero_unpool: bool = True
    attended_video: Literal["sync", "both"] = "sync"
    freeze_streams: bool = False

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            if not _fits(value := getattr(self, name), hint):
                raise AvfakeError(f"{name}={value!r} of a detector must be {_wanted(hint)}")
            object.__setattr__(self, name, tuple(value) if isinstance(value, list) else value)
        self._check_sizes()
        if self.freeze_streams and self.framework == "independent":
            raise AvfakeError("freeze_streams leaves framework independent nothing to train; choose another")

    def _check_sizes(self) -> None:
        for name in _COUNTS:
            value = getattr(self, name)
            if min(value if isinstance(value, tuple) else (value,)) < 1:
                raise AvfakeError(f"{name}={value} of a detector must be at least 1")
        if min(self.audio_padding) < 0:
            raise AvfakeError(f"audio_padding={self.audio_padding} of a detector must not be below 0")
        for name in ("picture_std", "window_s"):
            value = getattr(self, name)
            if not all(0 < x < math.inf for x in (value if isinstance(value, tuple) else (value,))):
                raise AvfakeError(f"{name}={value} of a detector must be above 0 and finite")
        if self.picture_size % self.picture_shrink:
            raise AvfakeError(
                f"picture_size={self.picture_size} must be a multiple of picture_shrink={self.picture_shrink}"
            )

    @property
    def n_frames(self) -> int:
        """Pictures in a clip."""
        return round(self.window_s * self.frame_rate)

    @property
    def n_samples(self) -> int:
        """Samples in a clip."""
        return round(self.window_s * self.sample_rate)

    def as_json(self) -> str:
        """All fields, as they are saved."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str) -> "DetectorConfig":
        """The configuration that ``as_json`` wrote.

        Args:
            text: JSON; a field that is left out has its default.
            source: Where it comes from, for the message.

        Raises:
            AvfakeError: It is no JSON, or a field is unknown or has an impossible value.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise AvfakeError(f"{source} is no JSON: {error}") from error
        if not isinstance(values, dict):
            raise AvfakeError(f"{source} holds no configuration of a detector but {type(values).__name__}")
        try:
            return changed(cls(), values)
        except AvfakeError as error:
            raise AvfakeError(f"{source}: {error}") from error


def changed(config: DetectorConfig, values: Mapping[str, Any]) -> DetectorConfig:
    """A configuration with some fields changed.

    Raises:
        AvfakeError: A field is unknown or has an impossible value.
    """
    known = [field.name for field in fields(DetectorConfig)]
    if unknown := [name for name in values if name not in known]:
        raise AvfakeError(f"a detector has no field {unknown[0]!r}; choose from {', '.join(known)}")
    return DetectorConfig(**{**asdict(config), **values})


def differences(
    found: DetectorConfig, wanted: DetectorConfig, names: Sequence[str] | None = None
) -> list[str]:
    """Where two configurations differ, one text per field.

    Args:
        found: What came.
        wanted: What it should be.
        names: Fields that matter; all when None.
    """
    return [
        f"{name} is {value!r} instead of {getattr(wanted, name)!r}"
        for name, value in asdict(found).items()
        if value != getattr(wanted, name) and (names is None or name in names)
    ]


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        return isinstance(value, tuple | list) and len(value) == len(parts) and all(map(_fits, value, parts))
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    return type(value) in ((int, float) if hint is float else (hint,))


def _wanted(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return f"{len(get_args(hint))} times {_wanted(get_args(hint)[0])}"
    if get_origin(hint) is Literal:
        return f"one of {', '.join(get_args(hint))}"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[hint]


PRESETS = {
    "paper": DetectorConfig(),
    "tiny": DetectorConfig(
        picture_shrink=2,
        video_widths=(8, 16, 32, 64),
        video_blocks=(1, 1, 1, 1),
        video_stem_width=12,
        audio_widths=(16, 32, 64, 64),
    ),
}
