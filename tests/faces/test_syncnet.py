"""The published layout, held by names and sizes; and that a file can hand over weights and nothing else."""

import pickle
from pathlib import Path

import pytest
import torch

from avfake.errors import AvfakeError
from avfake.faces.syncnet import SyncNet, load_syncnet

# Of the authors' model: sizes of weights by their place in its four parts.
SIZES = {
    "netcnnaud": {
        0: (64, 1, 3, 3),
        4: (192, 64, 3, 3),
        8: (384, 192, 3, 3),
        11: (256, 384, 3, 3),
        14: (256, 256, 3, 3),
        18: (512, 256, 5, 4),
    },
    "netfcaud": {0: (512, 512), 3: (1024, 512)},
    "netcnnlip": {
        0: (96, 3, 5, 7, 7),
        4: (256, 96, 1, 5, 5),
        8: (256, 256, 1, 3, 3),
        11: (256, 256, 1, 3, 3),
        14: (256, 256, 1, 3, 3),
        18: (512, 256, 1, 6, 6),
    },
    "netfclip": {0: (512, 512), 3: (1024, 512)},
}


def published_keys() -> dict[str, tuple[int, ...]]:
    """Every name of the authors' state dict; a normalization follows all layers but the last of a head."""
    keys: dict[str, tuple[int, ...]] = {}
    for part, sizes in SIZES.items():
        for place, size in sizes.items():
            keys |= {f"{part}.{place}.weight": size, f"{part}.{place}.bias": size[:1]}
            if place == 3:
                continue
            for name in ("weight", "bias", "running_mean", "running_var"):
                keys[f"{part}.{place + 1}.{name}"] = size[:1]
            keys[f"{part}.{place + 1}.num_batches_tracked"] = ()
    return keys


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return SyncNet().state_dict()


def save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def test_names_and_sizes_are_those_published(weights: dict[str, torch.Tensor]) -> None:
    assert {name: tuple(value.shape) for name, value in weights.items()} == published_keys()


def test_windows_get_places(weights: dict[str, torch.Tensor]) -> None:
    network = SyncNet().eval()
    with torch.inference_mode():
        assert network.place_sound(torch.zeros(3, 13, 20)).shape == (3, 1024)
        assert network.place_mouth(torch.zeros(1, 3, 5, 224, 224)).shape == (1, 1024)


def test_weights_are_taken_as_they_are(weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    network = load_syncnet(save(tmp_path / "syncnet.model", weights))
    assert not network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_files_of_old_and_without_counters_are_taken(
    weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    old = {name: value for name, value in weights.items() if "num_batches" not in name}
    path = tmp_path / "old.model"
    torch.save(old, path, _use_new_zipfile_serialization=False)
    assert torch.equal(load_syncnet(path).state_dict()["netfclip.3.bias"], weights["netfclip.3.bias"])


def test_what_does_not_fit_is_named(weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    lacking = {name: value for name, value in weights.items() if not name.startswith("netfclip.3")}
    with pytest.raises(AvfakeError, match=r"lacks netfclip\.3\.bias and 1 more of 102"):
        load_syncnet(save(tmp_path / "lacking", lacking))
    with pytest.raises(AvfakeError, match=r"holds extra\.weight"):
        load_syncnet(save(tmp_path / "extra", {**weights, "extra.weight": torch.zeros(1)}))
    other = {**weights, "netcnnlip.0.weight": torch.zeros(96, 1, 5, 7, 7)}
    with pytest.raises(
        AvfakeError, match=r"netcnnlip\.0\.weight is \[96, 1, 5, 7, 7\]; wanted \[96, 3, 5, 7, 7\]"
    ):
        load_syncnet(save(tmp_path / "other", other))
    with pytest.raises(AvfakeError, match="no table of weights"):
        load_syncnet(save(tmp_path / "list", [torch.zeros(1)]))


def test_absent_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="cannot be found"):
        load_syncnet(tmp_path / "absent")
    (tmp_path / "page").write_text("<!DOCTYPE html>")
    with pytest.raises(AvfakeError, match="no file of weights alone"):
        load_syncnet(tmp_path / "page")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(AvfakeError, match="no file of weights alone"):
        load_syncnet(tmp_path / "empty")


class Trap:
    """What a pickle could do to whoever opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize(
    "how", [save, lambda path, content: path.write_bytes(pickle.dumps(content, 2)) and path]
)
def test_nothing_in_a_file_is_executed(tmp_path: Path, how) -> None:  # type: ignore[no-untyped-def]
    path = how(tmp_path / "trap.model", {"netfclip.3.bias": Trap(tmp_path / "sprung")})
    with pytest.raises(AvfakeError, match="no file of weights alone"):
        load_syncnet(path)
    assert not (tmp_path / "sprung").exists()
