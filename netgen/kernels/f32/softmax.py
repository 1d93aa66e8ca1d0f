"""Softmax: y[c] = exp(x[c] - max x) / sum over c of exp(x[c] - max x), in each pixel."""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.kernels.layer import Json, Kernel, Layer
from netgen.kernels.targets import Target
from netgen.ops.softmax import Softmax


class SoftmaxF32(Kernel):
    """Any number of pixels and channels; the sum is added in order of channels."""

    name: ClassVar[str] = "softmax_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Softmax,)
    numeric_form: ClassVar[str] = "softmax"

    def accepts(self, layer: Layer) -> bool:
        """Every softmax."""
        return isinstance(layer.op, Softmax)

    def title(self, layer: Layer) -> str:
        """Pixels and channels."""
        channels = layer.result.shape[-1]
        return f"softmax_{layer.result.elements // channels}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels and channels; beta, unless it is 1."""
        del target
        assert isinstance(layer.op, Softmax)
        channels, beta = layer.result.shape[-1], layer.op.beta
        factor: dict[str, Json] = {} if beta == 1.0 else {"numbers": [beta]}
        return {"pixels": layer.result.elements // channels, "channels": channels, **factor}
