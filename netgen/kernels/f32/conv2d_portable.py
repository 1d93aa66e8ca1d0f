"""Any convolution: groups, dilation, whatever the others do not take. Plain loops.

y[i][j][o] = act(b[o] + sum over r, s, c of x[i*u+r*d-p][j*v+s*e-q][g*C+c] w[o][r][s][c] +
residual), r, s, c ascending, taps outside the image skipped. Inputs c of a group are visited in the
order of their places in x, its outputs o in that of their places in y; weights per visited output:
the bias, then by (r, s, c).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import numpy as np

from netgen.ir.operator import Operator
from netgen.kernels.compressed import (
    WIDENED,
    compress,
    compressed_bytes,
    describe_weights,
    joined,
    weights_title,
)
from netgen.kernels.geometry import describe_window, dilation_title, window_title
from netgen.kernels.layer import ByRows, Json, Layer, Packed, Shared
from netgen.kernels.loops import RowKernel
from netgen.kernels.products import (
    describe_inputs,
    describe_outputs,
    describe_product_pitches,
    visited,
)
from netgen.kernels.sharing import shared_form
from netgen.kernels.stretches import in_place
from netgen.kernels.targets import Target
from netgen.ops.conv2d import Conv2d

# Of a span: which outputs it counts. One span has all of them.
_COUNTS = ("start", "end")


class Conv2dPortableF32(RowKernel):
    """The one that always works."""

    name: ClassVar[str] = "conv2d_portable_f32"
    operators: ClassVar[tuple[type[Operator], ...]] = (Conv2d,)
    numeric_form: ClassVar[str] = "direct"
    constants: ClassVar[tuple[str, ...]] = ("w", "b")
    widens: ClassVar[frozenset[str]] = WIDENED
    any_layout: ClassVar[bool] = True
    by_rows: ClassVar[ByRows] = "window"

    def accepts(self, layer: Layer) -> bool:
        """Every conv2d."""
        return isinstance(layer.op, Conv2d)

    def title(self, layer: Layer) -> str:
        """Kernel, stride, input and output shape, groups."""
        op = layer.op
        assert isinstance(op, Conv2d)
        groups = "" if op.groups == 1 else f"_g{op.groups}"
        dilation = dilation_title(op)
        residual = "_residual" if "residual" in layer.operands else ""
        ends = groups + dilation + residual + weights_title(layer.weights)
        return window_title("conv2d", layer, op.window, ends, op.act)

    def parameters(self, layer: Layer, target: Target) -> dict[str, Json]:
        """Window and groups."""
        op, w = layer.op, layer.operands["w"].shape
        assert isinstance(op, Conv2d)
        return {
            **describe_window(layer, op.window(w)),
            **describe_product_pitches(layer),
            **describe_inputs(layer, op.groups),
            "groups": op.groups,
            "spans": [*_spans(layer)],
            "group_inputs": w[3],
            "group_outputs": w[0] // op.groups,
            "act": op.act,
            "fused": target.processor.multiply_add,
            "residual": "residual" in layer.operands,
            **describe_weights(layer.weights),
        }

    def shared(self, layer: Layer, target: Target) -> Shared | None:
        """All but activation, groups and the places of channels that stand in runs."""
        parameters, spans = self.parameters(layer, target), _spans(layer)
        if parameters["x_runs"] or len(spans) > 1:
            return None
        shifts = {letter: place for letter, place in spans[0].items() if letter not in _COUNTS}
        return shared_form(layer, {**parameters, "spans": [shifts]})

    def pack(self, layer: Layer, target: Target, constants: Mapping[str, Packed]) -> Packed:
        """Per output: the bias, of some compressed weights the scale, then its weights."""
        del target
        assert isinstance(layer.op, Conv2d)
        w, b = visited(layer, layer.op.groups, constants)
        stored, reals = compress(layer.weights, w.reshape(b.size, -1), b.ravel())
        return joined(layer.weights, [*zip(np.ascontiguousarray(reals.T), stored, strict=True)])

    def packed_bytes(self, layer: Layer, target: Target) -> int:
        """All weights and a bias for each output."""
        del target
        w = layer.operands["w"]
        return compressed_bytes(layer.weights, w.shape[0], w.elements // w.shape[0])

    def overlap(self, layer: Layer) -> dict[str, int]:
        """The residual is read at each place just before the output is written there."""
        return in_place(layer, "residual") if "residual" in layer.operands else {}


def _spans(layer: Layer) -> list[dict[str, Json]]:
    assert isinstance(layer.op, Conv2d)
    return cast("list[dict[str, Json]]", describe_outputs(layer, layer.op.groups))
