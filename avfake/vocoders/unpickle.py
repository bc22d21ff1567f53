"""The tensors of a file that ``torch.save`` wrote, read without running any of the code it may hold."""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

import torch
from torch import Tensor

_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_MAGIC = 0x1950A86A20F9469CFC6C  # first object of the format before torch 1.6
_LENGTH_BYTES = 8  # of the number of elements before each storage in that format


class Inert:
    """Stands for an object of any class: it keeps the state it was given and can do nothing.

    Attributes:
        state: What the object's own class would have been given; an empty dict without any.
    """

    state: Any

    def __new__(cls, *_: Any, **__: Any) -> "Inert":
        """Make one, whatever the arguments."""
        made = super().__new__(cls)
        made.state = {}
        return made

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def append(self, item: Any) -> None:
        """Forget an item of a list."""

    def extend(self, items: Any) -> None:
        """Forget items of a list."""


def read_torch(file: BinaryIO) -> Any:
    """What was saved: dicts, lists, numbers, texts and tensors; everything else is ``Inert``.

    Args:
        file: Seekable, of either format that torch has written since its version 0.4.

    Raises:
        ValueError: The file is of no such format; other exceptions when it is damaged.
    """
    if is_zip(file):
        with zipfile.ZipFile(file) as archive:
            return _read_zip(archive)
    return _read_legacy(file)


def is_zip(file: BinaryIO) -> bool:
    """Whether a file begins as a zip archive does; one that ends in an archive, as a tar may, is none."""
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    return start == b"PK"


def _read_zip(archive: zipfile.ZipFile) -> Any:
    pickled = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickled) != 1:
        raise ValueError("not a file of torch.save")
    root = pickled[0].removesuffix("data.pkl")
    if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
        raise ValueError("saved with the most significant byte first")

    def load_storage(dtype: torch.dtype, key: str, n_values: int) -> Tensor:
        return _storage(archive.read(f"{root}data/{key}"), dtype, n_values)

    with archive.open(pickled[0]) as file:
        return _Unpickler(file, load_storage).load()


def _read_legacy(file: BinaryIO) -> Any:
    n_bytes = file.seek(0, 2)
    file.seek(0)
    storages: dict[str, Tensor] = {}

    def load_storage(dtype: torch.dtype, key: str, n_values: int) -> Tensor:
        if not 0 <= n_values * dtype.itemsize <= n_bytes:
            raise ValueError(f"storage of {n_values} values in a file of {n_bytes} bytes")
        return storages.setdefault(key, torch.empty(n_values, dtype=dtype))

    def load() -> Any:
        return _Unpickler(file, load_storage).load()

    if load() != _MAGIC:
        raise ValueError("not a file of torch.save")
    load()  # protocol
    load()  # the byte order and integer sizes of the machine that wrote it
    content = load()
    for key in load():  # values follow the structure, in this order
        storage = storages[key]
        n_values = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        storage.copy_(_storage(file.read(n_values * storage.dtype.itemsize), storage.dtype, len(storage)))
    return content


def _storage(data: bytes, dtype: torch.dtype, n_values: int) -> Tensor:
    if len(data) != n_values * dtype.itemsize:
        raise ValueError(f"storage of {len(data)} bytes instead of {n_values} values of {dtype}")
    return torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)


def _known() -> dict[tuple[str, str], Any]:
    """The few things a pickle may name; made anew for each, since it may set attributes of what it names."""

    def rebuild_tensor(storage: Tensor, offset: int, shape: Any, stride: Any, *_: Any) -> Tensor:
        return storage.as_strided(shape, stride, offset)  # which checks that it lies inside

    def rebuild_parameter(data: Tensor, *_: Any) -> Tensor:
        return data

    return {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
        ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
        ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
        ("torch.nn.parameter", "Parameter"): rebuild_parameter,
    }


class _Unpickler(pickle.Unpickler):
    """Knows tensors, their storages and ordered dicts; every other class it finds becomes ``Inert``."""

    def __init__(self, file: Any, load_storage: Callable[[torch.dtype, str, int], Tensor]) -> None:
        super().__init__(file, encoding="utf-8")
        self.load_storage = load_storage
        self.loaded: dict[str, Tensor] = {}
        self.known = _known()

    def find_class(self, module: str, name: str) -> Any:
        """What a name in the pickle stands for; nothing is ever imported."""
        if module in ("torch", "torch.cuda") and name in _DTYPES:
            return _DTYPES[name]
        return self.known.setdefault((module, name), type(name, (Inert,), {}))

    def persistent_load(self, reference: Any) -> Any:
        """What lies outside the pickle: a storage's values, or the source of a class, which is not wanted."""
        kind, thing, *rest = reference
        if kind == "module":
            return thing
        key, _, n_values, *view = rest
        if key not in self.loaded:
            self.loaded[key] = self.load_storage(thing, key, n_values)
        if view and view[0] is not None:  # part of a larger storage
            _, offset, length = view[0]
            return self.loaded[key][offset : offset + length]
        return self.loaded[key]
