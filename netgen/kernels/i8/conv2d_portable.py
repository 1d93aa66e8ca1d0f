"""Any convolution of codes: groups, dilation, whatever the others do not take. Plain loops.

y[i][j][o] = code of (b[o] + sum over r, s, c of (x[i*u+r*d-p][j*v+s*e-q][g*C+c] - x's zero)
(w[o][r][s][c] - w's zero)), taps outside the image skipped. Inputs c of a group are visited in the
order of their places in x, its outputs o in that of their places in y. Packed per visited output:
bias and two words of rescaling; behind all of them the weights, by (o, r, s, c).
"""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.geometry import describe_window, dilation_title, window_title
from netgen.kernels.i8.sums import codes_title, describe_codes
from netgen.kernels.i8.weighted_kernel import WeightedI8
from netgen.kernels.layer import ByRows, Json, Layer
from netgen.kernels.layout import Places
from netgen.kernels.loops import RowKernel
from netgen.kernels.products import (
    describe_inputs,
    describe_outputs,
    describe_product_pitches,
    visited,
    visiting_orders,
)
from netgen.kernels.targets import Target
from netgen.ops.conv2d import Conv2d


class Conv2dPortableI8(WeightedI8, RowKernel):
    """The one that always works."""

    name: ClassVar[str] = "conv2d_portable_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d,)
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every conv2d."""
        return isinstance(layer.op, Conv2d)

    def title(self, layer: Layer) -> str:
        """Element type, kernel, stride, input and output shape, groups."""
        op = layer.op
        assert isinstance(op, Conv2d)
        groups = "" if op.groups == 1 else f"_g{op.groups}"
        dilation = dilation_title(op)
        operator = f"conv2d_{codes_title(layer)}"
        return window_title(operator, layer, op.window, groups + dilation, op.act)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window and groups, zero points and bounds."""
        del target
        op, w = layer.op, layer.operands["w"].shape
        assert isinstance(op, Conv2d)
        inputs, dilated = describe_inputs(layer, op.groups), op.dilation != (1, 1)
        dense = not inputs["x_runs"] and layer.layout("x").pitch == w[3]
        return {
            **describe_window(layer, op.window(w)),
            **describe_product_pitches(layer),
            **inputs,
            "dilated": dilated,
            # No window reaches beyond the image.
            "inside": not any(op.pad) and not dilated,
            # Inputs of all columns of a window follow each other.
            "joined": dense and not dilated,
            **describe_codes(layer),
            "groups": op.groups,
            "spans": describe_outputs(layer, op.groups),
            "group_inputs": w[3],
            "group_outputs": w[0] // op.groups,
        }

    def packed_outputs(self, layer: Layer, target: Target) -> Places:
        """The order in which they are visited."""
        del target
        assert isinstance(layer.op, Conv2d)
        return visiting_orders(layer.layout("y"), layer.op.groups).ravel()

    def packed_weights(self, layer: Layer, target: Target, w: Array) -> Array:
        """Weights by (o, r, s, c)."""
        del target
        assert isinstance(layer.op, Conv2d)
        return visited(layer, layer.op.groups, {"w": w})[0]
