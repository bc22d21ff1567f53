"""A published file becomes a state dict that fits its network exactly, or an error that says why not."""

import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from avfake.errors import AvfakeError
from avfake.vocoders.checkpoint import fold_weight_norm, read_state, settled
from avfake.weights import load_strictly
from tests.vocoders.test_containers import archived

N_INPUTS = 4  # of the layers whose weight norm is folded
STATS = Path(__file__).with_name("stats.h5")
STATE = OrderedDict(
    {"none": torch.ones(0, 3), "a.weight": torch.randn(3, 4), "a.bias": torch.randn(3), "n": torch.tensor(7)}
)


@pytest.fixture(params=[True, False], ids=["legacy", "zip"])
def save(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=not request.param)
        return tmp_path / "w.pt"

    return write


def assert_same(state: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert set(state) == set(wanted)
    for key in wanted:
        assert state[key].dtype == (torch.float32 if wanted[key].is_floating_point() else wanted[key].dtype)
        assert torch.equal(state[key], wanted[key].to(state[key].dtype))


@pytest.mark.parametrize(
    ("container", "content"),
    [
        ("", STATE),
        ("generator", {"generator": STATE}),
        (
            "model.generator",
            {"model": {"generator": STATE, "discriminator": {}}, "optimizer": {}, "steps": 400},
        ),
        ("state_dict", {"state_dict": STATE, "global_step": 3}),
        ("model.generator", STATE),  # a re-export of the same weights
        ("", {f"stats/{key}": tensor for key, tensor in STATE.items()}),
    ],
)
def test_state_dicts_are_found_where_they_are_published(
    container: str, content: Any, save: Callable[[Any], Path]
) -> None:
    assert_same(read_state(save(content), container=container), STATE)


def test_a_pickled_module_gives_its_state_dict(save: Callable[[Any], Path]) -> None:
    module = nn.Sequential(
        nn.Conv1d(2, 3, 5), nn.ModuleList([nn.BatchNorm1d(3), weight_normed(nn.Linear(3, 2))])
    )
    module.register_buffer("absent", None)
    assert_same(read_state(save({"model": module, "iteration": 1}), container="model"), module.state_dict())
    assert_same(read_state(save(module)), module.state_dict())


def test_half_precision_becomes_single(save: Callable[[Any], Path], tmp_path: Path) -> None:
    halves = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in STATE.items()}
    assert_same(read_state(save(halves)), halves)
    safetensors.torch.save_file(halves, tmp_path / "w.safetensors")
    assert_same(read_state(tmp_path / "w.safetensors"), halves)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"discriminator": STATE}, "holds no 'generator' but discriminator"),
        ({"generator": 3}, "holds no tensors by name"),
        ({"generator": {}}, "holds no tensors by name"),
        ({"generator": {"a": 3}}, "holds no tensors by name"),
        ([STATE], "holds no 'generator' but list"),
        (
            {"generator": {**STATE, "a.bias": torch.tensor([1, torch.nan])}},
            r"NaN or infinite numbers in a\.bias",
        ),
        (
            {"generator": {**STATE, "a.bias": torch.tensor([torch.inf])}},
            r"NaN or infinite numbers in a\.bias",
        ),
    ],
)
def test_other_content_is_refused_in_one_line(
    content: Any, message: str, save: Callable[[Any], Path]
) -> None:
    with pytest.raises(AvfakeError, match=message) as caught:
        read_state(save(content), container="generator")
    assert "w.pt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_modules_that_hold_each_other_are_refused(save: Callable[[Any], Path]) -> None:
    module = nn.Module()
    module.register_parameter("a", nn.Parameter(torch.ones(1)))
    module._modules["self"] = module
    with pytest.raises(AvfakeError, match="modules that hold each other"):
        read_state(save({"model": module}), container="model")


def test_statistics_come_from_the_archive_or_from_beside(tmp_path: Path, save: Callable[[Any], Path]) -> None:
    bare = save({"model": {"generator": STATE}})
    with pytest.raises(
        AvfakeError, match=r"comes without its statistics; put stats\.h5 of the same download"
    ):
        read_state(bare, container="model.generator", stats="stats.h5")
    members = {"m/w.pkl": bare.read_bytes(), "m/stats.h5": STATS.read_bytes()}
    packed = archived(tmp_path / "m.tar.gz", members)
    (tmp_path / "stats.h5").write_bytes(STATS.read_bytes())
    for path in (bare, packed):
        state = read_state(path, container="model.generator", member="w.pkl", stats="stats.h5")
        assert set(state) == {*STATE, "mean", "scale"}
        assert torch.equal(state["mean"], torch.arange(80) / 8 - 7)
        assert torch.equal(state["scale"], 1 + torch.arange(80) / 64)


