"""Operators on tensors of any rank in terms of ONNX's: broadcast, reduced, cut, repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from netgen.errors import GraphError
from netgen.export.onnx_stages import Call, Stage, activation
from netgen.ir.operator import Operator
from netgen.ops.broadcast import Broadcast
from netgen.ops.clip import Clip
from netgen.ops.div import Div
from netgen.ops.equal import Equal
from netgen.ops.expand import Expand
from netgen.ops.less import Less
from netgen.ops.less_or_equal import LessOrEqual
from netgen.ops.matmul import Matmul
from netgen.ops.maximum import Maximum
from netgen.ops.minimum import Minimum
from netgen.ops.power import Power
from netgen.ops.reduce_max import ReduceMax
from netgen.ops.reduce_mean import ReduceMean
from netgen.ops.reduce_min import ReduceMin
from netgen.ops.reduce_prod import ReduceProd
from netgen.ops.reduce_sum import ReduceSum
from netgen.ops.reduction import Reduction
from netgen.ops.strided_slice import StridedSlice
from netgen.ops.table import Table
from netgen.ops.where import Where

Mapping: TypeAlias = "Callable[[Any, Call], list[Stage]]"

# The axis of NHWC that each of NCHW is.
_FIRST = (0, 3, 1, 2)
_BOOL, _FLOAT = 9, 1
_BINARY: dict[type[Broadcast], str] = {
    Div: "Div",
    Equal: "Equal",
    Less: "Less",
    LessOrEqual: "LessOrEqual",
    Maximum: "Max",
    Minimum: "Min",
}
_REDUCTIONS: dict[type[Reduction], str] = {
    ReduceMax: "ReduceMax",
    ReduceMean: "ReduceMean",
    ReduceMin: "ReduceMin",
    ReduceProd: "ReduceProd",
    ReduceSum: "ReduceSum",
}
_MASKS = {"Equal", "Less", "LessOrEqual"}


def binary(op: Broadcast, call: Call) -> list[Stage]:
    """An elementwise operator of two operands; masks are cast to floats."""
    operator = _BINARY[type(op)]
    mask = [Stage("Cast", (), {"to": _FLOAT})] if operator in _MASKS else []
    return [Stage(operator, call.rest), *mask, *activation(op.act)]


def where(_op: Where, call: Call) -> list[Stage]:
    """An ONNX Where, whose condition is cast to truth values."""
    return [Stage("Cast", (), {"to": _BOOL}), Stage("Where", call.rest)]


def reduction(op: Reduction, call: Call) -> list[Stage]:
    """A reduction; axes are an attribute, or since opset 13 an input of ReduceSum."""
    rank = len(call.types[0].shape)
    axes = sorted(_FIRST.index(axis) if rank == 4 else axis for axis in op.axes)
    operator = _REDUCTIONS[type(op)]
    if operator == "ReduceSum":
        return [Stage(operator, (np.array(axes, np.int64),))]
    return [Stage(operator, (), {"axes": axes})]


def matmul(_op: Matmul, call: Call) -> list[Stage]:
    """MatMul; raises GraphError for rank 4, where ONNX has the matrices' axes elsewhere."""
    if len(call.result.shape) == 4:
        raise GraphError("matmul of rank 4 cannot be exported to ONNX")
    return [Stage("MatMul", call.rest)]


def strided_slice(op: StridedSlice, call: Call) -> list[Stage]:
    """Slice of every axis; an end before the first place is one that no axis reaches."""
    rank = len(call.types[0].shape)
    ends = [
        end if end >= 0 else -(2**31)
        for end in (f + n * s for f, n, s in zip(op.first, op.size, op.step, strict=True))
    ]
    axes = [_FIRST.index(axis) if rank == 4 else axis for axis in range(rank)]
    parts = (op.first, ends, axes, op.step)
    return [Stage("Slice", tuple(np.array(part, np.int64) for part in parts))]


def expand(op: Expand, _call: Call) -> list[Stage]:
    """Expand."""
    shape = [op.shape[axis] for axis in _FIRST] if len(op.shape) == 4 else op.shape
    return [Stage("Expand", (np.array(shape, np.int64),))]


def clip(op: Clip, _call: Call) -> list[Stage]:
    """Clip."""
    return [Stage("Clip", (np.array(op.low, np.float32), np.array(op.high, np.float32)))]


def power(op: Power, _call: Call) -> list[Stage]:
    """Pow."""
    return [Stage("Pow", (np.array(op.exponent, np.float32),))]


def table(_op: Table, _call: Call) -> list[Stage]:
    """Identity of a constant."""
    return [Stage("Identity")]


TENSORS: dict[type[Operator], Mapping] = {
    **dict.fromkeys(_BINARY, binary),
    **dict.fromkeys(_REDUCTIONS, reduction),
    Clip: clip,
    Expand: expand,
    Matmul: matmul,
    Power: power,
    StridedSlice: strided_slice,
    Table: table,
    Where: where,
}
