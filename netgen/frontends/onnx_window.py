"""Padding of sliding windows, as ONNX states it."""

from __future__ import annotations

from netgen.errors import GraphError
from netgen.frontends.onnx_call import Call

Sides = tuple[int, int, int, int]


def padding(
    call: Call,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Sides:
    """Settle `pads` or `auto_pad` as (top, bottom, left, right).

    ONNX lists the beginnings of all axes, then the ends. Source: ONNX operators, Conv, auto_pad:
    SAME_UPPER puts an odd pixel at the end, SAME_LOWER at the beginning. Raises GraphError for
    other kinds and for windows that are not over two axes.
    """
    if any(len(values) != 2 for values in (size, kernel, stride, dilation)):
        raise GraphError("only windows over rows and columns are supported")
    kind = call.string("auto_pad", "NOTSET")
    if kind in ("NOTSET", "VALID"):
        pads = call.integers("pads") if kind == "NOTSET" else None
        if pads is not None and len(pads) != 4:
            raise GraphError("pads needs four numbers", found=f"{list(pads)}")
        top, left, bottom, right = pads or (0, 0, 0, 0)
        return top, bottom, left, right
    if kind not in ("SAME_UPPER", "SAME_LOWER"):
        raise GraphError(
            "unknown auto_pad", expected="NOTSET, VALID, SAME_UPPER or SAME_LOWER", found=kind
        )
    sides: list[int] = []
    for extent, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = (-(-extent // s) - 1) * s + (k - 1) * d + 1 - extent
        if total < -1:
            raise GraphError(
                f"auto_pad {kind} with windows that leave out more than the last pixel",
                expected="a kernel as large as the stride, or pads",
                found=f"a kernel of {k} with a stride of {s}",
                hint="what is left out at either end is not the same in all frameworks",
            )
        total = max(total, 0)
        less, more = total // 2, total - total // 2
        sides += [less, more] if kind == "SAME_UPPER" else [more, less]
    return sides[0], sides[1], sides[2], sides[3]


def rounded_up(
    size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], pad: Sides
) -> Sides:
    """Extend bottom and right so that the last, incomplete window counts: ceil_mode.

    A window that would begin beyond the image and its padding in front does not count. Source: ONNX
    operators, MaxPool, ceil_mode.
    """
    sides = list(pad)
    for axis, (extent, k, s) in enumerate(zip(size, kernel, stride, strict=True)):
        before, after = pad[2 * axis], pad[2 * axis + 1]
        windows = -(-(extent + before + after - k) // s) + 1
        if (windows - 1) * s >= extent + before:
            windows -= 1
        sides[2 * axis + 1] = max(after, (windows - 1) * s + k - extent - before)
    return sides[0], sides[1], sides[2], sides[3]


def two(values: tuple[int, ...] | None, what: str) -> tuple[int, int]:
    """Numbers for rows and columns, 1 and 1 if not given; raises GraphError for others."""
    if values is None:
        return 1, 1
    if len(values) != 2 or min(values) < 1:
        raise GraphError(
            f"{what} needs two numbers", expected="at least 1", found=f"{list(values)}"
        )
    return values[0], values[1]
