"""Elementwise sum of two values: y = act(a + b)."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.add import Add


class AddF32(Kernel):
    """Any shape; a plain loop that every compiler vectorises."""

    name: ClassVar[str] = "add_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Add,)
    numeric_form: ClassVar[str] = "elementwise"

    def accepts(self, layer: Layer) -> bool:
        """Every add."""
        return isinstance(layer.op, Add)

    def title(self, layer: Layer) -> str:
        """Number of elements."""
        assert isinstance(layer.op, Add)
        end = "" if layer.op.act == "none" else f"_{layer.op.act}"
        return f"add_{layer.result.elements}{end}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Number of elements and activation."""
        del target
        assert isinstance(layer.op, Add)
        return {"elements": layer.result.elements, "act": layer.op.act}

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        del layer
        return {"a": 0, "b": 0}
