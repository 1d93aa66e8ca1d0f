"""Moves at equal distances along every axis: parts of x, and axes that are repeated."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.layer import ElementsByLetter, Json, Kernel, Layer
from netgen.kernels.nests import nest_of, strides_of
from netgen.kernels.targets import Target
from netgen.kernels.terms import sum_of
from netgen.ops.expand import Expand
from netgen.ops.strided_slice import StridedSlice


class StridedKernel(Kernel):
    """Any rank: writes in order, reads with strides, also back."""

    name: ClassVar[str] = "strided"
    operators: ClassVar[tuple[type[Operator], ...]] = (StridedSlice, Expand)
    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}

    def accepts(self, layer: Layer) -> bool:
        """Every slice and every repetition."""
        return isinstance(layer.op, self.operators) and not layer.constant

    def title(self, layer: Layer) -> str:
        """Operator, shapes, and where a slice begins."""
        x, y = ("x".join(map(str, s)) for s in (layer.operands["x"].shape, layer.result.shape))
        op = layer.op
        places = (*op.first, *op.step) if isinstance(op, StridedSlice) else ()
        where = "_".join(str(place).replace("-", "m") for place in places)
        return f"{op.operator_name}_{x}_{y}" + (f"_{where}" if where else "")

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """The loops from the outermost, and the element of x that the innermost one reads."""
        del target
        x, op = layer.operands["x"].shape, layer.op
        steps, first = strides_of(x), 0
        if isinstance(op, StridedSlice):
            dense = [prod(x[axis + 1 :]) for axis in range(len(x))]
            steps = tuple(a * b for a, b in zip(dense, op.step, strict=True))
            first = sum(a * b for a, b in zip(dense, op.first, strict=True))
        nest = nest_of(layer.result.shape, {"x": steps})
        return {"loops": nest.loops(), "index": sum_of(first, nest.index("x"))}
