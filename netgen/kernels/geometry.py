"""Windows over rows and columns, as the templates of convolutions need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from netgen.kernels.layer import Json, Layer
from netgen.ops.window import Sliding, Window


@dataclass(frozen=True)
class Columns:
    """Output columns whose window lies inside the image, and how many stand left of them."""

    left: int
    interior: int


def input_columns(layer: Layer, window: Window) -> Columns:
    """Split the output columns; where the image is narrower than the window, none is interior."""
    width, outputs = layer.operands["x"].shape[2], layer.result.shape[2]
    reach = (window.size[1] - 1) * window.dilation[1] + 1
    inside = [
        j
        for j in range(outputs)
        if j * window.stride[1] - window.pad[2] >= 0
        and j * window.stride[1] - window.pad[2] + reach <= width
    ]
    left = inside[0] if inside else outputs
    return Columns(left, len(inside))


def reaches_image(layer: Layer, window: Window) -> bool:
    """Whether any output has any tap inside the image; a wide step may jump over a small one."""
    return all(
        any(
            output * window.stride[axis] - window.pad[2 * axis] + tap * window.dilation[axis] >= 0
            and output * window.stride[axis] - window.pad[2 * axis] + tap * window.dilation[axis]
            < layer.operands["x"].shape[1 + axis]
            for output in range(layer.result.shape[1 + axis])
            for tap in range(window.size[axis])
        )
        for axis in (0, 1)
    )


def tile_columns(
    layer: Layer, window: Window, rows: int, loads: Callable[[int], Mapping[str, Json]]
) -> list[Json]:
    """Runs of equal tiles of at most `rows` output columns, with the taps that each column has.

    A tile's `taps` are runs of kernel columns `start` to `end` that exactly the columns `low` to
    `high` of the tile have inside the image; in the interior there is one run with all. `loads`
    describes how the inputs of so many taps are loaded.
    """
    width, out_width = layer.operands["x"].shape[2], layer.result.shape[2]
    runs: list[dict[str, Json]] = []
    for first in range(0, out_width, rows):
        count = min(rows, out_width - first)
        taps: list[Json] = [
            {"start": s.start, "end": s.end, "low": s.low, "high": s.high, **loads(s.end - s.start)}
            for s in _taps(window, first, count, width)
        ]
        last = runs[-1] if runs else None
        if last and last["rows"] == count and last["taps"] == taps:
            last["end"] = first + count
        else:
            runs.append({"first": first, "end": first + count, "rows": count, "taps": taps})
    return [*runs]


@dataclass(frozen=True)
class _Taps:
    """Kernel columns `start` to `end`, which the columns `low` to `high` of a tile have."""

    start: int
    end: int
    low: int
    high: int


def _taps(window: Window, first: int, count: int, width: int) -> list[_Taps]:
    found: list[_Taps] = []
    for s in range(window.size[1]):
        columns = [
            n
            for n in range(count)
            if 0 <= (first + n) * window.stride[1] - window.pad[2] + s < width
        ]
        if not columns:
            continue
        low, high = columns[0], columns[-1] + 1
        if found and found[-1] == _Taps(found[-1].start, s, low, high):
            found[-1] = replace(found[-1], end=s + 1)
        else:
            found.append(_Taps(s, s + 1, low, high))
    return found


def describe_band(layer: Layer) -> dict[str, Json]:
    """The slots of x's rows, and the number of rows that a call computes, for the template.

    `band` is null if a call computes the whole result.
    """
    band = layer.band
    if band is None:
        return {"band": None}
    ring = band.slots < layer.operands["x"].shape[1]
    described: dict[str, Json] = {
        "rows": band.rows,
        "slots": band.slots if ring else 0,
        "row_pixels": band.row_pixels,
    }
    return {"band": described}


def describe_extents(layer: Layer) -> dict[str, Json]:
    """The extents of x and of the result, two images, as templates print them."""
    _, height, width, channels = layer.operands["x"].shape
    _, out_height, out_width, outputs = layer.result.shape
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "out_height": out_height,
        "out_width": out_width,
        "outputs": outputs,
    }


def describe_window(layer: Layer, window: Window) -> dict[str, Json]:
    """Extents, stride, padding and band as templates print them."""
    return {
        **describe_extents(layer),
        "kernel_rows": window.size[0],
        "kernel_columns": window.size[1],
        "stride_rows": window.stride[0],
        "stride_columns": window.stride[1],
        "pad_top": window.pad[0],
        "pad_left": window.pad[2],
        "dilation_rows": window.dilation[0],
        "dilation_columns": window.dilation[1],
        **describe_band(layer),
    }


def dilation_title(op: Sliding) -> str:
    """The part of a name that tells a dilation; empty without one."""
    return "" if op.dilation == (1, 1) else f"_d{max(op.dilation)}"


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
