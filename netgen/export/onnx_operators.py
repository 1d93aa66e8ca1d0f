"""Operators of netgen in terms of ONNX's: one function each, listed in MAPPINGS.

A function gives the stages through which the first operand flows. In ONNX every value of rank 4 is
channels first: NHWC activations become NCHW, OHWI weights OIHW, both by the same transposition.
Nothing here imports onnx.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.ir.operator import Operator
from netgen.ir.tensor_type import TensorType
from netgen.ops.add import Add
from netgen.ops.batch_norm import BatchNorm
from netgen.ops.conv2d import Conv2d
from netgen.ops.depthwise_conv2d import DepthwiseConv2d
from netgen.ops.dropout import Dropout
from netgen.ops.global_avg_pool import GlobalAvgPool
from netgen.ops.hard_swish import HardSwish
from netgen.ops.identity import Identity
from netgen.ops.linear import Linear
from netgen.ops.pad import Pad
from netgen.ops.relu import Relu
from netgen.ops.relu6 import Relu6
from netgen.ops.reshape import Reshape

TO_CHANNELS_FIRST = (0, 3, 1, 2)
TO_CHANNELS_LAST = (0, 2, 3, 1)

Scalars: TypeAlias = "npt.NDArray[np.float32] | npt.NDArray[np.int64]"
Attribute: TypeAlias = "int | float | Sequence[int]"


@dataclass(frozen=True)
class Stage:
    """One ONNX operator. Its first input is the stage before; `inputs` are the further ones.

    A string names an ONNX value, an array becomes an initializer.
    """

    operator: str
    inputs: tuple[str | Scalars, ...] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """What a mapping may ask of its node: operands and result as netgen types them, NHWC.

    `rest` are the ONNX names of the operands after the first.
    """

    rest: tuple[str, ...]
    types: tuple[TensorType, ...]
    result: TensorType


Mapping: TypeAlias = "Callable[[Any, Call], list[Stage]]"


def add(op: Add, call: Call) -> list[Stage]:
    """Add: both operands have one shape."""
    return [Stage("Add", call.rest), *activation(op.act)]


def batch_norm(op: BatchNorm, call: Call) -> list[Stage]:
    """BatchNormalization, whose channels are axis 1: the last axis of ranks 2 and 4 only."""
    x = call.types[0]
    stage = Stage("BatchNormalization", call.rest, {"epsilon": op.eps})
    if len(x.shape) in (2, 4):
        return [stage]
    return [_reshape((-1, x.shape[-1])), stage, _reshape(x.shape)]


def conv2d(op: Conv2d, call: Call) -> list[Stage]:
    """Conv, then the addition of the residual, then the activation."""
    weights, residual = call.rest[:2], call.rest[2:]
    stages = [_convolution(op, op.groups, weights, call)]
    if residual:
        stages.append(Stage("Add", residual))
    return [*stages, *activation(op.act)]


def depthwise_conv2d(op: DepthwiseConv2d, call: Call) -> list[Stage]:
    """Conv with one group per input channel; a group's outputs are its multiplier's, as here."""
    groups = call.types[0].shape[3]
    return [_convolution(op, groups, call.rest, call), *activation(op.act)]


def _convolution(
    op: Conv2d | DepthwiseConv2d, groups: int, weights: tuple[str, ...], call: Call
) -> Stage:
    top, bottom, left, right = op.pad
    attributes: dict[str, Attribute] = {
        "kernel_shape": call.types[1].shape[1:3],
        "strides": op.stride,
        "pads": (top, left, bottom, right),
        "dilations": op.dilation,
        "group": groups,
    }
    return Stage("Conv", weights, attributes)


def global_avg_pool(_op: GlobalAvgPool, _call: Call) -> list[Stage]:
    """GlobalAveragePool."""
    return [Stage("GlobalAveragePool")]


def hard_swish(_op: HardSwish, _call: Call) -> list[Stage]:
    """HardSwish."""
    return activation("hard_swish")


def identity(_op: Identity | Dropout, _call: Call) -> list[Stage]:
    """Identity; dropout at inference is nothing else."""
    return [Stage("Identity")]


def linear(op: Linear, call: Call) -> list[Stage]:
    """Gemm with the weights as [O,C]."""
    return [Stage("Gemm", call.rest, {"transB": 1}), *activation(op.act)]


def pad(op: Pad, _call: Call) -> list[Stage]:
    """Pad; ONNX lists the beginnings of all axes, then the ends. Its default value is zero."""
    top, bottom, left, right = op.pad
    return [Stage("Pad", (np.array([0, 0, top, left, 0, 0, bottom, right], np.int64),))]


def relu(_op: Relu, _call: Call) -> list[Stage]:
    """Relu."""
    return activation("relu")


def relu6(_op: Relu6, _call: Call) -> list[Stage]:
    """Clip to 0..6."""
    return activation("relu6")


def reshape(op: Reshape, call: Call) -> list[Stage]:
    """Reshape; through NHWC where the order of the elements depends on it."""
    stages = []
    if _order_differs(call.types[0].shape):
        stages.append(Stage("Transpose", (), {"perm": TO_CHANNELS_LAST}))
    if _order_differs(op.shape):
        stages += [_reshape(op.shape), Stage("Transpose", (), {"perm": TO_CHANNELS_FIRST})]
    else:
        stages.append(_reshape(channels_first(op.shape)))
    return stages


def _order_differs(shape: tuple[int, ...]) -> bool:
    """Whether NHWC and NCHW hold the elements of an NHWC shape in different orders."""
    return len(shape) == 4 and shape[1] * shape[2] > 1 and shape[3] > 1


def channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Give a shape as ONNX has it: NCHW for rank 4, unchanged otherwise."""
    return tuple(shape[axis] for axis in TO_CHANNELS_FIRST) if len(shape) == 4 else shape


def _reshape(shape: tuple[int, ...]) -> Stage:
    return Stage("Reshape", (np.array(shape, np.int64),))


def activation(name: str) -> list[Stage]:
    """Stages of an `act` attribute; none for `none`. Raises GraphError for a name not listed."""
    if name not in _ACTIVATIONS:
        raise GraphError(
            f"the activation '{name}' cannot be exported to ONNX",
            expected="one of " + ", ".join(_ACTIVATIONS),
        )
    return _ACTIVATIONS[name]


_ACTIVATIONS: dict[str, list[Stage]] = {
    "none": [],
    "relu": [Stage("Relu")],
    "relu6": [Stage("Clip", (np.array(0.0, np.float32), np.array(6.0, np.float32)))],
    "hard_swish": [Stage("HardSwish")],
}

MAPPINGS: dict[type[Operator], Mapping] = {
    Add: add,
    BatchNorm: batch_norm,
    Conv2d: conv2d,
    DepthwiseConv2d: depthwise_conv2d,
    Dropout: identity,
    GlobalAvgPool: global_avg_pool,
    HardSwish: hard_swish,
    Identity: identity,
    Linear: linear,
    Pad: pad,
    Relu: relu,
    Relu6: relu6,
    Reshape: reshape,
}
