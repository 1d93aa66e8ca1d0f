"""Functions of one tensor, element by element, and what is made of a few of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from netgen.frontends import onnx_reductions
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.tflite.call import Call, Mapping
from netgen.frontends.tflite.codes import of_codes, of_two_codes, own_scale
from netgen.frontends.tflite.elementwise import of_two_floats
from netgen.frontends.tflite.faults import WITHOUT_QUANTISATION, UnsupportedError
from netgen.frontends.tflite.of_onnx import by_onnx
from netgen.ir.operator import Operator
from netgen.ops.absolute import Absolute
from netgen.ops.activation import ElementwiseActivation
from netgen.ops.ceil import Ceil
from netgen.ops.clip import Clip
from netgen.ops.div import Div
from netgen.ops.elu import Elu
from netgen.ops.exp import Exp
from netgen.ops.floor import Floor
from netgen.ops.gelu import Gelu
from netgen.ops.gelu_tanh import GeluTanh
from netgen.ops.l2_normalize import L2Normalize
from netgen.ops.log import Log
from netgen.ops.log_softmax import LogSoftmax
from netgen.ops.mul import Mul
from netgen.ops.reduce_sum import ReduceSum
from netgen.ops.round_even import RoundEven
from netgen.ops.rsqrt import Rsqrt
from netgen.ops.sign import Sign
from netgen.ops.sqrt import Sqrt
from netgen.ops.squared_difference import SquaredDifference
from netgen.ops.sub import Sub


def _of(op: Callable[..., ElementwiseActivation]) -> Callable[[Call], TensorView]:
    """The mapping of a function, of codes with the scale of the result."""

    def mapped(call: Call) -> TensorView:
        x = call.tensor()
        return replace(x, value=call.builder.emit(op(**own_scale(call)), [x.value], call.name))

    return mapped


def gelu(call: Call) -> TensorView:
    """GELU -> gelu, or gelu_tanh where the options ask for the approximation."""
    return _of(GeluTanh if call.integer("Approximate") else Gelu)(call)


def _require_floats(call: Call) -> None:
    if of_codes(call):
        raise UnsupportedError("not supported of codes", hint=WITHOUT_QUANTISATION)


def _floats_only(call: Call) -> TensorView:
    _require_floats(call)
    return call.tensor()


def negated(call: Call) -> TensorView:
    """NEG -> batch_norm, by -1."""
    return call.builder.affine(_floats_only(call), np.array([-1.0]), np.zeros(1), call.name)


def square(call: Call) -> TensorView:
    """SQUARE -> mul by itself."""
    x = _floats_only(call)
    return replace(x, value=call.builder.emit(Mul(), [x.value, x.value], call.name))


def rsqrt(call: Call) -> TensorView:
    """RSQRT -> sqrt, and the quotient of 1 by it; of codes rsqrt."""
    x, builder = call.tensor(), call.builder
    if of_codes(call):
        return replace(x, value=builder.emit(Rsqrt(**own_scale(call)), [x.value], call.name))
    root = builder.emit(Sqrt(), [x.value], f"{call.name}.sqrt")
    one = builder.constant(f"{call.name}.one", np.ones((1,) * len(builder.shape(root))))
    return replace(x, value=builder.emit(Div(), [one, root], call.name))


def squared_difference(call: Call) -> TensorView:
    """SQUARED_DIFFERENCE -> sub, mul by itself; of codes squared_difference."""
    if of_codes(call):
        return of_two_codes(SquaredDifference(**own_scale(call)), call)
    difference = of_two_floats(Sub(), call)
    value = difference.value
    return replace(difference, value=call.builder.emit(Mul(), [value, value], call.name))


def _of_pixels(op: Operator, call: Call) -> TensorView:
    x = call.tensor()
    return row_major(call.builder.emit(op, [call.builder.natural(x)], call.name), x.shape)


def log_softmax(call: Call) -> TensorView:
    """LOG_SOFTMAX: as ONNX's, less the largest element first, along the last axis."""
    if of_codes(call):
        return _of_pixels(LogSoftmax(**own_scale(call)), call)
    return by_onnx(call, onnx_reductions.log_softmax, "LogSoftmax", {"axis": -1})


def l2_normalization(call: Call) -> TensorView:
    """L2_NORMALIZATION: x over the root of the sum of its squares along the last axis.

    Source: TensorFlow Lite, `reference/l2normalization.h`: the root is at least 1e-6.
    """
    if of_codes(call):
        return _of_pixels(L2Normalize(**own_scale(call)), call)
    x, builder, name = call.tensor(), call.builder, call.name
    value = builder.natural(x)
    squares = builder.emit(Mul(), [value, value], f"{name}.squares")
    total = builder.emit(ReduceSum((len(x.shape) - 1,)), [squares], f"{name}.sum")
    root = builder.emit(Sqrt(), [total], f"{name}.root")
    most = float(np.finfo(np.float32).max)
    bounded = builder.emit(Clip(1e-6, most), [root], f"{name}.bounded")
    return row_major(builder.emit(Div(), [value, bounded], name), x.shape)


def relu_0_to_1(call: Call) -> TensorView:
    """RELU_0_TO_1 -> clip."""
    x = _floats_only(call)
    return replace(x, value=call.builder.emit(Clip(0.0, 1.0), [x.value], call.name))


MAPPINGS: dict[str, Mapping] = {
    "ABS": _of(Absolute),
    "CEIL": _of(Ceil),
    "ELU": _of(Elu),
    "EXP": _of(Exp),
    "FLOOR": _of(Floor),
    "GELU": gelu,
    "L2_NORMALIZATION": l2_normalization,
    "LOG": _of(Log),
    "LOG_SOFTMAX": log_softmax,
    "NEG": negated,
    "RELU_0_TO_1": relu_0_to_1,
    "ROUND": _of(RoundEven),
    "RSQRT": rsqrt,
    "SIGN": _of(Sign),
    "SQRT": _of(Sqrt),
    "SQUARE": square,
    "SQUARED_DIFFERENCE": squared_difference,
}
