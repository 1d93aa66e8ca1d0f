"""Arithmetic on shapes and other arrays that are known: evaluated in NumPy, nothing is emitted."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call, Known, axis_of

# Above this a constant is no arithmetic on shapes, but an attack or a mistake.
_MOST_ELEMENTS = 1 << 28


def known_input(call: Call, index: int) -> Known:
    """An input that folding needs; raises GraphError where it is left out."""
    array = call.known(index, f"input {index + 1}")
    if array is None:
        raise GraphError(f"input {index + 1} is missing")
    return array


def constant(call: Call) -> Known:
    """Constant: the one attribute it has."""
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in call.attributes:
            value = call.attributes[name]
            if name == "value":
                return np.asarray(value)
            return np.asarray(value, np.float32 if "float" in name else np.int64)
    raise GraphError(
        "a constant of a kind that netgen does not read",
        expected="value, value_float(s) or value_int(s)",
        found=", ".join(call.attributes) or "nothing",
    )


def constant_of_shape(call: Call) -> Known:
    """ConstantOfShape: one value, by default 0 as float32."""
    value = np.asarray(call.attributes.get("value", np.zeros(1, np.float32)))
    return np.full(_checked(known_input(call, 0)), value.reshape(-1)[0], value.dtype)


def _checked(shape: Known) -> tuple[int, ...]:
    extents = tuple(int(extent) for extent in shape.reshape(-1))
    if min(extents, default=1) < 0 or prod(extents) > _MOST_ELEMENTS:
        raise GraphError("a constant of an impossible shape", found=str(list(extents)))
    return extents


def cast(call: Call) -> Known:
    """Cast to an element type that NumPy has."""
    from onnx.helper import tensor_dtype_to_np_dtype

    return known_input(call, 0).astype(tensor_dtype_to_np_dtype(call.integer("to", 0)))


def gather(call: Call) -> Known:
    """Gather: numpy.take."""
    data, indices = known_input(call, 0), known_input(call, 1)
    axis = axis_of(call.integer("axis", 0), data.ndim)
    return np.take(data, indices.astype(np.int64), axis)


def concat(call: Call) -> Known:
    """Concat."""
    arrays = [known_input(call, index) for index in range(len(call.inputs))]
    return np.concatenate(arrays, axis_of(call.integer("axis", 0), arrays[0].ndim))


def slices(call: Call) -> Known:
    """Slice, as NumPy cuts."""
    array = known_input(call, 0)
    starts, ends = (known_input(call, index).reshape(-1) for index in (1, 2))
    axes = call.integers("axes", 3) or tuple(range(len(starts)))
    steps = call.integers("steps", 4) or (1,) * len(starts)
    cut = [slice(None)] * array.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        cut[axis_of(axis, array.ndim)] = slice(int(start), int(end), step)
    return array[tuple(cut)]


def reshape(call: Call) -> Known:
    """Reshape; 0 keeps an extent, -1 is what remains."""
    array = known_input(call, 0)
    return array.reshape(target_shape(call, array.shape))


def target_shape(call: Call, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Settle the shape that a Reshape asks for; raises GraphError where the elements do not fit."""
    wanted = call.integers("shape", 1)
    if wanted is None:
        raise GraphError("the shape is missing")
    keep = not call.integer("allowzero", 0)
    try:
        extents = [shape[k] if keep and v == 0 else v for k, v in enumerate(wanted)]
    except IndexError:
        raise GraphError("a shape of 0 keeps an axis that is not there") from None
    known = prod(extent for extent in extents if extent != -1)
    if extents.count(-1) == 1 and known and prod(shape) % known == 0:
        extents[extents.index(-1)] = prod(shape) // known
    if prod(extents) != prod(shape) or min(extents, default=1) < 0:
        raise GraphError(
            "a reshape to another number of elements",
            expected=f"{prod(shape)} as {list(shape)}",
            found=str(list(wanted)),
        )
    return tuple(extents)


def transpose(call: Call) -> Known:
    """Transpose; by default all axes reversed."""
    array = known_input(call, 0)
    return array.transpose(call.integers("perm") or tuple(range(array.ndim))[::-1])


def squeeze(call: Call) -> Known:
    """Squeeze the axes given, or all of extent 1."""
    axes = call.integers("axes", 1)
    return np.squeeze(known_input(call, 0), axes)


def unsqueeze(call: Call) -> Known:
    """Unsqueeze: numpy.expand_dims."""
    return np.expand_dims(known_input(call, 0), call.integers("axes", 1) or ())


def expand(call: Call) -> Known:
    """Expand: numpy.broadcast_to, both ways."""
    array, shape = known_input(call, 0), _checked(known_input(call, 1))
    return np.broadcast_to(array, _checked(np.array(np.broadcast_shapes(array.shape, shape))))


def arange(call: Call) -> Known:
    """Range."""
    start, limit, step = (known_input(call, index).reshape(-1)[0] for index in range(3))
    if step == 0 or abs(int(limit) - int(start)) > _MOST_ELEMENTS:
        raise GraphError("a range that never ends")
    return np.arange(start, limit, step)


def where(call: Call) -> Known:
    """Where."""
    return np.where(*(known_input(call, index) for index in range(3)))


def reduce_prod(call: Call) -> Known:
    """ReduceProd."""
    axes = call.integers("axes", 1)
    return np.asarray(
        np.prod(known_input(call, 0), axes, keepdims=bool(call.integer("keepdims", 1)))
    )


def divide(a: Known, b: Known) -> Known:
    """Div: integers are cut off towards zero, as C does it."""
    if not np.issubdtype(a.dtype, np.integer):
        return np.asarray(a / b)
    if (b == 0).any():
        raise GraphError("a shape is divided by zero")
    return np.asarray(np.sign(a) * np.sign(b) * (abs(a) // abs(b)), a.dtype)


def elementwise(function: Callable[..., Known], operands: int) -> Callable[[Call], Known]:
    """Make a folding rule of a NumPy function."""

    def fold(call: Call) -> Known:
        arrays = [known_input(call, index) for index in range(operands)]
        return np.asarray(function(*arrays)).astype(
            np.bool_ if function in _COMPARISONS else arrays[0].dtype
        )

    return fold


_COMPARISONS = (np.equal, np.greater, np.less)

FOLDS: dict[str, Callable[[Call], Known]] = {
    "Abs": elementwise(np.abs, 1),
    "Add": elementwise(np.add, 2),
    "Cast": cast,
    "Ceil": elementwise(np.ceil, 1),
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "Div": elementwise(divide, 2),
    "Equal": elementwise(np.equal, 2),
    "Expand": expand,
    "Floor": elementwise(np.floor, 1),
    "Gather": gather,
    "Greater": elementwise(np.greater, 2),
    "Identity": elementwise(np.asarray, 1),
    "Less": elementwise(np.less, 2),
    "Mod": elementwise(np.mod, 2),
    "Mul": elementwise(np.multiply, 2),
    "Neg": elementwise(np.negative, 1),
    "Range": arange,
    "ReduceProd": reduce_prod,
    "Reshape": reshape,
    "Slice": slices,
    "Sqrt": elementwise(np.sqrt, 1),
    "Squeeze": squeeze,
    "Sub": elementwise(np.subtract, 2),
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "Where": where,
}
