"""Geometry of kernels that lay pixels between pixels, as their templates need it."""

from __future__ import annotations

from netgen.ir.tensor_type import hexadecimal
from netgen.kernels.geometry import describe_band, describe_extents
from netgen.kernels.layer import Json, Layer
from netgen.kernels.stretches import describe_pitches, describe_stretches
from netgen.ops.resize_bilinear import ResizeBilinear


def bilinear_op(layer: Layer) -> ResizeBilinear:
    """The operator of a layer that interpolates."""
    assert isinstance(layer.op, ResizeBilinear)
    return layer.op


def bilinear_title(layer: Layer) -> str:
    """Element type, shapes of x and of the result."""
    x = layer.operands["x"]
    shape, kind = "x".join(map(str, x.shape[1:])), "" if x.element.is_float else f"_{x.dtype}"
    return f"resize_bilinear{kind}_{shape}_to_{'x'.join(map(str, layer.result.shape[1:3]))}"


def describe_resize(layer: Layer) -> dict[str, Json]:
    """Extents, stretches of channels, bands."""
    return {
        **describe_extents(layer),
        **describe_pitches(layer, ("x", "y")),
        **describe_band(layer),
        "stretches": describe_stretches(layer, ("x", "y")),
    }


def describe_lines(layer: Layer) -> dict[str, Json]:
    """The place in x before each row and column, and the weight of the one behind, exact."""
    found: dict[str, Json] = {}
    for axis, name in ((0, "row"), (1, "column")):
        lines = bilinear_op(layer).lines(layer.operands["x"], axis)
        found[f"{name}_before"] = [*lines.before.tolist()]
        found[f"{name}_weights"] = [hexadecimal(weight) for weight in lines.weights.tolist()]
    return found
