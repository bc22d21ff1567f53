"""Files of torch are read as torch reads them, and nothing in them is run."""

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from avfake.vocoders.unpickle import Inert, read_torch

MAGIC, PROTOCOL, SYSTEM = 0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}
_BIG = torch.arange(100.0)
CONTENT = {
    "views": OrderedDict(part=_BIG[10:20], strided=_BIG[::7], turned=_BIG.view(10, 10).T, scalar=_BIG[3]),
    "numbers": {
        name: torch.arange(6).to(getattr(torch, name)) for name in ("half", "bfloat16", "int8", "bool")
    },
    "parameter": nn.Parameter(torch.ones(2, 3)),
    "empty": torch.empty(0, 4),
    "rest": [1, 2.5, "text", None, (True, ("a", 7))],
}


def saved(content: Any, legacy: bool) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    file.seek(0)
    return file


def wrapped(pickled: bytes, legacy: bool) -> io.BytesIO:
    """A file of torch around a pickle that torch would not write."""
    file = io.BytesIO()
    if legacy:
        head = b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, PROTOCOL, SYSTEM))
        file.write(head + pickled + pickle.dumps([], protocol=2))
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", pickled)
            archive.writestr("archive/version", "3\n")
    file.seek(0)
    return file


def assert_same(read: Any, wanted: Any) -> None:
    if isinstance(wanted, torch.Tensor):
        assert read.dtype == wanted.dtype
        assert torch.equal(read, wanted)
    elif isinstance(wanted, dict):
        assert list(read) == list(wanted)
        for key in wanted:
            assert_same(read[key], wanted[key])
    else:
        assert read == wanted


@pytest.fixture(params=[True, False], ids=["legacy", "zip"])
def legacy(request: pytest.FixtureRequest) -> bool:
    return request.param


def test_everything_of_a_state_dict_is_read(legacy: bool) -> None:
    assert_same(read_torch(saved(CONTENT, legacy)), CONTENT)


def test_reading_leaves_tensors_that_can_be_written_to(legacy: bool) -> None:
    read = read_torch(saved({"a": torch.zeros(3)}, legacy))
    read["a"] += 1
    assert read["a"].tolist() == [1, 1, 1]


def test_a_module_becomes_inert_and_keeps_its_tensors(legacy: bool) -> None:
    module = nn.Sequential(nn.Conv1d(2, 3, 5), nn.BatchNorm1d(3))
    read = read_torch(saved(module, legacy))
    assert isinstance(read, Inert)
    assert not isinstance(read, nn.Module)
    convolution = read.state["_modules"]["0"]
    assert torch.equal(convolution.state["_parameters"]["weight"], module[0].weight)


class Evil:
    """Makes a file when it is unpickled by anything that obeys."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return open, (self.target, "w")


def attacks(target: Path) -> list[bytes]:
    """Pickles that run code when obeyed, by every way a pickle can call something."""
    path = str(target).encode()
    shell = b"touch " + path
    return [
        *(pickle.dumps({"a": Evil(target)}, protocol) for protocol in range(6)),
        b"cos\nsystem\n(S'" + shell + b"'\ntR.",  # GLOBAL, REDUCE
        b"(S'" + shell + b"'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'" + shell + b"'\no.",  # OBJ
        b"c__builtin__\neval\n(S'open(\"" + path + b'", "w")\'\ntR.',
        b"ctorch\nload\n(S'" + path + b"'\ntR.",
        b"ctorch.serialization\nos.system\n(S'" + shell + b"'\ntR.",
        b"ccollections\nOrderedDict.__init__.__globals__\n(S'" + shell + b"'\ntR.",
        b"ccopyreg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c" + bytes([len(shell)]) + shell + b"\x85R.",  # STACK_GLOBAL
        b"\x80\x02cos\nsystem\nX" + len(shell).to_bytes(4, "little") + shell + b"\x85\x81.",  # NEWOBJ
    ]


def test_the_attacks_work_on_a_reader_that_obeys(tmp_path: Path) -> None:
    """So that the next test can fail."""
    obeyed = 0
    for pickled in attacks(tmp_path / "made"):
        try:
            pickle.loads(pickled)
        except Exception:
            continue
        finally:
            obeyed += (tmp_path / "made").exists()
            (tmp_path / "made").unlink(missing_ok=True)
    assert obeyed >= 10


def test_no_pickle_runs_anything(tmp_path: Path, legacy: bool) -> None:
    for pickled in attacks(tmp_path / "made"):
        try:
            read = read_torch(wrapped(pickled, legacy))
        except Exception:
            continue
        finally:
            assert not (tmp_path / "made").exists()
        assert isinstance(read, Inert | dict)


def test_one_file_cannot_spoil_the_next(legacy: bool) -> None:
    """A pickle may set attributes of what it names, here ``mark`` of the function that makes tensors."""
    named = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n"
    spoiled = read_torch(wrapped(named + b"N}X\x04\x00\x00\x00markK\x01s\x86b.", legacy))
    assert spoiled.mark == 1
    assert not hasattr(read_torch(wrapped(named + b".", legacy)), "mark")


class Lying(pickle.Pickler):
    """Writes a storage's reference with another number of values."""

    def persistent_id(self, thing: Any) -> Any:
        return ("storage", torch.FloatStorage, "0", "cpu", 10**13) if thing is Lying else None


def lying_tensor() -> bytes:
    file = io.BytesIO()
    Lying(file, protocol=2).dump([Lying])
    return file.getvalue()


def test_a_storage_larger_than_its_file_is_refused(legacy: bool) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_torch(wrapped(lying_tensor(), legacy))


def test_a_view_beyond_its_storage_is_refused(legacy: bool) -> None:
    whole = saved({"a": torch.zeros(7)}, legacy).getvalue()
    shape = b"K\x07\x85"  # the tuple (7,)
    assert whole.count(shape) == 1
    with pytest.raises((RuntimeError, zipfile.BadZipFile)):
        read_torch(io.BytesIO(whole.replace(shape, b"K\x63\x85")))


@pytest.mark.parametrize("data", [b"", b"PK no zip", b"\x80\x02}.", pickle.dumps(1), bytes(500)])
def test_what_is_no_file_of_torch_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile)):
        read_torch(io.BytesIO(data))


def test_no_cut_of_a_file_is_taken_for_whole(legacy: bool) -> None:
    whole = saved({"a": torch.ones(20), "b": torch.ones(5)}, legacy).getvalue()
    for length in range(0, len(whole) - 1, 13):
        with pytest.raises(Exception, match=r".*"):
            read_torch(io.BytesIO(whole[:length]))
