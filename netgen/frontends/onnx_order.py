"""Tensors of any rank as stored values: the axes in one order, brought to operands alike.

A layer of images finds its pixels by `Builder.image`. All other operators work on the axes as they
lie, whatever their order: which axis holds the channels is a property of the view. So a network
whose body is written for NHWC, or whose tensors have one axis or five, needs no transposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_call import Call, Known, Value
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.ir.operator import Input, Operator
from netgen.ops.table import Table

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AxisOrder:
    """Axis k of the stored value is axis `perm[k]` of the ONNX tensor."""

    perm: tuple[int, ...]

    def shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape as it is stored."""
        return tuple(shape[axis] for axis in self.perm)

    def places(self, axes: Sequence[int]) -> tuple[int, ...]:
        """The places at which these axes of the ONNX tensor are stored, ascending."""
        return tuple(sorted(self.perm.index(axis) for axis in axes))

    def last(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Shape of one number for each index of the axis that is stored last."""
        return tuple(n if axis == self.perm[-1] else 1 for axis, n in enumerate(shape))

    def store(self, builder: Builder, view: TensorView) -> str:
        """A value of the tensor in this order."""
        order = tuple(atom for axis in self.perm for atom in view.axes[axis])
        return builder.stored(view, order, self.shape(view.shape))

    def view(self, value: str, shape: Sequence[int]) -> TensorView:
        """View a value in this order as the ONNX tensor of a shape."""
        stored = row_major(value, self.shape(shape))
        axes = tuple(stored.axes[self.perm.index(axis)] for axis in range(len(shape)))
        return replace(stored, axes=axes)


def order_of(view: TensorView) -> AxisOrder:
    """The order in which a tensor's axes lie, as in the file where one of them is in pieces.

    Channels that are shuffled are no pieces. Axes of extent 1 lie nowhere: they go where the file
    has them, or of rank 4 where channels come last.
    """
    rank = len(view.shape)
    whole = tuple(axis for axis in range(rank) if view.axes[axis])
    places = {axis: sorted(map(view.storage.index, view.axes[axis])) for axis in whole}
    if any(at[-1] - at[0] != len(at) - 1 for at in places.values()):
        return AxisOrder(tuple(range(rank)))
    lying = sorted(whole, key=lambda axis: places[axis][0])
    channels_last = (0, *range(2, rank), 1) if rank > 2 else tuple(range(rank))
    candidates = (channels_last, tuple(range(rank)))
    for perm in candidates if rank == 4 else candidates[::-1]:
        if [axis for axis in perm if axis in whole] == lying:
            return AxisOrder(perm)
    return AxisOrder((*(axis for axis in range(rank) if axis not in whole), *lying))


def parts_order(call: Call, view: TensorView) -> AxisOrder:
    """The order in which a tensor is cut or joined: inputs of the network become images first.

    An input lies as the file has it, which is channels first mostly, and layers follow.
    """
    order, shape = order_of(view), view.shape
    image = len(shape) == 4 and shape[0] == 1
    is_input = isinstance(call.builder.nodes[view.value].op, Input)
    return AxisOrder((0, 2, 3, 1)) if image and is_input else order


def widened(view: TensorView, rank: int) -> TensorView:
    """The tensor with axes of extent 1 before its own."""
    return replace(view, axes=(*((),) * (rank - len(view.axes)), *view.axes))


def broadcast_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that ONNX broadcasts to; raises GraphError where there is none."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise GraphError(
            "operands whose shapes do not fit",
            expected="extents that are equal, or 1",
            found=" and ".join(str(list(shape)) for shape in shapes),
        ) from None


def leading(call: Call, views: Sequence[TensorView], shape: tuple[int, ...]) -> AxisOrder:
    """The order of the operands: that of one with the shape of the result, which stays as it is.

    Inputs of the network come last: they lie as the file has them, layers as netgen has them.
    """
    whole = [view for view in views if view.shape == shape]
    if not whole:
        return AxisOrder(tuple(range(len(shape))))
    computed = [v for v in whole if not isinstance(call.builder.nodes[v.value].op, Input)]
    return order_of((computed or whole)[0])


def emit_aligned(
    call: Call, op: Operator, operands: Sequence[Value], name: str, *, tables: bool = False
) -> TensorView:
    """Emit an elementwise operator of tensors and arrays, which are broadcast.

    With `tables` arrays become activations, for an operator that takes no constants.
    """
    builder = call.builder
    shape = broadcast_shape([operand.shape for operand in operands])
    rank = max(len(shape), 1)
    wide = shape or (1,)
    views = [widened(view, rank) for view in operands if isinstance(view, TensorView)]
    order = leading(call, views, wide)
    values = []
    for letter, operand in zip("abc", operands, strict=False):
        if isinstance(operand, TensorView):
            values.append(order.store(builder, widened(operand, rank)))
            continue
        array = floats(call, operand)
        turned = array.reshape((1,) * (rank - array.ndim) + array.shape).transpose(order.perm)
        value = builder.constant(f"{name}.{letter}", turned)
        values.append(table(call, value) if tables else value)
    found = order.view(builder.emit(op, values, name), wide)
    return replace(found, axes=found.axes[rank - len(shape) :])


def floats(call: Call, array: Known) -> Floats:
    """An array of numbers or truth values as floats; raises GraphError for others."""
    return _floats(call.budget, array)


def _floats(budget: Budget, array: Known) -> Floats:
    if array.dtype.kind not in "fiub":
        raise GraphError(
            "a constant operand has an element type that netgen does not read",
            expected="float32",
            found=str(array.dtype),
        )
    budget.take(array.size)
    return np.asarray(array, np.float64)


def table(call: Call, constant: str) -> str:
    """A constant as an activation."""
    return call.builder.emit(Table(), [constant], f"{constant}.table")


def as_tensor(call: Call, value: Value | None, name: str) -> TensorView:
    """An operand as activations, be it known or not; raises GraphError where it is left out."""
    if isinstance(value, TensorView):
        return value
    if value is None:
        raise GraphError("an operand is missing")
    return tensor_of(call.builder, call.budget, value, name)


def tensor_of(builder: Builder, budget: Budget, array: Known, name: str) -> TensorView:
    """A known array as activations."""
    shape = array.shape or (1,)
    constant = builder.constant(f"{name}.constant", _floats(budget, array).reshape(shape))
    view = row_major(builder.emit(Table(), [constant], name), shape)
    return replace(view, axes=view.axes[: array.ndim])
