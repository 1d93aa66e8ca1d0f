"""The layer that a step's kernel computes, with its layouts and its bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from netgen.ir.tensor_type import TensorType
from netgen.kernels import find_kernel
from netgen.kernels.layer import Band, Layer
from netgen.plan.order import height
from netgen.plan.plan import Buffer, Plan, Step


def step_layer(plan: Plan, step: Step, types: Mapping[str, TensorType]) -> Layer:
    """The layer of one call of a step, whose operands have these types, constants included."""
    result, constant = plan.values[step.writes].type, frozenset(step.constants)
    layer = Layer(step.op, types, result, constant, plan.layouts(step))
    x = plan.buffer_of(step.reads["x"]) if "x" in step.reads else None
    return banded_layer(layer, find_kernel(step.kernel).by_rows, step.rows, height(plan, step), x)


def banded_layer(layer: Layer, by_rows: str, rows: int, all_rows: int, x: Buffer | None) -> Layer:
    """The layer of a call that computes `rows` of `all_rows`, and reads x from this buffer."""
    if rows == all_rows:
        return layer
    if by_rows == "alike":
        cut = {
            letter: _cut(kind, layer.result, rows) if letter not in layer.constant else kind
            for letter, kind in layer.operands.items()
        }
        return replace(layer, operands=cut, result=_cut(layer.result, layer.result, rows))
    assert x is not None
    return replace(layer, band=Band(rows, x.rows, x.row_pixels))


def _cut(kind: TensorType, result: TensorType, rows: int) -> TensorType:
    """An image of `rows` rows in place of one with as many rows and columns as the result."""
    if len(kind.shape) != 4 or kind.shape[:3] != result.shape[:3]:
        return kind
    return TensorType(kind.dtype, (1, rows, *kind.shape[2:]))
