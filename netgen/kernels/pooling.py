"""What the pooling kernels share: windows over vectors of channels."""

from __future__ import annotations

from netgen.kernels.geometry import describe_window
from netgen.kernels.layer import Json, Layer
from netgen.kernels.stretches import describe_pitches, describe_vector_runs, vector_runs
from netgen.kernels.targets import Target
from netgen.kernels.tiles import cut_vectors
from netgen.ops.window import Window


def pool_title(operator: str, layer: Layer, window: Window) -> str:
    """Readable name: operator, kernel, stride, shape of x."""
    stride = "x".join(map(str, dict.fromkeys(window.stride)))
    shape = "x".join(map(str, layer.operands["x"].shape[1:]))
    return f"{operator}_{window.size[0]}x{window.size[1]}_s{stride}_{shape}"


def pool_parameters(layer: Layer, window: Window, target: Target) -> dict[str, Json]:
    """Window and vectors of channels as the templates print them."""
    return {
        **describe_window(layer, window),
        **describe_pitches(layer, ("x", "y")),
        "vectors": describe_vector_runs(vector_runs(layer, target), target),
    }


def pool_cost(layer: Layer, window: Window, target: Target) -> float:
    """One load and one operation for each vector and tap."""
    _, rows, columns, channels = layer.result.shape
    vectors = len(cut_vectors(channels, target.vector_widths))
    return rows * columns * vectors * (window.size[0] * window.size[1] + 2.0)