def test_statistics_in_the_state_are_kept(save: Callable[[Any], Path]) -> None:
    state = {**STATE, "mean": torch.zeros(80), "scale": torch.ones(80)}
    assert_same(read_state(save(state), stats="stats.h5"), state)


def test_damaged_statistics_are_refused(tmp_path: Path, save: Callable[[Any], Path]) -> None:
    (tmp_path / "stats.h5").write_bytes(STATS.read_bytes()[:900])
    with pytest.raises(AvfakeError, match=r"stats\.h5 of .* holds no mean and scale: HDF5 group is damaged"):
        read_state(save(STATE), stats="stats.h5")


# --- weight norm


def weight_normed(module: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        normed: nn.Module = nn.utils.weight_norm(module)
    return normed


@pytest.mark.parametrize("normed", [weight_normed, parametrizations.weight_norm])
@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Conv1d(N_INPUTS, 6, 3),
        lambda: nn.Conv1d(N_INPUTS, 1, 7),
        lambda: nn.ConvTranspose1d(N_INPUTS, 6, 3),
        lambda: nn.Conv2d(N_INPUTS, 1, (3, 5), bias=False),
        lambda: nn.ConvTranspose2d(N_INPUTS, 3, (3, 5)),
        lambda: nn.Linear(N_INPUTS, 7),
    ],
)
def test_weight_norm_is_folded_exactly(
    make: Callable[[], nn.Module], normed: Callable[[nn.Module], nn.Module]
) -> None:
    network, plain = nn.Sequential(normed(make())), nn.Sequential(make())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter))
    load_strictly(plain, fold_weight_norm(network.state_dict()), "test")
    sizes = [9] * (plain[0].weight.ndim - 2)
    sound = torch.randn(2, N_INPUTS, *sizes)
    assert torch.equal(plain(sound), network(sound))


def test_folding_touches_nothing_else() -> None:
    state = {"weight_graph": torch.ones(2), "a.weight": torch.ones(3), "b.original0": torch.ones(1)}
    folded = fold_weight_norm(state)
    assert list(folded) == list(state)
    assert all(folded[key] is state[key] for key in state)


def test_weight_norm_of_the_outermost_module_is_folded() -> None:
    network = weight_normed(nn.Conv1d(2, 3, 1))
    assert set(fold_weight_norm(network.state_dict())) == {"weight", "bias"}


def test_halves_of_a_pair_are_refused() -> None:
    with pytest.raises(AvfakeError, match=r"hold up\.weight_g without up\.weight_v"):
        fold_weight_norm({"up.weight_g": torch.ones(3, 1, 1)})
    with pytest.raises(AvfakeError, match=r"original1 without up\.parametrizations\.weight\.original0"):
        fold_weight_norm({"up.parametrizations.weight.original1": torch.ones(3, 1, 1)})


@pytest.mark.parametrize("shape", [(4, 1, 1), (1, 1, 4), (3, 1), (3, 2, 1), ()])
def test_shapes_that_do_not_belong_together_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AvfakeError, match=r"weight norm of up\.weight has shapes \[.*\] and \[3, 2, 5\]"):
        fold_weight_norm({"up.weight_g": torch.ones(shape), "up.weight_v": torch.ones(3, 2, 5)})


# --- networks


def test_a_network_is_refused_by_the_name_of_its_vocoder() -> None:
    state = {"weight": torch.ones(3, 2, 5), "bias": torch.ones(4)}
    with pytest.raises(
        AvfakeError, match=r"^weights do not fit vocoder a\.b: bias is \[4\] .*; take the check"
    ):
        settled(lambda: nn.Conv1d(2, 3, 5), state, "a.b")


def test_a_network_comes_ready_to_run_and_without_weights_always_the_same() -> None:
    networks = [settled(lambda: nn.Conv1d(2, 3, 5), None, "a.b") for _ in range(2)]
    assert_same(networks[0].state_dict(), networks[1].state_dict())
    assert not networks[0].training
    assert not any(parameter.requires_grad for parameter in networks[0].parameters())
