"""Raw bytes of a weight file -> flat arrays of numpy's own, native types.

float16 and bfloat16 become float32, which holds all their values; every other type stays as it is
(float64 too: whether it fits float32 is for `bind.fit` to say).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

ByteOrder = Literal["<", ">"]

MAX_ELEMENTS = 2**31
"""The largest tensor that is read: a shape may claim any size, and memory must not follow."""

_STORED_AS = {
    "F64": "f8",
    "F32": "f4",
    "F16": "f2",
    "BF16": "u2",
    "I64": "i8",
    "I32": "i4",
    "I16": "i2",
    "I8": "i1",
    "U64": "u8",
    "U32": "u4",
    "U16": "u2",
    "U8": "u1",
    "BOOL": "u1",
}

ELEMENT_TYPES = frozenset(_STORED_AS)
"""The element types that are read, under safetensors' names for them."""


def element_size(kind: str) -> int:
    """Bytes of one element of type `kind`, one of ELEMENT_TYPES."""
    return np.dtype(_STORED_AS[kind]).itemsize


def decode(
    raw: bytes | bytearray | memoryview, kind: str, order: ByteOrder
) -> npt.NDArray[np.generic]:
    """Decode elements of type `kind`, stored one after another in byte order `order`.

    Returns a flat array of its own memory, read-only, in native byte order. The length of `raw` is
    a multiple of the element's size.
    """
    stored = np.frombuffer(raw, np.dtype(_STORED_AS[kind]).newbyteorder(order))
    values: npt.NDArray[np.generic]
    if kind == "BF16":
        # bfloat16 is the upper half of a float32.
        values = (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)
    elif kind == "BOOL":
        values = stored != 0
    else:
        values = widen(stored)
    values.setflags(write=False)
    return values


def widen(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Copy to the native byte order, float16 to float32."""
    target = np.dtype(np.float32) if values.dtype == np.float16 else values.dtype.newbyteorder("=")
    return values.astype(target)


def is_too_large(shape: Sequence[int]) -> bool:
    """Whether a tensor of this shape is refused; dimensions of 0 do not hide the others."""
    return math.prod(max(size, 1) for size in shape) > MAX_ELEMENTS
