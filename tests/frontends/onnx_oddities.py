"""Seldom numbers, arrays and attributes for ONNX models, by a seeded draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from onnx import AttributeProto
from onnx.helper import make_attribute
from onnx.numpy_helper import from_array

Draw = np.random.Generator
_Thing = TypeVar("_Thing")

INTEGERS = (0, 1, 2, 3, -1, -2, 7, 64, 1000, 10**6, 2**31 - 1, 2**31, -(2**31), 10**12, 2**62,
            2**63 - 1, -(2**63))  # fmt: skip
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-5, 3e38, -3e38, np.inf, -np.inf, np.nan)
WORDS = (b"SAME_UPPER", b"SAME_LOWER", b"VALID", b"NOTSET", b"reflect", b"edge", b"", b"\xff\xfe")
NAMES = (
    "allowzero", "alpha", "auto_pad", "axes", "axis", "beta", "ceil_mode", "count_include_pad",
    "dilations", "end", "epsilon", "fmod", "group", "keepdims", "kernel_shape", "mode",
    "noop_with_empty_axes", "num_outputs", "pads", "perm", "ratio", "split", "start",
    "storage_order", "strides", "to", "training_mode", "transA", "transB", "value", "value_float",
    "value_ints",
)  # fmt: skip


def pick(draw: Draw, things: Sequence[_Thing]) -> _Thing:
    return things[int(draw.integers(len(things)))]


def some_array(draw: Draw) -> np.ndarray[Any, Any]:
    """A small array of any element type, of numbers that are seldom."""
    shape = tuple(int(n) for n in draw.integers(0, 4, int(draw.integers(0, 4))))
    if draw.integers(2):
        values = [pick(draw, INTEGERS) for _ in range(int(np.prod(shape)))]
        return np.array(values, np.int64).reshape(shape)
    reals = np.array([pick(draw, FLOATS) for _ in range(int(np.prod(shape)))]).reshape(shape)
    kind = pick(draw, ("float32", "float32", "float16", "float64", "complex64", "bool", "object"))
    with np.errstate(all="ignore"):
        return reals.astype(kind) if kind != "object" else reals.astype(str).astype(object)


def some_attribute(draw: Draw, name: str) -> AttributeProto:
    value: object = pick(
        draw,
        (
            pick(draw, INTEGERS),
            float(pick(draw, FLOATS)),
            pick(draw, WORDS),
            [pick(draw, INTEGERS) for _ in range(int(draw.integers(1, 5)))],
            [float(pick(draw, FLOATS)) for _ in range(int(draw.integers(1, 3)))],
            from_array(some_array(draw)),
        ),
    )
    return make_attribute(name, value)


def known_attributes(operator: str, opset: int) -> dict[str, int]:
    """The attributes of an operator by name, and of what kind they are."""
    from onnx.defs import SchemaError, get_schema

    try:
        schema = get_schema(operator, min(max(opset, 1), 28), "")
    except SchemaError:
        return {}
    kinds = AttributeProto.AttributeType
    return {
        name: kinds.Value(str(entry.type).rpartition(".")[2])
        for name, entry in schema.attributes.items()
    }


def of_kind(draw: Draw, name: str, kind: int) -> AttributeProto:
    for _ in range(40):
        made = some_attribute(draw, name)
        if made.type == kind:
            return made
    return made
