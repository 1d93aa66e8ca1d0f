"""The channel of the largest number in each pixel, the first of equal ones."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, ElementsByLetter, Json, Layer
from netgen.kernels.loops import ElementKernel
from netgen.kernels.targets import Target
from netgen.ops.argmax import Argmax


class ArgmaxKernel(ElementKernel):
    """Any number of pixels and channels."""

    name: ClassVar[str] = "argmax"
    operators: ClassVar[tuple[type[Operator], ...]] = (Argmax,)
    numeric_form: ClassVar[str] = "elementwise"
    elements: ClassVar[ElementsByLetter] = {
        "x": frozenset({"f32", "i8", "u8", "i16"}),
        "y": frozenset({"i32"}),
    }
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every argmax."""
        return isinstance(layer.op, Argmax)

    def title(self, layer: Layer) -> str:
        """Element type, pixels and channels."""
        x = layer.operands["x"]
        assert isinstance(layer.op, Argmax)
        last = "last_" if layer.op.last else ""
        return f"argmax_{last}{x.dtype}_{layer.result.elements}x{x.shape[-1]}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels and channels."""
        del target
        assert isinstance(layer.op, Argmax)
        return {
            "pixels": layer.result.elements,
            "channels": layer.operands["x"].shape[-1],
            "comparison": ">=" if layer.op.last else ">",
        }

    def cost(self, layer: Layer, target: Target) -> float:
        """One comparison for each number."""
        del target
        return 2.0 * layer.operands["x"].elements
