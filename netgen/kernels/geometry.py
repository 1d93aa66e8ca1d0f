"""Windows over rows and columns, as the templates of convolutions need them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netgen.kernels.layer import Json, Layer
from netgen.ops.window import Window


@dataclass(frozen=True)
class Columns:
    """Output columns by kind: those whose window lies inside the image, and those at the edges."""

    left: int
    interior: int
    right: int


def input_columns(layer: Layer, window: Window) -> Columns:
    """Split the output columns; where the image is narrower than the window, none is interior."""
    width, outputs = layer.operands["x"].shape[2], layer.result.shape[2]
    reach = (window.size[1] - 1) * window.dilation[1] + 1
    inside = [
        j
        for j in range(outputs)
        if 0 <= j * window.stride[1] - window.pad[2]
        and j * window.stride[1] - window.pad[2] + reach <= width
    ]
    left = inside[0] if inside else outputs
    return Columns(left, len(inside), outputs - left - len(inside))


def describe_window(layer: Layer, window: Window) -> dict[str, Json]:
    """Extents, stride and padding as templates print them."""
    _, height, width, channels = layer.operands["x"].shape
    _, out_height, out_width, outputs = layer.result.shape
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "out_height": out_height,
        "out_width": out_width,
        "outputs": outputs,
        "kernel_rows": window.size[0],
        "kernel_columns": window.size[1],
        "stride_rows": window.stride[0],
        "stride_columns": window.stride[1],
        "pad_top": window.pad[0],
        "pad_left": window.pad[2],
        "dilation_rows": window.dilation[0],
        "dilation_columns": window.dilation[1],
    }


def window_title(
    operator: str,
    layer: Layer,
    window_of: Callable[[tuple[int, ...]], Window],
    ends: str,
    act: str,
) -> str:
    """Readable name: operator, kernel, stride, input shape, outputs, activation."""
    window = window_of(layer.operands["w"].shape)
    _, height, width, channels = layer.operands["x"].shape
    size = f"{window.size[0]}x{window.size[1]}"
    stride = "" if window.stride == (1, 1) else f"_s{max(window.stride)}"
    outputs = layer.result.shape[3]
    shape = f"{height}x{width}x{channels}" + (f"x{outputs}" if outputs != channels else "")
    return f"{operator}_{size}{stride}_{shape}{ends}" + ("" if act == "none" else f"_{act}")
