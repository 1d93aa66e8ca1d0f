"""Mean over all pixels: y[c] = (sum over pixels, in order, of x[p][c]) / pixels."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.global_avg_pool import GlobalAvgPool


class GlobalAvgPoolF32(Kernel):
    """Any shape; sums stand in the output, so that a compiler vectorises along channels."""

    name: ClassVar[str] = "global_avg_pool_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (GlobalAvgPool,)
    numeric_form: ClassVar[str] = "pixels-in-order"

    def accepts(self, layer: Layer) -> bool:
        """Every global average."""
        return isinstance(layer.op, GlobalAvgPool)

    def title(self, layer: Layer) -> str:
        """Pixels and channels."""
        _, height, width, channels = layer.operands["x"].shape
        return f"global_avg_pool_{height * width}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels and channels."""
        del target
        _, height, width, channels = layer.operands["x"].shape
        return {"pixels": height * width, "channels": channels}

    def cost(self, layer: Layer, target: Target) -> float:
        """One addition per element, vectorised by the compiler."""
        return 3.0 * layer.operands["x"].elements / max((1, *target.vector_widths))
