"""Objects of a torch checkpoint as plain data: storages, and the tensors that view them.

A tensor is only described here; its elements lie outside the pickle. All numbers come from the file
and none is trusted: what passes these functions can be viewed without reading outside its storage.
They raise MalformedError, which `torch_file` turns into a WeightsError.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from netgen.weights.elements import is_too_large
from netgen.weights.naming import shown

STORAGE_TYPES = {
    "torch.DoubleStorage": "F64",
    "torch.FloatStorage": "F32",
    "torch.HalfStorage": "F16",
    "torch.BFloat16Storage": "BF16",
    "torch.LongStorage": "I64",
    "torch.IntStorage": "I32",
    "torch.ShortStorage": "I16",
    "torch.CharStorage": "I8",
    "torch.ByteStorage": "U8",
    "torch.BoolStorage": "BOOL",
}
"""torch's storage classes and the element type of each (a key of `elements.ELEMENT_TYPES`)."""

UNREAD_STORAGES = frozenset(
    f"torch.{kind}Storage"
    for kind in ("ComplexFloat", "ComplexDouble", "QInt8", "QUInt8", "QInt32")
)
"""Storages of what no weight here is: complex and quantised numbers."""

KEY_TYPES = (str, int, float, bytes, type(None))
"""What may be a dict's key. Not tuples: hashing a nest of them takes unbounded time or stack."""

_MAX_DIMENSIONS = 16


class MalformedError(ValueError):
    """A pickle or its surroundings that are not well formed; the message names the fault only."""


@dataclass(frozen=True)
class StorageType:
    """One of torch's storage classes, named by the pickle; `element` as in STORAGE_TYPES."""

    element: str


@dataclass(frozen=True)
class Storage:
    """A flat run of `count` elements, stored outside the pickle under `key`."""

    key: str
    element: str
    count: int


@dataclass(frozen=True)
class Tensor:
    """A strided view of a storage; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def make_storage(identity: object) -> Storage:
    """Read a persistent id: ("storage", type, key, device, count) and, in old files, a None."""
    if not isinstance(identity, tuple) or len(identity) not in {5, 6} or identity[0] != "storage":
        raise MalformedError("a reference to something other than a tensor's storage")
    _, storage_type, key, _, count = identity[:5]
    if len(identity) == 6 and identity[5] is not None:
        raise MalformedError("a storage that is a view of another one")
    if not isinstance(storage_type, StorageType):
        raise MalformedError("a storage without a known element type")
    if not isinstance(key, str):
        raise MalformedError("a storage whose key is not a string")
    if not _is_count(count) or is_too_large([count]):
        raise MalformedError(f"storage {shown(key)} has an impossible size")
    return Storage(key, storage_type.element, count)


def make_tensor(arguments: tuple[object, ...]) -> Tensor:
    """Read the arguments of `_rebuild_tensor` (4) or `_rebuild_tensor_v2` (6, or 7 with metadata).

    The further ones (requires_grad, hooks) say nothing about the values; the metadata does (a view
    that is negated when read), so it must be empty.
    """
    if len(arguments) not in {4, 6, 7}:
        raise MalformedError(f"a tensor made of {len(arguments)} arguments")
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Storage):
        raise MalformedError("a tensor without a storage")
    if len(arguments) == 7 and arguments[6] not in (None, {}):
        raise MalformedError("a tensor with metadata that changes its values")
    where = f"a tensor of storage {shown(storage.key)}"
    if not _is_counts(shape) or not _is_counts(strides) or not _is_count(offset):
        raise MalformedError(f"{where} whose shape, strides or offset are not counts")
    if len(shape) != len(strides) or len(shape) > _MAX_DIMENSIONS or is_too_large(shape):
        raise MalformedError(f"{where} of an impossible shape")
    # The stride of a dimension of one element is never used, and may be anything.
    strides = tuple(t if size > 1 else 0 for size, t in zip(shape, strides, strict=True))
    tensor = Tensor(storage, offset, shape, strides)
    _check_inside(tensor, where)
    return tensor


def _check_inside(tensor: Tensor, where: str) -> None:
    """Every element lies in the storage, and no more elements are viewed than it holds.

    The second rule refuses expanded tensors (stride 0): ten bytes of them could fill all memory.
    """
    count = math.prod(tensor.shape)
    end = tensor.offset
    if count:
        end += 1 + sum((s - 1) * t for s, t in zip(tensor.shape, tensor.strides, strict=True))
    if end > tensor.storage.count:
        raise MalformedError(
            f"{where} reaches outside it: shape {list(tensor.shape)}, strides "
            f"{list(tensor.strides)}, offset {tensor.offset} in {tensor.storage.count} elements"
        )
    if count > tensor.storage.count:
        raise MalformedError(
            f"{where} repeats its elements: shape {list(tensor.shape)} of "
            f"{tensor.storage.count} elements (call .contiguous() before saving)"
        )


def _make_dict(arguments: tuple[object, ...]) -> object:
    """Read OrderedDict's arguments: none, or (from Python 2) one list of pairs."""
    pairs = arguments[0] if arguments else []
    if len(arguments) > 1 or not isinstance(pairs, list):
        raise MalformedError("an OrderedDict of unknown arguments")
    result: OrderedDict[object, object] = OrderedDict()
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise MalformedError("an OrderedDict of something other than pairs")
        if not isinstance(pair[0], KEY_TYPES):
            raise MalformedError("a key that is neither text nor number")
        result[pair[0]] = pair[1]
    return result


def _make_parameter(arguments: tuple[object, ...]) -> object:
    """Read a Parameter's arguments, (tensor, requires_grad, hooks): it has the tensor's values."""
    if len(arguments) != 3 or not isinstance(arguments[0], Tensor):
        raise MalformedError("a parameter without a tensor")
    return arguments[0]


def _make_size(arguments: tuple[object, ...]) -> object:
    if len(arguments) != 1 or not isinstance(arguments[0], tuple):
        raise MalformedError("a torch.Size without a tuple")
    return arguments[0]


def _make_device(arguments: tuple[object, ...]) -> object:
    """Keep a device as its arguments: where the tensors were does not matter here."""
    return arguments


def view(tensor: Tensor, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Make the tensor, a read-only view of `values`, the decoded elements of its storage."""
    if 0 in tensor.shape:
        empty = np.zeros(tensor.shape, values.dtype)
        empty.setflags(write=False)
        return empty
    size = values.itemsize
    strides = tuple(t * size for t in tensor.strides)
    return np.ndarray(tensor.shape, values.dtype, values.data, tensor.offset * size, strides)


def _is_count(value: object) -> TypeGuard[int]:
    # `type`, not isinstance: True is an int too.
    return type(value) is int and value >= 0


def _is_counts(values: object) -> TypeGuard[tuple[int, ...]]:
    return isinstance(values, tuple) and all(_is_count(value) for value in values)


CALLS: dict[str, Callable[[tuple[object, ...]], object]] = {
    "collections.OrderedDict": _make_dict,
    "torch._utils._rebuild_tensor": make_tensor,
    "torch._utils._rebuild_tensor_v2": make_tensor,
    "torch._utils._rebuild_parameter": _make_parameter,
    "torch.Size": _make_size,
    "torch.device": _make_device,
}
"""All that a pickle may call, and what this package does instead."""
