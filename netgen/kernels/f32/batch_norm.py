"""A batch norm that could not be folded: y[p][c] = x[p][c] scale[c] + shift[c]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from netgen.errors import WeightsError
from netgen.ir.operator import Operator
from netgen.kernels.layer import ByRows, Json, Layer, Packed
from netgen.kernels.loops import ElementKernel
from netgen.kernels.stretches import describe_pitches, describe_stretches, in_place, order_of
from netgen.kernels.targets import Target
from netgen.ops.batch_norm import BatchNorm


class BatchNormF32(ElementKernel):
    """Any shape. Scale and shift are computed in float64 when compiling."""

    name: ClassVar[str] = "batch_norm_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (BatchNorm,)
    numeric_form: ClassVar[str] = "scale-shift"
    constants: ClassVar[tuple[str, ...]] = ("gamma", "beta", "mean", "var")
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "alike"

    def accepts(self, layer: Layer) -> bool:
        """Every batch norm."""
        return isinstance(layer.op, BatchNorm)

    def title(self, layer: Layer) -> str:
        """Pixels and channels."""
        channels = layer.result.shape[-1]
        return f"batch_norm_{layer.result.elements // channels}x{channels}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Pixels and stretches of channels."""
        del target
        channels = layer.result.shape[-1]
        return {
            "pixels": layer.result.elements // channels,
            "channels": channels,
            **describe_pitches(layer, ("x", "y")),
            "stretches": describe_stretches(layer, ("x", "y")),
        }

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """All scales, then all shifts, in the order in which channels are visited."""
        del target
        assert isinstance(layer.op, BatchNorm)
        gamma, beta, mean, var = (constants[k].astype(np.float64) for k in self.constants)
        if (var + layer.op.eps <= 0.0).any():
            raise WeightsError(
                "a variance of batch norm is not positive", hint="check the weight file"
            )
        scale = gamma / np.sqrt(var + layer.op.eps)
        order = order_of(layer)
        return np.concatenate([scale[order], (beta - mean * scale)[order]]).astype(np.float32)

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """A scale and a shift for each channel."""
        del target
        return 2 * layer.operands["gamma"].bytes

    def overlap(self, layer: Layer) -> dict[str, int]:
        """Each place is read just before it is written."""
        return in_place(layer, "x")
