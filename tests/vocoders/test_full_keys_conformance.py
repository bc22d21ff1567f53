"""Every published architecture, built from its card, takes exactly the published keys and shapes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from avfake.errors import AvfakeError
from avfake.vocoders.cards import Card, find_card, load_cards
from avfake.vocoders.registry import LEARNED

WITH_CARDS: dict[str, Callable[[Card, str], bool]] = {  # file -> whether a card is of an architecture in it
    "bigvgan_nvidia": lambda card, name: f"/{name}/" in card.checkpoint.url,
    "hifigan_jik876": lambda card, name: (
        "jik876" in card.source.repository and card.tag.endswith(name.lower())
    ),
    "melgan_descript": lambda card, name: "descript" in card.checkpoint.url,
    "pwg_kanbayashi": lambda card, name: (
        card.tag.endswith("large-v1") if "large" in name else _is(card, name)
    ),
    "vocos": lambda card, name: f"/{name}/" in card.checkpoint.url,
    "waveglow_nvidia": lambda card, name: "waveglow" in card.family,
    "wavenet_r9y9_2018": lambda card, name: card.family == "wavenet" and card.name == WAVENETS[name],
    "wavernn_fatchord": lambda card, name: "fatchord" in card.source.repository and name == "MOL",
    "wavernn_torchaudio": lambda card, name: _is(card, name),
}
WAVENETS = {
    "ljspeech_mixture": "wavenet.ljspeech-mol",
    "multispeaker_cmu_arctic_mixture": "wavenet.cmu-arctic-mol",
}
HEAD = {
    "layout": "2019",
    "residual_channels": 128,
    "gate_channels": 256,
    "skip_channels": 128,
    "mel_context": 2,
}
WITHOUT_CARDS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {  # recipes whose weights nobody published
    ("wavenet_r9y9_head", "mol_wavenet"): ("wavenet", HEAD),
    ("wavenet_r9y9_head", "gaussian_wavenet"): ("wavenet", HEAD | {"output": "gaussian"}),
    ("wavenet_r9y9_head", "mulaw256_wavenet"): (
        "wavenet",
        HEAD | {"output": "softmax", "n_layers": 30, "n_stacks": 3},
    ),
    ("wavernn_fatchord", "RAW"): ("wavernn", {"output": "softmax", "n_classes": 512}),
}

pytestmark = pytest.mark.shared


def _is(card: Card, name: str) -> bool:
    return card.checkpoint.file.startswith((f"{name}.tar.gz", f"{name}.pth"))


class Architecture(NamedTuple):
    """One entry of a ``*.full-keys.json``.

    Attributes:
        file: Which.
        name: As there.
        state: Of the published keys and shapes, weight norm multiplied out, without values.
    """

    file: str
    name: str
    state: dict[str, Tensor]

    def cards(self) -> list[Card]:
        """Every card of this architecture; for one without, a card of its family with other arguments."""
        if (self.file, self.name) in WITHOUT_CARDS:
            family, model = WITHOUT_CARDS[self.file, self.name]
            return [replace(find_card(family), model=model)]
        return [card for card in load_cards().values() if WITH_CARDS[self.file](card, self.name)]


@cache
def architectures(folder: Path, file: str) -> list[Architecture]:
    """All of one file but those that are driven by a codec's tokens instead of a Mel."""
    entries = json.loads((folder / f"{file}.full-keys.json").read_text()).items()
    return [
        Architecture(file, name, state_of(entry["keys"])) for name, entry in entries if "encodec" not in name
    ]


def state_of(keys: list[tuple[str, list[int], str]]) -> dict[str, Tensor]:
    """What folding leaves of the published keys: a weight of the shape of its direction, and no length."""
    with torch.device("meta"):  # shapes without values, so that the largest cost nothing
        return {
            key.replace("weight_v", "weight"): torch.empty(shape, dtype=getattr(torch, kind))
            for key, shape, kind in keys
            if not key.endswith("weight_g")
        }


def build(card: Card, state: Mapping[str, Tensor]) -> None:
    """The card's vocoder; statistics of the Mel come beside the weights."""
    with torch.device("meta"):
        needed = card.checkpoint.stats or card.model.get("layout") == "2019"
        statistics = {"mean": torch.zeros(80), "scale": torch.ones(80)} if needed else {}
        import_module(LEARNED[card.family]).build(card, {**state, **statistics})


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "conformance" / "vocoders"


FILES = sorted({*WITH_CARDS, *(file for file, _ in WITHOUT_CARDS)})


def test_no_file_is_left_out(folder: Path) -> None:
    found = sorted(path.name.removesuffix(".full-keys.json") for path in folder.glob("*.full-keys.json"))
    assert found == FILES


@pytest.mark.parametrize("file", FILES)
def test_every_architecture_has_a_card(file: str, folder: Path) -> None:
    assert not [entry.name for entry in architectures(folder, file) if not entry.cards()]


@pytest.mark.parametrize("file", FILES)
def test_published_states_are_taken(file: str, folder: Path) -> None:
    for architecture in architectures(folder, file):
        for card in architecture.cards():
            build(card, architecture.state)


@pytest.mark.parametrize("file", FILES)
def test_a_state_with_any_difference_is_refused(file: str, folder: Path) -> None:
    for architecture in architectures(folder, file):
        state = architecture.state
        key = max(state, key=lambda key: state[key].numel())
        rest = {name: tensor for name, tensor in state.items() if name != key}
        longer = state[key].new_empty(*state[key].shape[:-1], state[key].shape[-1] + 1)
        for wrong in (rest, rest | {f"{key}_": state[key]}, state | {"more": longer}, rest | {key: longer}):
            with pytest.raises(AvfakeError, match="do not fit vocoder"):
                build(architecture.cards()[0], wrong)
