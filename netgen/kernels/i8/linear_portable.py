"""Fully connected layer of codes. Plain loops.

y[o] = code of (b[o] + sum over c of (x[c] - x's zero) (w[o][c] - w's zero)), c in the order of the
places in x, o in that of the places in y. Packed per output: bias and two words of rescaling;
behind all of them the weights, by (o, c).
"""

from __future__ import annotations

from typing import ClassVar

from netgen.ir.operator import Operator
from netgen.ir.tensor_type import Array
from netgen.kernels.i8.sums import codes_title, describe_codes
from netgen.kernels.i8.weighted_kernel import WeightedI8
from netgen.kernels.layer import Json, Layer
from netgen.kernels.layout import Places
from netgen.kernels.products import describe_inputs, describe_outputs, visited, visiting_orders
from netgen.kernels.targets import Target
from netgen.ops.linear import Linear


class LinearPortableI8(WeightedI8):
    """The one that always works."""

    name: ClassVar[str] = "linear_portable_i8"
    operators: ClassVar[tuple[type[Operator], ...]] = (Linear,)

    def accepts(self, layer: Layer) -> bool:
        """Every linear."""
        return isinstance(layer.op, Linear)

    def title(self, layer: Layer) -> str:
        """Element type, inputs, outputs, activation."""
        op, (outputs, inputs) = layer.op, layer.operands["w"].shape
        assert isinstance(op, Linear)
        ends = "" if op.act == "none" else f"_{op.act}"
        return f"linear_{codes_title(layer)}_{inputs}x{outputs}{ends}"

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Inputs, outputs in spans, zero points and bounds."""
        del target
        outputs, inputs = layer.operands["w"].shape
        return {
            "outputs": outputs,
            "group_inputs": inputs,
            **describe_inputs(layer, 1),
            **describe_codes(layer),
            "spans": describe_outputs(layer, 1),
            "groups": 1,
        }

    def packed_outputs(self, layer: Layer, target: Target) -> Places:
        """The order in which they are visited."""
        del target
        return visiting_orders(layer.layout("y"), 1).ravel()

    def packed_weights(self, layer: Layer, target: Target, w: Array) -> Array:
        """Weights by (o, c)."""
        del target
        return visited(layer, 1, {"w": w})[0]
