"""The layer that a step's kernel computes, with its layouts and its bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netgen.errors import PlanError
from netgen.ir.rows import is_image
from netgen.ir.tensor_type import TensorType
from netgen.kernels import find_kernel
from netgen.kernels.compressed import PLAIN_WEIGHTS
from netgen.kernels.layer import BandShape, Layer
from netgen.plan.data.execution_order import height
from netgen.plan.data.plan import Buffer, Plan, Step, Value


def step_layer(plan: Plan, step: Step, types: Mapping[str, TensorType]) -> Layer:
    """The layer of one call of a step, whose operands have these types, constants included."""
    result, constant = plan.values[step.writes].type, frozenset(step.constants)
    weights = stored_weights(plan, step)
    layer = Layer(step.op, types, result, constant, plan.layouts(step), weights=weights)
    slots = None
    if "x" in step.reads:
        x = step.reads["x"]
        slots = slots_of(plan.values[x], None if plan.is_recut(x) else plan.buffer_of(x))
    by_rows = find_kernel(step.kernel).by_rows
    banded = banded_layer(layer, by_rows, step.rows, height(plan, step), slots)
    return replace(banded, choice=step.choice)


def stored_weights(plan: Plan, step: Step) -> str:
    """The element type in which a step's weights of floats are stored; see `Layer.weights`.

    Raises PlanError for one that the kernel does not widen.
    """
    found = plan.instances[step.instance].parameters.get("weights", PLAIN_WEIGHTS)
    known = {PLAIN_WEIGHTS, *find_kernel(step.kernel).widens}
    if found not in known:
        raise PlanError(
            f"{step.kernel} reads no such weights",
            where=f"step %{step.name}",
            expected=f"one of {', '.join(sorted(known))}",
            found=str(found),
        )
    return str(found)


def packed_element(plan: Plan, step: Step) -> str:
    """The element type as which a step's kernel reads its packed weights."""
    return find_kernel(step.kernel).packed_element(plan.instances[step.instance].parameters)


@dataclass(frozen=True)
class RowSlots:
    """The slots for the rows of an operand: their number, and the pixels from one to the next.

    They are `dense` if they hold the whole image, row after row.
    """

    count: int
    pixels: int
    dense: bool


def slots_of(value: Value, buffer: Buffer | None) -> RowSlots:
    """The slots of a value in its buffer; without one its rows follow each other."""
    width = value.type.elements // value.type.shape[-1] // value.rows
    if buffer is None:
        return RowSlots(value.rows, width, dense=True)
    dense = (buffer.rows, buffer.row_pixels) == (value.rows, width)
    return RowSlots(buffer.rows, buffer.row_pixels, dense)


def banded_layer(layer: Layer, by_rows: str, rows: int, all_rows: int, x: RowSlots | None) -> Layer:
    """The layer of a call that computes `rows` of `all_rows`, and reads x from these slots."""
    if by_rows == "alike" and rows != all_rows:
        cut = {
            letter: _cut(kind, layer.result, rows) if letter not in layer.constant else kind
            for letter, kind in layer.operands.items()
        }
        return replace(layer, operands=cut, result=_cut(layer.result, layer.result, rows))
    if x is None or (rows == all_rows and (by_rows != "window" or x.dense)):
        return layer
    return replace(layer, band=BandShape(rows, x.count, x.pixels))


def _cut(kind: TensorType, result: TensorType, rows: int) -> TensorType:
    """An image of `rows` rows in place of one with as many rows and columns as the result."""
    if not is_image(kind.shape) or kind.shape[:3] != result.shape[:3]:
        return kind
    return kind.with_shape((1, rows, *kind.shape[2:]))
