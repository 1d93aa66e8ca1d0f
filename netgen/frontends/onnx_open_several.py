"""Operators of several activations and open axes: rules that look at all inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Known, axis_of
from netgen.frontends.onnx_open_axis import AxisPlace, OpenNode, without
from netgen.frontends.onnx_tensor_view import TensorView

Shape = tuple[int, ...]


def _elementwise(step: OpenNode) -> AxisPlace | None:
    """Every element by itself, if all inputs have the axis at one place."""
    for value, twin in zip(step.call.inputs, step.twin.inputs, strict=True):
        if isinstance(value, np.ndarray) and twin is not value and not _repeats(value, twin):
            raise GraphError("the constant depends on the axis")
    return _broadcast(*_both_shapes(step), step.places)


def _both_shapes(step: OpenNode) -> tuple[list[Shape], list[Shape]]:
    """Shapes of all inputs, and of their twins; () of one that is left out."""
    of_call, of_twin = ([_shape(v) for v in call.inputs] for call in (step.call, step.twin))
    return of_call, of_twin


def _broadcast(
    shapes: Sequence[Shape], twins: Sequence[Shape], places: Sequence[AxisPlace | None]
) -> AxisPlace | None:
    """The place of the axis in what is broadcast of these shapes, if all have it at one place."""
    try:
        shape, longer = np.broadcast_shapes(*shapes), np.broadcast_shapes(*twins)
    except ValueError:
        return None
    placed = {
        replace(place, axis=len(shape) - len(own) + place.axis)
        for place, own in zip(places, shapes, strict=True)
        if place is not None
    }
    changed = [axis for axis, n in enumerate(shape) if longer[axis] != n]
    if len(placed) != 1 or changed != [place.axis for place in placed]:
        raise GraphError("different parts of the axis are set against each other")
    return placed.pop()


def _shape(value: object) -> Shape:
    return value.shape if isinstance(value, TensorView | np.ndarray) else ()


def _repeats(array: Known, twin: object) -> bool:
    """Whether a twin is the array itself, repeated along the axis."""
    if not isinstance(twin, np.ndarray):
        return False
    try:
        return np.array_equal(np.broadcast_to(array, twin.shape), twin)
    except ValueError:
        return False


def _concat(step: OpenNode) -> AxisPlace | None:
    axis = axis_of(step.call.integer("axis"), len(step.shape))
    placed = [place for place in step.places if place is not None]
    if any(place.axis == axis for place in placed):
        raise GraphError("tensors are joined along the axis")
    # Tensors that have the axis elsewhere, or not at all, fit only where it is 1.
    if len(placed) < len(step.places) or len({place.axis for place in placed}) > 1:
        return None
    if len({(place.outer, place.inner) for place in placed}) > 1:
        raise GraphError("different parts of the axis are set side by side")
    return placed[0]


def _expand(step: OpenNode) -> AxisPlace | None:
    """The second input is a shape to which the first is broadcast."""
    wide, longer = (call.integers("shape", 1) or () for call in (step.call, step.twin))
    shapes, twins = [step.shape, wide], [step.twin.tensor().shape, longer]
    return _broadcast(shapes, twins, [step.places[0], None])


def _mat_mul(step: OpenNode) -> AxisPlace | None:
    _constants_stay(step)
    shapes, twins = _both_shapes(step)
    row, column = (len(shape) == 1 for shape in shapes)
    for each in (shapes, twins):
        each[0] = (1, *each[0]) if row else each[0]
        each[1] = (*each[1], 1) if column else each[1]
    places = list(step.places)
    if row and places[0] is not None:
        places[0] = replace(places[0], axis=1)
    found = _product(shapes, twins, places)
    if found is None:
        return None
    rank = max(map(len, shapes))
    return without(found, [*([rank - 2] if row else []), *([rank - 1] if column else [])])


def _gemm(step: OpenNode) -> AxisPlace | None:
    """Gemm: a product of two matrices that may be turned, and what is added to it."""
    _constants_stay(step)
    shapes, twins = _both_shapes(step)
    places = list(step.places)
    for index, turned in enumerate(("transA", "transB")):
        if step.call.flag(turned):
            place = places[index]
            shapes[index], twins[index] = shapes[index][::-1], twins[index][::-1]
            places[index] = None if place is None else replace(place, axis=1 - place.axis)
    found = _product(shapes, twins, places) if any(places[:2]) else None
    if found is None and any(places[:2]):
        return None
    made = [(a[0], b[1]) for a, b, *_ in (shapes, twins)]
    return _broadcast([made[0], *shapes[2:]], [made[1], *twins[2:]], [found, *places[2:]])


def _constants_stay(step: OpenNode) -> None:
    for value, twin in zip(step.call.inputs, step.twin.inputs, strict=True):
        if isinstance(value, np.ndarray) and twin is not value:
            raise GraphError("the constant depends on the axis")


def _product(
    shapes: Sequence[Shape], twins: Sequence[Shape], places: Sequence[AxisPlace | None]
) -> AxisPlace | None:
    """The place of the axis in products of matrices: ahead of them, or rows or columns."""
    if twins[0][-1] != twins[1][-2]:
        return None  # the other operand says how many numbers are summed
    if twins[0][-1] != shapes[0][-1]:
        raise GraphError("the sum is taken over the axis")
    wide, longer = ([(*a[:-1], 1), (*b[:-2], 1, b[-1])] for a, b, *_ in (shapes, twins))
    return _broadcast(wide, longer, places[:2])


_ELEMENTWISE = (
    *("Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max"),
    *("Mean", "Min", "Mul", "Or", "PRelu", "Sub", "Sum", "Where", "Xor"),
)

OF_SEVERAL: dict[str, Callable[[OpenNode], AxisPlace | None]] = {
    **dict.fromkeys(_ELEMENTWISE, _elementwise),
    "Concat": _concat,
    "Expand": _expand,
    "Gemm": _gemm,
    "MatMul": _mat_mul,
}
