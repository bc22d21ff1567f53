from typing import Any

import pytest

from avfake.errors import AvfakeError
from avfake.manifest.split_config import SplitConfig


def config(**options: Any) -> SplitConfig:
    return SplitConfig(**{"corpora": ("dfdc",), "vocoders": ("griffin-lim", "wavernn", "world"), **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_policy": "mixed"}, "train_policy='mixed' is unknown; choose one of balanced, swap"),
        ({"band_limit": "all"}, "band_limit='all' is unknown"),
        ({"per_quadrant": 0}, "per_quadrant=0 must be at least 1"),
        ({"window_s": 0.0}, "window_s=0.0 must be above 0"),
        ({"window_s": float("nan")}, "window_s=nan must be above 0"),
        ({"min_duration_s": -1.0}, "min_duration_s=-1.0 not below"),
        ({"ratios": (0.8, 0.2, 0.0)}, "three shares above 0"),
        ({"ratios": (0.8, 0.1, 0.2)}, "sum to 1"),
        ({"ratios": (0.5, 0.5)}, "three shares"),
    ],
)
def test_impossible_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AvfakeError, match=message.replace("(", r"\(")):
        config(**options)


def test_left_out_vocoder_is_heard_in_test_alone() -> None:
    kept = config(leave_out_vocoder=("wavernn",))
    assert kept.vocoders_of("train") == kept.vocoders_of("val") == ("griffin-lim", "world")
    assert kept.vocoders_of("test") == ("wavernn",)
    assert config().vocoders_of("test") == ("griffin-lim", "wavernn", "world")


def test_left_out_method_is_seen_in_test_alone() -> None:
    kept = config(leave_out_method=("FaceSwap",))
    assert kept.methods_of("val", ("Face2Face", "FaceSwap")) == ("Face2Face",)
    assert kept.methods_of("test", ("Face2Face", "FaceSwap")) == ("FaceSwap",)


def test_leaving_out_the_unknown_or_everything_is_refused() -> None:
    with pytest.raises(AvfakeError, match="vocoder 'melgan' cannot be left out"):
        config(leave_out_vocoder=("melgan",)).vocoders_of("train")
    with pytest.raises(AvfakeError, match="method 'FaceSwap' cannot be left out: the clips show DFDC"):
        config(leave_out_method=("FaceSwap",)).methods_of("test", ("DFDC",))
    with pytest.raises(AvfakeError, match="every method is left out"):
        config(leave_out_method=("DFDC",)).methods_of("train", ("DFDC",))
