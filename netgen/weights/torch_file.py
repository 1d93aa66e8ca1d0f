"""torch checkpoints (`.pth`, `.pt`, `.th`) -> named arrays, without torch.

Two containers, both written by `torch.save`:

- since 1.6 a zip file: `NAME/data.pkl`, one entry `NAME/data/KEY` per storage, and `NAME/byteorder`
  (missing in older files, which are little-endian);
- before, and still on request, five parts one after another: pickles of a magic number, of the
  format's version and of the writer's type sizes, then the pickle of the object, the pickle of the
  list of storage keys, and per key a 64-bit count of elements and the elements (always
  little-endian, whatever machine wrote them).

Layouts: torch's `serialization.py`, `_save`, `_legacy_save` and `_legacy_load`.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from netgen.errors import WeightsError
from netgen.weights.archive import ZIP_FAULTS, open_archive
from netgen.weights.elements import ByteOrder, decode, element_size
from netgen.weights.naming import shown
from netgen.weights.state_dict import find_state_dict
from netgen.weights.torch_objects import MalformedError, Storage, Tensor, view
from netgen.weights.torch_pickle import load_pickle

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_BYTE_ORDERS: dict[bytes, ByteOrder] = {b"little": "<", b"big": ">"}

Arrays = dict[str, npt.NDArray[np.generic]]


def read_torch_zip(content: bytes, where: str) -> Arrays:
    """Read a checkpoint in the zip form; `where` names the file in errors.

    Returns the state dict's tensors in file order, as read-only arrays of torch's shapes and
    layouts (`elements` says which types), tied tensors sharing their memory.

    Raises WeightsError where the file is damaged, holds anything but tensors and plain containers,
    or not exactly one state dict.
    """
    try:
        with open_archive(content) as archive:
            return _read_entries(archive, len(content), where)
    except ZIP_FAULTS as error:
        raise _damaged(error, where) from error


def read_torch_legacy(content: bytes, where: str) -> Arrays:
    """Read a checkpoint in the form before torch 1.6; otherwise as `read_torch_zip`."""
    try:
        return _read_parts(content, where)
    except (ValueError, struct.error) as error:
        raise _damaged(error, where) from error


def _damaged(error: Exception, where: str) -> WeightsError:
    return WeightsError(
        f"the torch checkpoint is damaged or incomplete: {shown(str(error))}",
        where=where,
        hint="download or save it again",
    )


def _read_entries(archive: zipfile.ZipFile, file_size: int, where: str) -> Arrays:
    entries = {info.filename: info for info in archive.infolist()}
    if any(name.endswith("/constants.pkl") for name in entries):
        raise WeightsError(
            "refused: a TorchScript program, not a checkpoint",
            where=where,
            hint="save model.state_dict() with torch.save, or convert it to safetensors",
        )
    for name, info in entries.items():
        if info.compress_type != zipfile.ZIP_STORED:
            raise MalformedError(f"entry {shown(name)} is compressed, torch.save never does that")
    # Entries may overlap, and together claim more than there is.
    if sum(info.file_size for info in archive.infolist()) > file_size:
        raise MalformedError("its entries are larger than the file")
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise MalformedError(f"{len(pickles)} entries named data.pkl, one is needed")
    folder = pickles[0].removesuffix("data.pkl")
    order: ByteOrder = "<"
    if f"{folder}byteorder" in entries:
        order = _BYTE_ORDERS[archive.read(f"{folder}byteorder")]
    stream = io.BytesIO(archive.read(pickles[0]))
    root, storages = load_pickle(stream, where)
    raw = {}
    for key, storage in storages.items():
        data = archive.read(f"{folder}data/{key}")
        _check_size(storage, len(data))
        raw[key] = memoryview(data)
    return _view_all(find_state_dict(root, where), raw, order)


def _read_parts(content: bytes, where: str) -> Arrays:
    stream = io.BytesIO(content)
    if load_pickle(stream, where)[0] != _MAGIC_NUMBER:
        raise WeightsError(
            "a pickle, but not one that torch.save wrote",
            where=where,
            hint="save model.state_dict() with torch.save, or convert it to safetensors",
        )
    if load_pickle(stream, where)[0] != _PROTOCOL_VERSION:
        raise MalformedError(f"its format's version is not {_PROTOCOL_VERSION}")
    load_pickle(stream, where)  # the writer's type sizes, which change nothing
    root, storages = load_pickle(stream, where)
    keys = load_pickle(stream, where)[0]
    raw = _read_storages(memoryview(content)[stream.tell() :], keys, storages)
    return _view_all(find_state_dict(root, where), raw, "<")


def _check_size(storage: Storage, size: int) -> None:
    if size != storage.count * element_size(storage.element):
        raise MalformedError(
            f"storage {shown(storage.key)} holds {size} bytes, its {storage.count} elements of "
            f"{element_size(storage.element)} bytes need another number"
        )


def _read_storages(
    content: memoryview, keys: object, storages: Mapping[str, Storage]
) -> dict[str, memoryview]:
    if not isinstance(keys, list) or set(map(type, keys)) - {str}:
        raise MalformedError("the list of storages is missing")
    if len(set(keys)) != len(keys) or set(keys) != set(storages):
        raise MalformedError("the list of storages is not the storages that the tensors use")
    raw = {}
    for key in keys:
        (count,) = struct.unpack("<q", content[:8])
        if count != storages[key].count:
            raise MalformedError(f"storage {shown(key)} has two sizes")
        end = 8 + count * element_size(storages[key].element)
        raw[key], content = content[8:end], content[end:]
        _check_size(storages[key], len(raw[key]))
    if content:
        raise MalformedError("there are bytes after the last storage")
    return raw


def _view_all(
    tensors: Mapping[str, Tensor], raw: Mapping[str, memoryview], order: ByteOrder
) -> Arrays:
    decoded: dict[str, npt.NDArray[np.generic]] = {}
    arrays = {}
    for name, tensor in tensors.items():
        storage = tensor.storage
        if storage.key not in decoded:
            decoded[storage.key] = decode(raw[storage.key], storage.element, order)
        arrays[name] = view(tensor, decoded[storage.key])
    return arrays
