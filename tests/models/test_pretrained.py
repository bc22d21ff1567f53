"""A folder gives back the detector that was written into it, or says in one line why not."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from avfake.errors import AvfakeError, StorageError
from avfake.models import FRAMEWORKS, Detector, TwoPlusOne, load_detector
from avfake.models.pretrained import CONFIG, WEIGHTS, load_weights
from tests.models.small import draw_clips, small, stir


class Trap:
    """A pickle that leaves a file behind when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small().save_pretrained(tmp_path / "run")
    return tmp_path / "run"


def trained(framework: str) -> Detector:
    model = small(framework=framework)
    stir(model)
    model(*draw_clips(model, 4))  # moves the statistics
    return model


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_folder_gives_the_same_detector_to_the_bit(framework: str, tmp_path: Path) -> None:
    model = trained(framework)
    model.save_pretrained(str(tmp_path / "run"))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [CONFIG, WEIGHTS]
    loaded = load_detector(str(tmp_path / "run"))
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    assert not loaded.training
    own, found = model.state_dict(), loaded.state_dict()
    assert own.keys() == found.keys()
    assert all(torch.equal(own[key], found[key]) for key in own)
    clips = draw_clips(model, 2)
    for one, other in zip(model.eval()(*clips), loaded(*clips), strict=True):
        assert one is other is None or torch.equal(one, other)


def test_the_same_detector_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    load_detector(folder).save_pretrained(tmp_path / "again")
    for name in (CONFIG, WEIGHTS):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_weights_in_another_order_of_memory_are_saved_alike(folder: Path, tmp_path: Path) -> None:
    model = small().to(memory_format=torch.channels_last_3d)
    model.save_pretrained(tmp_path / "again")
    assert (folder / WEIGHTS).read_bytes() == (tmp_path / "again" / WEIGHTS).read_bytes()


def test_frozen_streams_are_frozen_when_they_come_back(tmp_path: Path) -> None:
    small(freeze_streams=True).save_pretrained(tmp_path)
    loaded = load_detector(tmp_path).train()
    assert not any(x.requires_grad for key, x in loaded.named_parameters() if key.startswith("video."))
    assert not loaded.get_submodule("video").training


def test_a_class_loads_its_own_kind(folder: Path, tmp_path: Path) -> None:
    assert isinstance(TwoPlusOne.from_pretrained(folder), TwoPlusOne)
    small(framework="late-fusion").save_pretrained(tmp_path / "late")
    with pytest.raises(
        AvfakeError, match="holds a detector late-fusion, not two-plus-one; take load_detector"
    ):
        TwoPlusOne.from_pretrained(tmp_path / "late")


def test_weights_of_another_configuration_are_refused_by_field(folder: Path) -> None:
    model = small(connect="34", attention="none")
    with pytest.raises(AvfakeError, match=r"connect is '1234' instead of '34'; attention is 'inter' instead"):
        load_weights(model, model.config, folder)


def test_a_configuration_exchanged_on_disk_is_noticed(folder: Path) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "attention": "joint"}))
    with pytest.raises(
        AvfakeError, match="was not saved with .*: its own attention is 'inter' instead of 'j"
    ):
        load_detector(folder)


def drop_config(folder: Path) -> None:
    (folder / CONFIG).unlink()


def drop_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def garble_config(folder: Path) -> None:
    (folder / CONFIG).write_bytes(b"\xff\xfe")


def cut_weights(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


def pickle_weights(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(pickle.dumps(Trap(folder / "sprung")))


def rename_key(folder: Path) -> None:
    state = safetensors.torch.load_file(folder / WEIGHTS)
    state["sync.fc.scale"] = state.pop("sync.fc.weight")
    safetensors.torch.save_file(state, folder / WEIGHTS)


def widen(folder: Path) -> None:
    state = safetensors.torch.load_file(folder / WEIGHTS)
    state["sync.fc.weight"] = torch.zeros(3, 64)
    safetensors.torch.save_file(state, folder / WEIGHTS)


def spoil(folder: Path) -> None:
    state = safetensors.torch.load_file(folder / WEIGHTS)
    state["sync.fc.weight"][0, 0] = torch.nan
    safetensors.torch.save_file(state, folder / WEIGHTS)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (drop_config, "run holds no detector that can be read: .*No such file"),
        (drop_weights, "run holds no detector that can be read: .*No such file"),
        (garble_config, "run holds no detector that can be read: .*utf-8"),
        (cut_weights, "run holds no detector that can be read: .*[Ee]rror"),
        (pickle_weights, "run holds no detector that can be read: .*[Ee]rror"),
        (rename_key, r"do not fit: sync\.fc\.weight is missing, and 1 more"),
        (widen, r"do not fit: sync\.fc\.weight is \[3, 64\] instead of \[2, 64\], and 0 more"),
        (spoil, r"hold NaN or infinite numbers in sync\.fc\.weight; get them again"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line(
    damage: Callable[[Path], None], message: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(AvfakeError, match=message) as caught:
        load_detector(folder)
    assert "\n" not in str(caught.value)
    assert not (folder / "sprung").exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot write"):
        small().save_pretrained(tmp_path / "file")
