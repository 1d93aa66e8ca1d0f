"""Axes in another order: writes in order, reads with strides."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from netgen.errors import PlanError
from netgen.ir.operator import ANY_ELEMENT, Operator
from netgen.kernels.layer import ElementsByLetter, Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.kernels.terms import product, sum_of
from netgen.ops.transpose import Transpose


class TransposeKernel(Kernel):
    """Any order of any number of axes; those that stay together are one loop."""

    name: ClassVar[str] = "transpose"
    operators: ClassVar[tuple[type[Operator], ...]] = (Transpose,)
    numeric_form: ClassVar[str] = "copy"
    elements: ClassVar[ElementsByLetter] = {"": ANY_ELEMENT}

    def accepts(self, layer: Layer) -> bool:
        """Every transpose."""
        return isinstance(layer.op, Transpose)

    def title(self, layer: Layer) -> str:
        """Axes and input shape."""
        axes = "".join(map(str, _axes(layer)))
        return f"transpose_{axes}_" + "x".join(map(str, layer.operands["x"].shape))

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """The loops from the outermost, and the element of x that the innermost one reads."""
        del target
        loops = _loops(layer)
        return {
            "loops": [
                {"variable": f"i{depth}", "extent": extent}
                for depth, (extent, _) in enumerate(loops)
            ],
            "index": sum_of(*(product(f"i{depth}", step) for depth, (_, step) in enumerate(loops))),
        }


def _axes(layer: Layer) -> tuple[int, ...]:
    if not isinstance(layer.op, Transpose):
        raise PlanError("this kernel computes a transpose only", found=layer.op.operator_name)
    return layer.op.axes


def _loops(layer: Layer) -> list[tuple[int, int]]:
    """Extent and stride in x of each axis of the result, neighbours joined where x has them so."""
    shape = layer.operands["x"].shape
    loops: list[tuple[int, int]] = []
    for axis in _axes(layer):
        extent, step = shape[axis], prod(shape[axis + 1 :])
        if extent == 1:
            continue
        if loops and loops[-1][1] == extent * step:
            loops[-1] = (loops[-1][0] * extent, step)
        else:
            loops.append((extent, step))
    return loops
