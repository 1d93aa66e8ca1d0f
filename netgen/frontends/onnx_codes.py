"""QuantizeLinear and DequantizeLinear: codes of activations and of constants.

Codes of uint8 are read as codes of int8, 128 less, which stand for the same numbers: so layers have
weights and activations of one type. Inputs and outputs of a network stay as the file has them.
Source: ONNX operators, QuantizeLinear and DequantizeLinear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_builder import Coded
from netgen.frontends.onnx_call import Call, Known, axis_of
from netgen.frontends.onnx_order import emit_aligned
from netgen.frontends.onnx_tensor_view import TensorView
from netgen.ir.tensor_type import ELEMENTS, Quantisation, TensorType, is_scale
from netgen.ops.add import Add
from netgen.ops.dequantize import Dequantize
from netgen.ops.div import Div
from netgen.ops.mul import Mul
from netgen.ops.quantize import Quantize
from netgen.ops.round_even import RoundEven
from netgen.ops.sub import Sub

if TYPE_CHECKING:
    from onnx import NodeProto

# By NumPy's name: the element types of codes, and those in which they are read.
_ELEMENTS = {"int8": "i8", "uint8": "u8", "int16": "i16"}
_SHIFT = 128
# TensorProto.DataType of those that `output_dtype` may name.
_PRECISIONS = (0, 1)
_KINDS = {2: "uint8", 3: "int8", 5: "int16"}


def input_kind(
    name: str, numpy: str, nodes: Sequence[NodeProto], known: Mapping[str, object]
) -> TensorType | None:
    """The element type of an input of codes, without axes: what the one that reads it says.

    Codes that nothing gives one meaning stand for themselves. None for types that are no codes.
    """
    if numpy not in _ELEMENTS:
        return None
    found: set[Quantisation | None] = set()
    for node in nodes:
        if name in node.input:
            found.add(_meaning(node, name, known))
    (meaning,) = found if len(found) == 1 else (None,)
    return TensorType(_ELEMENTS[numpy], (), meaning or Quantisation(1.0, 0))


def _meaning(node: NodeProto, name: str, known: Mapping[str, object]) -> Quantisation | None:
    if node.op_type != "DequantizeLinear" or node.input[0] != name:
        return None
    names = [*node.input[1:], "", ""]
    scale = known.get(names[0])
    zero = known.get(names[1]) if names[1] else np.zeros((), np.int8)
    if not (isinstance(scale, np.ndarray) and isinstance(zero, np.ndarray)):
        return None
    if scale.dtype.kind != "f" or zero.dtype.kind not in "iu" or scale.size != 1 or zero.size != 1:
        return None
    if not is_scale(float(scale.reshape(-1)[0])):
        return None
    return Quantisation(float(scale.reshape(-1)[0]), int(zero.reshape(-1)[0]))


def shifted(kind: TensorType, to: str) -> Quantize:
    """The operator that makes codes of i8 of those of u8, or the other way round."""
    assert kind.quantisation is not None
    assert isinstance(kind.quantisation.scale, float)
    by = _SHIFT if to == "u8" else -_SHIFT
    return Quantize(kind.quantisation.scale, kind.zero + by, to, "even")


def quantize_linear(call: Call) -> TensorView:
    """Codes of activations, with one scale or one for each index of an axis."""
    x = call.tensor()
    scale, zero, element = _parameters(call, len(x.shape))
    low = element == "u8"
    dtype = "i8" if low else element
    if scale.size == 1:
        number, shift = _scale(scale), int(zero.reshape(-1)[0])
        op = Quantize(number, shift - _SHIFT * low, dtype, "even")
        return replace(x, value=call.builder.emit(op, [x.value], call.name))
    name = call.name
    quotient = emit_aligned(call, Div(), [x, scale], f"{name}.quotient")
    near = call.builder.emit(RoundEven(), [quotient.value], f"{name}.near")
    moved = emit_aligned(
        call, Add(), [replace(quotient, value=near), zero.astype(np.float32)], f"{name}.moved"
    )
    op = Quantize(1.0, -_SHIFT * low, dtype, "even")
    return replace(moved, value=call.builder.emit(op, [moved.value], name))


def dequantize_linear(call: Call) -> TensorView:
    """Real numbers of activations, whose codes mean what whoever made them says."""
    x = call.tensor()
    kind = call.builder.nodes[x.value].type
    own = kind.quantisation
    if own is None or not isinstance(own.scale, float):
        raise GraphError("the operand has no codes", found=str(kind))
    scale, zero, element = _parameters(call, len(x.shape), x)
    zero = zero - _SHIFT * (element == "u8")
    real = replace(x, value=call.builder.emit(Dequantize(), [x.value], call.name))
    if (
        scale.size == zero.size == 1
        and Quantisation(_scale(scale), int(zero.reshape(-1)[0])) == own
    ):
        return real
    if own.scale != 1.0:
        raise GraphError(
            "codes are read with another meaning than they were written with",
            expected=str(own),
            found=f"a scale of {scale.reshape(-1)[0]:g}",
        )
    name = call.name
    less = emit_aligned(call, Sub(), [real, (zero - own.zero).astype(np.float32)], f"{name}.less")
    return emit_aligned(call, Mul(), [less, scale], f"{name}.real")


def _scale(array: Known) -> float:
    number = float(np.float32(array.reshape(-1)[0]))
    if not is_scale(number):
        raise GraphError("this is no scale", expected="a positive float32", found=str(number))
    return number


def _parameters(call: Call, rank: int, codes: TensorView | None = None) -> tuple[Known, Known, str]:
    """Scales and zero points, broadcast along their axis, and the element type of the codes.

    Of codes of int8 whose zero point is left out it is not known whether they were uint8: it is
    taken to be what their own zero point says.
    """
    if call.attributes.get("block_size", 0):
        raise GraphError("scales of blocks are not supported", hint="quantize by tensor or by axis")
    if call.integer("precision", 0) not in _PRECISIONS:
        raise GraphError("codes that are computed in another precision", expected="float32")
    scale, zero = call.known(1, "the scale"), call.known(2, "the zero point")
    if scale is None or scale.dtype.kind != "f":
        raise GraphError("the scale must be floats")
    element = (
        _KINDS.get(call.integer("output_dtype", 0) or 2, "") if zero is None else zero.dtype.name
    )
    if zero is None and codes is not None:
        own = call.builder.nodes[codes.value].type
        element = "uint8" if own.zero == -_SHIFT else _named(own.dtype)
    if element not in _ELEMENTS:
        raise GraphError(
            "codes of an element type that netgen does not read",
            expected=", ".join(_ELEMENTS),
            found=element or str(zero),
            hint="quantize activations to uint8 or int8",
        )
    points = np.zeros(scale.shape, np.int64) if zero is None else zero.astype(np.int64)
    if (scale > 0).all() and np.isfinite(scale).all() and points.size in {1, scale.size}:
        return (
            _along(call, scale.astype(np.float32), rank),
            _along(call, points, rank),
            _ELEMENTS[element],
        )
    raise GraphError(
        "scales and zero points that do not fit", found=f"{scale.shape}, {points.shape}"
    )


def _named(dtype: str) -> str:
    return next(name for name, element in _ELEMENTS.items() if element == dtype)


def _along(call: Call, array: Known, rank: int) -> Known:
    """One number, or one for each index of the axis, as it is broadcast to a tensor."""
    if array.size == 1:
        return array.reshape(())
    axis = axis_of(call.integer("axis", 1), rank)
    if array.ndim != 1:
        raise GraphError("scales of blocks are not supported", found=f"{list(array.shape)}")
    return array.reshape(-1, *(1,) * (rank - 1 - axis))


def quantized(call: Call) -> Known:
    """QuantizeLinear of a known array."""
    array = call.known(0, "x")
    if array is None or array.dtype.kind != "f":
        raise GraphError("floats are quantized")
    scale, zero, element = _parameters(call, array.ndim)
    call.budget.take(array.size)
    kind = ELEMENTS[element]
    with np.errstate(all="ignore"):
        near = np.rint(array.astype(np.float32) / scale)
    codes: Known = np.clip(np.nan_to_num(near) + zero, kind.low, kind.high).astype(kind.storage)
    return codes


def dequantized(call: Call) -> Known:
    """DequantizeLinear of a known array, whose codes are kept beside the real numbers."""
    array, scale, zero = call.known(0, "x"), call.known(1, "the scale"), call.known(2, "the zero")
    if array is None or scale is None or array.dtype.kind not in "iu" or scale.dtype.kind != "f":
        raise GraphError("codes of integers and scales of floats are read")
    if call.attributes.get("block_size", 0):
        raise GraphError("scales of blocks are not supported", hint="quantize by tensor or by axis")
    call.budget.take(array.size)
    points = np.zeros((), np.int64) if zero is None else zero.astype(np.int64)
    centred = array.astype(np.int64) - _along(call, points, array.ndim)
    scales = scale.astype(np.float32)
    call.builder.coded[call.name] = Coded(array.dtype.name, centred, scales, points)
    real: Known = centred.astype(np.float32) * _along(call, scales, array.ndim)
    return real
