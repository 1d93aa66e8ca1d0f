"""Arithmetic on shapes and other arrays that are known: evaluated in NumPy, nothing is emitted.

Whatever may make more elements than it reads takes them from the call's budget first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, isfinite, prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, Known, axis_of, one_number
from netgen.frontends.onnx_cast import cast
from netgen.frontends.onnx_codes import dequantized, quantized
from netgen.frontends.onnx_shapes import (
    flattened,
    permutation,
    sides_of,
    slices_of,
    squeezed_axes,
    target_shape,
    unsqueezed_axes,
)


def known_input(call: Call, index: int) -> Known:
    """An input that folding needs; raises GraphError where it is left out."""
    array = call.known(index, f"input {index + 1}")
    if array is None:
        raise GraphError(f"input {index + 1} is missing")
    return array


def _alike(call: Call, indices: Sequence[int]) -> list[Known]:
    """Inputs of one element type, as ONNX wants them; raises GraphError for others."""
    arrays = [known_input(call, index) for index in indices]
    if len({array.dtype for array in arrays}) > 1:
        raise GraphError(
            "operands of different element types", found=", ".join(str(a.dtype) for a in arrays)
        )
    return arrays


def _integers(call: Call, index: int) -> Known:
    array = known_input(call, index)
    if array.dtype.kind not in "iu":
        raise GraphError(f"input {index + 1} must be integers", found=str(array.dtype))
    return array


_VALUES = ("value", "value_float", "value_floats", "value_int", "value_ints")


def constant(call: Call) -> Known:
    """Constant: the one attribute it has."""
    (name,) = call.attributes if len(call.attributes) == 1 else ("",)
    if name not in _VALUES:
        raise GraphError(
            "a constant of a kind that netgen does not read",
            expected="one of value, value_float(s) and value_int(s)",
            found=", ".join(call.attributes) or "nothing",
        )
    value = call.attributes[name]
    if name == "value":
        return np.asarray(value)
    return np.asarray(value, np.float32 if "float" in name else np.int64)


def constant_of_shape(call: Call) -> Known:
    """ConstantOfShape: one value, by default 0 as float32."""
    value = np.asarray(call.attributes.get("value", np.zeros(1, np.float32)))
    if value.size != 1 or value.dtype.kind in "OSUc":
        raise GraphError("value must be one number", found=f"{value.dtype}{list(value.shape)}")
    return np.full(_taken(call, _integers(call, 0).tolist()), value.reshape(-1)[0], value.dtype)


def _taken(call: Call, shape: Sequence[int]) -> tuple[int, ...]:
    """Take the elements of a shape from the budget; raises GraphError for what is no shape."""
    if min(shape, default=0) < 0:
        raise GraphError("a constant of an impossible shape", found=str(list(shape)))
    call.budget.take(prod(shape))
    return tuple(shape)


def gather(call: Call) -> Known:
    """Gather: numpy.take."""
    data, indices = known_input(call, 0), _integers(call, 1)
    axis = axis_of(call.integer("axis", 0), data.ndim)
    _taken(call, (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :]))
    return np.take(data, indices.astype(np.int64), axis)


def concat(call: Call) -> Known:
    """Concat."""
    arrays = _alike(call, range(len(call.inputs)))
    call.budget.take(sum(array.size for array in arrays))
    return np.concatenate(arrays, axis_of(call.integer("axis"), arrays[0].ndim))


def slices(call: Call) -> Known:
    """Slice, as NumPy cuts."""
    array = known_input(call, 0)
    return array[tuple(slices_of(call, array.ndim))]


def reshape(call: Call) -> Known:
    """Reshape; 0 keeps an extent, -1 is what remains."""
    array = known_input(call, 0)
    call.budget.take(array.size)
    return array.reshape(target_shape(call, array.shape))


def flatten(call: Call) -> Known:
    """Flatten to two axes."""
    array = known_input(call, 0)
    return array.reshape(flattened(call, array.shape))


def pad(call: Call) -> Known:
    """Pad by one number: numpy.pad."""
    array, sides = known_input(call, 0), sides_of(call, known_input(call, 0).ndim)
    if call.string("mode", "constant") != "constant" or any(min(side) < 0 for side in sides):
        raise GraphError("constants are padded by one number only")
    _taken(call, [n + sum(side) for n, side in zip(array.shape, sides, strict=True)])
    value = one_number(call.known(2, "constant_value"), 0.0, "constant_value")
    return np.pad(array, sides, constant_values=array.dtype.type(value))


def transpose(call: Call) -> Known:
    """Transpose; by default all axes reversed."""
    array = known_input(call, 0)
    return array.transpose(permutation(call, array.ndim))


def squeeze(call: Call) -> Known:
    """Squeeze the axes given, or all of extent 1."""
    array = known_input(call, 0)
    return np.squeeze(array, squeezed_axes(call, array.shape))


def unsqueeze(call: Call) -> Known:
    """Unsqueeze: numpy.expand_dims."""
    array = known_input(call, 0)
    return np.expand_dims(array, unsqueezed_axes(call, array.ndim))


def expand(call: Call) -> Known:
    """Expand: numpy.broadcast_to, both ways."""
    array, shape = known_input(call, 0), tuple(_integers(call, 1).tolist())
    if min(shape, default=0) < 0:
        raise GraphError("a constant of an impossible shape", found=str(list(shape)))
    return np.broadcast_to(array, _taken(call, np.broadcast_shapes(array.shape, shape)))


def arange(call: Call) -> Known:
    """Range: start + i * delta, as long as that is on this side of limit."""
    arrays = _alike(call, range(3))
    kind = arrays[0].dtype
    if kind not in (np.float32, np.float64, np.int16, np.int32, np.int64):
        raise GraphError("a range of an element type that netgen does not read", found=str(kind))
    if any(array.size != 1 for array in arrays):
        raise GraphError("start, limit and delta must be one number each")
    start, limit, delta = (array.reshape(-1)[0].item() for array in arrays)
    if not delta or not all(isfinite(number) for number in (start, limit, delta)):
        raise GraphError("a range that never ends")
    whole = kind.kind == "i"
    count = -((start - limit) // delta) if whole else ceil((limit - start) / delta)
    call.budget.take(max(count, 0))
    return np.asarray(start + np.arange(max(count, 0)) * delta, kind)


def where(call: Call) -> Known:
    """Elements of the first array for a true condition, else of the second, broadcast alike."""
    condition, arrays = known_input(call, 0), _alike(call, (1, 2))
    if condition.dtype != np.bool_:
        raise GraphError("the condition must be of truth values", found=str(condition.dtype))
    _taken(call, np.broadcast_shapes(condition.shape, *(array.shape for array in arrays)))
    return np.where(condition, *arrays)


def reduce_prod(call: Call) -> Known:
    """ReduceProd; no axes are all of them, or none where `noop_with_empty_axes` says so.

    Where factors could become too large on the way, even if a 0 follows, the result depends on the
    order in which they are multiplied, which ONNX leaves open.
    """
    array = known_input(call, 0)
    axes, kind = call.axes(array.ndim, 1) or None, array.dtype
    if axes is None and call.flag("noop_with_empty_axes"):
        return array
    most = np.finfo(kind).max if kind.kind == "f" else np.iinfo(kind).max
    factors = np.maximum(abs(array.astype(np.float64)), 1.0)
    if (np.prod(factors, axes) > most).any():
        raise GraphError(f"a product that may become too large for {kind} on the way")
    return np.asarray(np.prod(array, axes, kind, keepdims=call.flag("keepdims", 1)), kind)


def _divide(a: Known, b: Known) -> Known:
    """Div: integers are cut off towards zero, as C does it."""
    if a.dtype.kind not in "iu":
        return np.asarray(a / b)
    if not b.all():
        raise GraphError("a shape is divided by zero")
    return np.asarray(np.sign(a) * np.sign(b) * (abs(a) // abs(b)), a.dtype)


def modulo(call: Call) -> Known:
    """Mod: the sign is the divisor's, or with `fmod` the dividend's.

    Source: ONNX operators, Mod: floats need `fmod` before opset 28.
    """
    truncated = call.flag("fmod")
    a, b = _alike(call, range(2))
    whole = a.dtype.kind in "iu"
    if not (whole or truncated or call.opset >= 28):
        raise GraphError("floats without fmod", expected="fmod 1 before opset 28", found="0")
    if whole and not b.all():
        raise GraphError("a shape is divided by zero")
    _taken(call, np.broadcast_shapes(a.shape, b.shape))
    return np.asarray((np.fmod if truncated else np.mod)(a, b), a.dtype)


def elementwise(function: Callable[..., Known], operands: int) -> Callable[[Call], Known]:
    """Make a folding rule of a NumPy function."""

    def fold(call: Call) -> Known:
        arrays = _alike(call, range(operands))
        _taken(call, np.broadcast_shapes(*(array.shape for array in arrays)))
        return np.asarray(function(*arrays)).astype(
            np.bool_ if function in _COMPARISONS else arrays[0].dtype
        )

    return fold


def several(function: Callable[..., Known]) -> Callable[[Call], Known]:
    """Make the folding rule of an operator of one or more operands, one after the other."""

    def fold(call: Call) -> Known:
        found, *others = _alike(call, range(len(call.inputs)))
        for other in others:
            _taken(call, np.broadcast_shapes(found.shape, other.shape))
            found = np.asarray(function(found, other))
        return found

    return fold


def power(call: Call) -> Known:
    """Pow, whose exponents may be of another type."""
    a, b = known_input(call, 0), known_input(call, 1)
    _taken(call, np.broadcast_shapes(a.shape, b.shape))
    return np.asarray(np.power(a, b), a.dtype)


def tile(call: Call) -> Known:
    """Tile: numpy.tile."""
    array, repeats = known_input(call, 0), _integers(call, 1).tolist()
    if len(repeats) != array.ndim:
        raise GraphError("a number of repeats for every axis", found=str(repeats))
    _taken(call, [count * n for count, n in zip(repeats, array.shape, strict=True)])
    return np.tile(array, repeats)


def reduction(function: Callable[..., Known]) -> Callable[[Call], Known]:
    """Make the folding rule of a reduction; no axes are all, or none, as in `reduce_prod`."""

    def fold(call: Call) -> Known:
        array = known_input(call, 0)
        axes = call.axes(array.ndim, 1) or None
        if axes is None and call.flag("noop_with_empty_axes"):
            return array
        kept = call.flag("keepdims", 1)
        return np.asarray(function(array, axis=axes, keepdims=kept), array.dtype)

    return fold


_REDUCTIONS: dict[str, Callable[..., Known]] = {
    "Max": np.max,
    "Mean": np.mean,
    "Min": np.min,
    "Sum": np.sum,
}
_COMPARISONS = (
    *(np.equal, np.greater, np.less, np.greater_equal, np.less_equal),
    *(np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.isnan),
)

FOLDS: dict[str, Callable[[Call], Known]] = {
    "Abs": elementwise(np.abs, 1),
    "Add": elementwise(np.add, 2),
    "Cast": cast,
    "And": elementwise(np.logical_and, 2),
    "Ceil": elementwise(np.ceil, 1),
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "DequantizeLinear": dequantized,
    "Div": elementwise(_divide, 2),
    "Equal": elementwise(np.equal, 2),
    "Exp": elementwise(np.exp, 1),
    "Expand": expand,
    "Flatten": flatten,
    "Floor": elementwise(np.floor, 1),
    "Gather": gather,
    "Greater": elementwise(np.greater, 2),
    "GreaterOrEqual": elementwise(np.greater_equal, 2),
    "IsNaN": elementwise(np.isnan, 1),
    "Identity": elementwise(np.asarray, 1),
    "Less": elementwise(np.less, 2),
    "LessOrEqual": elementwise(np.less_equal, 2),
    "Log": elementwise(np.log, 1),
    "Max": several(np.maximum),
    "Min": several(np.minimum),
    "Mod": modulo,
    "Mul": elementwise(np.multiply, 2),
    "Neg": elementwise(np.negative, 1),
    "Not": elementwise(np.logical_not, 1),
    "Or": elementwise(np.logical_or, 2),
    "Pad": pad,
    "Pow": power,
    "QuantizeLinear": quantized,
    "Range": arange,
    **{f"Reduce{name}": reduction(function) for name, function in _REDUCTIONS.items()},
    "ReduceProd": reduce_prod,
    "Reciprocal": elementwise(np.reciprocal, 1),
    "Reshape": reshape,
    "Slice": slices,
    "Sqrt": elementwise(np.sqrt, 1),
    "Squeeze": squeeze,
    "Sub": elementwise(np.subtract, 2),
    "Transpose": transpose,
    "Tile": tile,
    "Unsqueeze": unsqueeze,
    "Where": where,
    "Xor": elementwise(np.logical_xor, 2),
}
