"""Reductions along any axes: elements are taken in their order."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.nests import Nest, nest_of, strides_of
from netgen.kernels.targets import Target
from netgen.ops.reduction import Reduction

# How two numbers become one, and the number to begin with; "" is the first of x.
_STEPS = {
    "reduce_sum": ("+", "0.0f"),
    "reduce_mean": ("+", "0.0f"),
    "reduce_prod": ("*", "1.0f"),
    "reduce_max": ("larger", ""),
    "reduce_min": ("smaller", ""),
}


class ReductionF32(Kernel):
    """Any rank and axes: one total after the other, or those of a whole row at once.

    Rows are taken where the last axis stays: neighbours are then read, and added to neighbours.
    """

    name: ClassVar[str] = "reduction_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Reduction,)
    numeric_form: ClassVar[str] = "elements-in-order"

    def accepts(self, layer: Layer) -> bool:
        """Every reduction of activations."""
        return isinstance(layer.op, Reduction) and not layer.constant

    def title(self, layer: Layer) -> str:
        """Operator, axes and shape."""
        axes = "".join(map(str, _op(layer).axes))
        shape = "x".join(map(str, layer.operands["x"].shape))
        return f"{layer.op.operator_name}_{axes}_{shape}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Loops over what stays and over what is reduced; the row that is taken at once."""
        del target
        op, x, y = _op(layer), layer.operands["x"].shape, layer.result.shape
        strides = {"x": strides_of(x), "y": strides_of(y)}
        kept = nest_of(y, strides)
        reduced = nest_of([n if axis in op.axes else 1 for axis, n in enumerate(x)], strides)
        row = kept.extents[-1] if kept.extents and kept.strides["x"][-1] == 1 else 1
        outer = kept if row == 1 else _without_last(kept)
        step, start = _STEPS[op.operator_name]
        return {
            "loops": outer.loops(),
            "inner": [
                {"variable": f"j{depth}", "extent": n} for depth, n in enumerate(reduced.extents)
            ],
            "at": outer.index("x"),
            "to": outer.index("y"),
            "step": str(reduced.index("x")).replace("i", "j"),
            "row": row,
            "operation": step,
            "start": start,
            "count": op.count(x) if op.operator_name == "reduce_mean" else 1,
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """One addition for each element of x."""
        del target
        return 4.0 * layer.operands["x"].elements


def _op(layer: Layer) -> Reduction:
    assert isinstance(layer.op, Reduction)
    return layer.op


def _without_last(nest: Nest) -> Nest:
    strides = {letter: steps[:-1] for letter, steps in nest.strides.items()}
    return Nest(nest.extents[:-1], strides)
