"""Concatenation of channels by copying them, operand after operand in each pixel."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.concat import Concat


class ConcatF32(Kernel):
    """Any number of operands."""

    name: ClassVar[str] = "concat_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Concat,)
    numeric_form: ClassVar[str] = "copy"

    def accepts(self, layer: Layer) -> bool:
        """Every concat."""
        return isinstance(layer.op, Concat)

    def title(self, layer: Layer) -> str:
        """Pixels and the channels of each operand."""
        channels = [kind.shape[-1] for kind in layer.operands.values()]
        return f"concat_{layer.result.elements // sum(channels)}x" + "_".join(map(str, channels))

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels, and per operand its letter and channels."""
        del target
        parts: list[Json] = [
            {"letter": letter, "channels": kind.shape[-1]}
            for letter, kind in layer.operands.items()
        ]
        return {"pixels": layer.result.elements // layer.result.shape[-1], "parts": parts}
