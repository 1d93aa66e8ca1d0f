"""Torch checkpoints assembled opcode by opcode, so that no test needs torch."""

from __future__ import annotations

import io
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import numpy.typing as npt
import pytest

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
VERSION = b"\x80\x02M\xe9\x03."

STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}


class Writer:
    """Assembles one checkpoint; values that are `bytes` are opcodes already, and stay."""

    def __init__(self) -> None:
        self.storages: dict[str, tuple[int, bytes]] = {}

    def encode(self, value: object) -> bytes:
        """Opcodes that push `value`; a numpy array becomes a tensor with a storage of its own."""
        if isinstance(value, bytes):
            return value
        if isinstance(value, np.ndarray):
            return self.tensor(value)
        if isinstance(value, OrderedDict):
            return self.call("collections", "OrderedDict") + self._items(value)
        if isinstance(value, dict):
            return b"}" + self._items(value)
        if isinstance(value, (list, tuple)):
            items = b"".join(map(self.encode, value))
            return b"](" + items + b"e" if isinstance(value, list) else b"(" + items + b"t"
        return self._scalar(value)

    def _items(self, values: dict[str, object]) -> bytes:
        pairs = [self.encode(key) + self.encode(value) for key, value in values.items()]
        return b"(" + b"".join(pairs) + b"u"

    def _scalar(self, value: object) -> bytes:
        if value is None or isinstance(value, bool):
            return {None: b"N", True: b"\x88", False: b"\x89"}[value]
        if isinstance(value, int):
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(raw)]) + raw
        if isinstance(value, float):
            return b"G" + struct.pack(">d", value)
        assert isinstance(value, str)
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()

    def call(self, module: str, name: str, *arguments: object) -> bytes:
        return f"c{module}\n{name}\n".encode() + self.encode(arguments) + b"R"

    def storage(self, kind: str, key: object, count: object, *, legacy: bool = False) -> bytes:
        """Opcodes that push a reference to a storage."""
        identity: tuple[object, ...] = ("storage", f"ctorch\n{kind}\n".encode(), key, "cpu", count)
        return self.encode(identity + ((None,) if legacy else ())) + b"Q"

    def raw_storage(self, count: int, content: bytes) -> str:
        """Keep a storage's content; returns its key."""
        key = str(len(self.storages))
        self.storages[key] = (count, content)
        return key

    def tensor(self, array: npt.NDArray[np.generic], *, big: bool = False) -> bytes:
        """Opcodes that push a contiguous tensor."""
        content = array.astype(array.dtype.newbyteorder(">" if big else "<")).tobytes()
        key = self.raw_storage(array.size, content)
        storage = self.storage(STORAGES[array.dtype.name], key, array.size)
        strides = tuple(t // array.itemsize for t in np.zeros(array.shape, array.dtype).strides)
        return self.view(storage, 0, array.shape, strides)

    def view(self, storage: bytes, offset: object, shape: object, strides: object) -> bytes:
        hooks: OrderedDict[str, object] = OrderedDict()
        return self.call(
            "torch._utils", "_rebuild_tensor_v2", storage, offset, shape, strides, False, hooks
        )

    def zip(self, root: object, byteorder: bytes | None = b"little") -> bytes:
        """The checkpoint in torch's zip form."""
        entries = {"data.pkl": b"\x80\x02" + self.encode(root) + b"."}
        if byteorder is not None:
            entries["byteorder"] = byteorder
        entries |= {f"data/{key}": content for key, (_, content) in self.storages.items()}
        return make_zip({f"archive/{name}": content for name, content in entries.items()})

    def legacy(self, root: object) -> bytes:
        """The checkpoint in the form before torch 1.6."""
        sizes = {"protocol_version": 1001, "little_endian": True}
        opcodes = [self.encode(sizes), self.encode(root)]
        opcodes.append(self.encode(list(self.storages)))
        parts = [MAGIC, VERSION, *(b"\x80\x02" + value + b"." for value in opcodes)]
        for count, content in self.storages.values():
            parts += [struct.pack("<q", count), content]
        return b"".join(parts)

    def form(self, form: str, root: object) -> bytes:
        return self.zip(root) if form == "zip" else self.legacy(root)


def make_zip(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def writer() -> Writer:
    return Writer()
