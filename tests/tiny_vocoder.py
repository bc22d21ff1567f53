"""A vocoder family of one convolution with two cards, to see what becomes of cards and weights."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from avfake.vocoders import cache, cards, registry
from avfake.vocoders.cards import Card
from avfake.weights import load_strictly

_CARD = """
default = {default}
[source]
paper = "Somebody, 2020, Something"
repository = "https://example.org"
licence = "MIT"
training_data = "{name}"
[checkpoint]
{checkpoint}
container = "generator"
[model]
channels = 3
"""


class Tiny:
    """What the registry hands to a family, kept."""

    checkpoint_sha256: str | None = None

    def __init__(self, card: Card, state: dict[str, Tensor] | None) -> None:
        self.name, self.mel = card.name, card.mel
        self.network = nn.Sequential(nn.Conv1d(2, card.model["channels"], 1))
        if state is not None:
            load_strictly(self.network, state, f"weights do not fit vocoder {card.name}")

    def to(self, device: torch.device) -> None:
        self.network.to(device)


def save_tiny(path: Path) -> None:
    """Weights as published: with weight norm, inside a dict, with what training left."""
    network = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv1d(2, 3, 1)))
    torch.save({"generator": network.state_dict(), "steps": 1}, path)


@contextmanager
def tiny_cards(folder: Path, url: str, weights: bytes) -> Iterator[None]:
    """Two cards and no others: ``vocos.far``, the default, behind ``url``; ``vocos.near``, not far away."""
    folder.mkdir()
    far = _CARD.format(name="far", default="true", checkpoint=f'url = "{url}"\nfile = "w.pt"')
    near = _CARD.format(name="near", default="false", checkpoint='file = "near.pt"')
    (folder / "vocos.far.toml").write_text(far)
    (folder / "vocos.near.toml").write_text(near)
    (folder / "near.pt").write_bytes(weights)
    family = ModuleType("tiny")
    family.__spec__ = ModuleSpec("tiny", None)
    family.build = Tiny  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tiny", family)
        patch.setitem(registry.LEARNED, "vocos", "tiny")
        for module in (cards, cache):
            patch.setattr(module, "resource_folder", lambda _: folder)
        patch.setenv("AVFAKE_CACHE", str(folder.with_name("cache")))
        cards.load_cards.cache_clear()
        yield
    cards.load_cards.cache_clear()
