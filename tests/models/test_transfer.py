"""Streams begin with weights made elsewhere: all of them, or none."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from avfake import fetch as fetch_module
from avfake.errors import AvfakeError
from avfake.models import Detector, build_model, transfer
from avfake.models.transfer import KINETICS, PublishedWeights, fetch_kinetics, load_kinetics, load_streams
from tests.models.small import SMALL, small
from tests.models.test_pretrained import Trap, trained
from tests.weights_server import Weights, serve

State = dict[str, Tensor]


def published(seed: int = 3) -> State:
    """What a file of Kinetics weights would hold for the narrow stream."""
    torch.manual_seed(seed)
    state = build_model("tiny", **SMALL).get_submodule("video").state_dict()
    return {**state, "fc.weight": torch.randn(400, 64), "fc.bias": torch.randn(400)}


def save(state: object, path: Path) -> Path:
    if path.suffix == ".safetensors":
        assert isinstance(state, dict)
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("classifier", [True, False])
def test_all_but_the_head_comes_from_the_file(name: str, classifier: bool, tmp_path: Path) -> None:
    state = {key: x for key, x in published().items() if classifier or not key.startswith("fc.")}
    model = small()
    before = {key: x.clone() for key, x in model.state_dict().items()}
    load_kinetics(model, save(state, tmp_path / name))
    for key, tensor in model.state_dict().items():
        inside = key.removeprefix("video.")
        from_file = key != inside and not inside.startswith("fc.")
        assert torch.equal(tensor, state[inside] if from_file else before[key])


def test_build_model_takes_the_file_and_remembers(tmp_path: Path) -> None:
    state = published()
    path = save(state, tmp_path / "w.pth")
    model = build_model("tiny", kinetics=path, **SMALL)
    assert model.config.pretrained == "kinetics400"
    assert torch.equal(model.state_dict()["video.stem.0.weight"], state["stem.0.weight"])
    model.save_pretrained(tmp_path / "run")
    again = type(model).from_pretrained(tmp_path / "run")  # without the file
    assert again.config.pretrained == "kinetics400"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Weights]:
    """Publishes weights for the narrow stream, and keeps what is downloaded apart."""
    monkeypatch.setenv("AVFAKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch_module, "_PAUSE_S", 0.0)
    with serve(save(published(), tmp_path / "w.pth").read_bytes()) as weights:
        publish(monkeypatch, f"{weights.url}/plain", hashlib.sha256(weights.data).hexdigest()[:8])
        yield weights


def publish(monkeypatch: pytest.MonkeyPatch, url: str, sha256_start: str) -> PublishedWeights:
    record = KINETICS._replace(url=url, sha256_start=sha256_start, fits=small().config)
    monkeypatch.setattr(transfer, "KINETICS", record)
    return record


def test_the_published_file_is_fetched_once_and_taken(server: Weights, tmp_path: Path) -> None:
    models = [build_model("tiny", pretrained="kinetics400", **SMALL) for _ in range(2)]
    for model in models:
        assert torch.equal(model.state_dict()["video.stem.0.weight"], published()["stem.0.weight"])
    assert {path.name for path in (tmp_path / "cache" / "models").glob("[!.]*")} == {"plain", "plain.sha256"}
    assert len(server.asked) == 1


def test_a_cut_download_goes_on(server: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    server.cuts = 2
    publish(monkeypatch, f"{server.url}/cut", hashlib.sha256(server.data).hexdigest()[:8])
    assert fetch_kinetics(small().config).read_bytes() == server.data
    assert [asked is not None for _, asked in server.asked] == [False, True, True]


@pytest.mark.parametrize(
    ("place", "sha256_start", "message"),
    [
        ("/none", "", r"/none answers 404 Not Found"),
        ("/login", "", r"/login gives a web page instead of a file: Sign in to continue"),
        ("/plain", "0" * 8, r"/plain gives a file of SHA-256 [0-9a-f]{64} instead of 00000000\.\.\."),
        ("/away?to=http://127.0.0.1:1/w.pt", "", r"cannot be reached: .*refused"),
    ],
)
def test_what_cannot_be_had_is_one_line_with_the_way_out(
    place: str,
    sha256_start: str,
    message: str,
    server: Weights,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    publish(monkeypatch, server.url + place, sha256_start)
    with pytest.raises(AvfakeError, match=message) as caught:
        build_model("tiny", pretrained="kinetics400", **SMALL)
    assert f"; download it by hand to {tmp_path}/cache/models/" in str(caught.value)
    assert str(caught.value).endswith(", or pass --pretrained FILE")
    assert "\n" not in str(caught.value)


def test_a_file_that_changed_in_the_cache_is_refused(server: Weights) -> None:
    path = fetch_kinetics(small().config)
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(AvfakeError, match=r"instead of [0-9a-f]{8}\.\.\.: delete the file and download h"):
        build_model("tiny", pretrained="kinetics400", **SMALL)


def test_nothing_is_fetched_for_another_video_stream(server: Weights) -> None:
    with pytest.raises(AvfakeError, match="video_stem_width is 5 instead of"):
        build_model("tiny", pretrained="kinetics400", **{**SMALL, "video_stem_width": 5})
    assert not server.asked


def test_the_published_hash_is_in_the_published_name() -> None:
    assert KINETICS.name == f"r2plus1d_18-{KINETICS.sha256_start}.pth"
    assert len(KINETICS.sha256_start) == 8


def drop(state: State) -> None:
    del state["layer1.0.conv1.0.0.weight"]


def rename(state: State) -> None:
    state["layer1.0.conv9.weight"] = state.pop("layer1.0.conv1.0.0.weight")


def widen(state: State) -> None:
    state["layer4.0.conv1.0.0.weight"] = torch.zeros(1, 2, 1, 3, 3)


def spoil(state: State) -> None:
    state["stem.0.weight"][0] = torch.inf


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (drop, r"w\.pth do not fit: layer1\.0\.conv1\.0\.0\.weight is missing, and 0 more"),
        (rename, r"layer1\.0\.conv1\.0\.0\.weight is missing, and 1 more"),
        (widen, r"layer4\.0\.conv1\.0\.0\.weight is \[1, 2, 1, 3, 3\] instead of"),
        (spoil, r"hold NaN or infinite numbers in stem\.0\.weight"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    damage: Callable[[State], None], message: str, tmp_path: Path
) -> None:
    state = published()
    damage(state)
    with pytest.raises(AvfakeError, match=message):
        load_kinetics(small(), save(state, tmp_path / "w.pth"))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path = save({"stem.0.weight": Trap(tmp_path / "sprung")}, tmp_path / "w.pth")
    with pytest.raises(AvfakeError, match=r"w\.pth cannot be read") as caught:
        load_kinetics(small(), path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [[torch.ones(1)], {"model": {"a": torch.ones(1)}}, {"epoch": 3}])
def test_other_content_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match="hold no tensors by name"):
        load_kinetics(small(), save(content, tmp_path / "w.pth"))


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    path = save(published(), tmp_path / "r2plus1d_18-91a641e6.pth")
    with pytest.raises(AvfakeError, match=r"have SHA-256 [0-9a-f]{64} instead of 91a641e6\.\.\.: delete"):
        load_kinetics(small(), path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(AvfakeError, match=r"weights .*none\.pth cannot be read: .*No such file"):
        load_kinetics(small(), tmp_path / "none.pth")


def streams(model: Detector) -> State:
    return {key: x for key, x in model.state_dict().items() if key.startswith(("video.", "audio."))}


@pytest.mark.parametrize("framework", ["late-fusion", "two-plus-one"])
def test_streams_of_a_trained_detector_come_whole(framework: str, tmp_path: Path) -> None:
    source = trained("independent")
    source.save_pretrained(tmp_path)
    model = small(framework=framework, freeze_streams=True)
    rest = {key: x.clone() for key, x in model.state_dict().items() if key not in streams(model)}
    load_streams(model, tmp_path)
    own, theirs = streams(model), streams(source)
    assert all(torch.equal(own[key], theirs[key]) for key in own | theirs)
    assert all(torch.equal(model.state_dict()[key], x) for key, x in rest.items())


def test_streams_built_otherwise_are_refused(tmp_path: Path) -> None:
    small(pad="mean").save_pretrained(tmp_path)
    with pytest.raises(AvfakeError, match="whose streams are others: pad is 'mean' instead of 'black'$"):
        load_streams(small(connect="4"), tmp_path)
