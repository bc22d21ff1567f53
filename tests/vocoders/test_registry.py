"""Vocoders by name."""

import subprocess
import sys

import pytest

from avfake.errors import AvfakeError
from avfake.vocoders.registry import COMPUTED, list_vocoders, load_vocoder


def test_known_names_are_sorted_and_load_under_their_name() -> None:
    assert list_vocoders() == sorted(list_vocoders())
    assert all(load_vocoder(name).name == name for name in COMPUTED)


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AvfakeError, match=r"'melgam' is unknown; choose one of bigvgan, .*world"):
        load_vocoder("melgam")


def test_listing_vocoders_imports_no_torch() -> None:
    code = "import sys; from avfake.vocoders.registry import list_vocoders; list_vocoders(); "
    code += "sys.exit('torch' in sys.modules or 'pyworld' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
