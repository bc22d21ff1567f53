"""The few numbers of an HDF5 file: whole one-dimensional datasets in the root group, as h5py writes them."""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DATASPACE, _DATATYPE, _LAYOUT, _CONTINUATION = 1, 3, 8, 16  # kinds of header messages
_FLOAT = 1  # class of a datatype
_CONTIGUOUS = 1  # class of a layout


def read_datasets(data: bytes) -> dict[str, NDArray[np.float32]]:
    """Arrays by name.

    Only what the statistics of public vocoders use is known: superblock 0, a root group with a symbol
    table, and contiguous little-endian floats.

    Args:
        data: The whole file.

    Raises:
        ValueError: The file is of another layout, or damaged.
    """
    try:
        return _File(data).datasets()
    except (struct.error, IndexError, OverflowError, RecursionError) as error:
        raise ValueError("HDF5 file is damaged") from error


class _Message(NamedTuple):
    kind: int
    body: bytes


class _File:
    def __init__(self, data: bytes) -> None:
        if not data.startswith(_SIGNATURE) or data[8] != 0 or data[13:15] != b"\x08\x08":
            raise ValueError("not an HDF5 file with superblock 0 and 8-byte addresses")
        self.data = data

    def datasets(self) -> dict[str, NDArray[np.float32]]:
        tree, heap = self._numbers("QQ", 80)  # kept in the root group's entry of the superblock
        (names,) = self._numbers("Q", heap + 24)
        return {self._text(names + name): self._dataset(header) for name, header in self._entries(tree)}

    def _entries(self, node: int) -> list[tuple[int, int]]:
        """Name and header of each member of a group, below a node of its tree."""
        signature = self.data[node : node + 4]
        if signature == b"SNOD":
            (count,) = self._numbers("H", node + 6)
            return [self._numbers("QQ", node + 8 + 40 * index) for index in range(count)]  # type: ignore[misc]
        if signature != b"TREE":
            raise ValueError("HDF5 group is damaged")
        (count,) = self._numbers("H", node + 6)
        children = (self._numbers("Q", node + 32 + 16 * index)[0] for index in range(count))
        return [entry for child in children for entry in self._entries(child)]

    def _dataset(self, header: int) -> NDArray[np.float32]:
        bodies = {message.kind: message.body for message in self._messages(header)}
        if not {_DATASPACE, _DATATYPE, _LAYOUT} <= set(bodies):
            raise ValueError("HDF5 file holds more than datasets")
        rank, size = bodies[_DATASPACE][1], struct.unpack_from("<I", bodies[_DATATYPE], 4)[0]
        version, kind = bodies[_LAYOUT][:2]
        number = bodies[_DATATYPE][0] & 15, bodies[_DATATYPE][1] & 1, size
        if (version, kind) != (3, _CONTIGUOUS) or number not in ((_FLOAT, 0, 4), (_FLOAT, 0, 8)):
            raise ValueError("HDF5 dataset is not of contiguous little-endian floats")
        shape = struct.unpack_from(f"<{rank}Q", bodies[_DATASPACE], 8)
        address, length = struct.unpack_from("<QQ", bodies[_LAYOUT], 2)
        values = np.frombuffer(self.data[address : address + length], f"<f{size}")
        return values.reshape(shape).astype(np.float32)

    def _messages(self, header: int) -> list[_Message]:
        version, _, count, _, length = self._numbers("BBHII", header)
        if version != 1:
            raise ValueError("HDF5 object header is of a newer version")
        messages: list[_Message] = []
        blocks = [(header + 16, length)]
        for start, size in blocks:  # grows while it is read
            place = start
            while place < start + size and len(messages) < count:
                kind, n_bytes = self._numbers("HH", place)
                body = self.data[place + 8 : place + 8 + n_bytes]
                messages.append(_Message(kind, body))
                if kind == _CONTINUATION:
                    blocks.append(struct.unpack_from("<QQ", body))
                place += 8 + n_bytes
        return messages

    def _numbers(self, form: str, place: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{form}", self.data, place)

    def _text(self, place: int) -> str:
        return self.data[place : self.data.index(b"\0", place)].decode()
