"""Sliding windows: the geometry that convolutions and pooling share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeGuard

import numpy as np

from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL, integer_of, integers_of
from netgen.ir.operator import Operator, Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType

PadSpec = int | tuple[int, int, int, int] | Literal["same"]

# The generated C counts rows and columns with `int`.
_MOST = 2**31 - 1


def pair(value: int | tuple[int, ...], what: str, least: int = 1) -> tuple[int, int]:
    """One number for both axes, or (vertical, horizontal).

    Raises GraphError below `least`, and for what does not fit an `int` of C.
    """
    one = integer_of(value)
    both = integers_of(value) if one is None else (one, one)
    if both is None or len(both) != 2 or min(both) < least or max(both) > _MOST:
        raise GraphError(
            f"{what} must be one or two whole numbers",
            expected=f"at least {least} and at most {_MOST}",
            found=str(value),
        )
    return both[0], both[1]


def four_sides(value: int | tuple[int, ...], what: str) -> tuple[int, int, int, int]:
    """One number for all sides, or (top, bottom, left, right).

    Raises GraphError below zero, and for what does not fit an `int` of C.
    """
    one = integer_of(value)
    sides = integers_of(value) if one is None else (one,) * 4
    if sides is None or len(sides) != 4 or min(sides) < 0 or max(sides) > _MOST:
        raise GraphError(
            f"{what} must be one number or (top, bottom, left, right)",
            expected=f"at least 0 and at most {_MOST}",
            found=str(value),
        )
    return sides[0], sides[1], sides[2], sides[3]


def resolve_pad(
    pad: PadSpec, size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int]
) -> int | tuple[int, int, int, int]:
    """Resolve the padding of a DSL argument; `same` is TensorFlow's: bottom and right first.

    Source: TensorFlow, tf.nn "Notes on padding": out = ceil(in / stride),
    total = max((out - 1) * stride + kernel - in, 0), before = total // 2.
    """
    if not isinstance(pad, str) or pad != "same":
        return pad
    sides = []
    for extent, k, s in zip(size, kernel, stride, strict=True):
        total = max((-(-extent // s) - 1) * s + k - extent, 0)
        sides += [total // 2, total - total // 2]
    return sides[0], sides[1], sides[2], sides[3]


@dataclass(frozen=True)
class Window:
    """A kernel of `size` (rows, columns) moving over an image; pad is top, bottom, left, right."""

    size: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int, int, int]
    dilation: tuple[int, int] = (1, 1)

    def row_reach(self) -> Reach:
        """The rows of the image that a row of windows reaches."""
        size = (self.size[0] - 1) * self.dilation[0] + 1
        return Reach(size, self.stride[0], self.pad[0])

    def output_size(self, x: TensorType) -> tuple[int, int]:
        """Rows and columns of the result.

        Raises GraphError where nothing is left, and where the padded image is no possible value:
        the reference makes it.
        """
        self._check_padded(x)
        extents = []
        for axis, what in ((0, "high"), (1, "wide")):
            before, after = self.pad[2 * axis], self.pad[2 * axis + 1]
            reach = (self.size[axis] - 1) * self.dilation[axis] + 1
            room = x.shape[1 + axis] + before + after - reach
            if room < 0:
                raise GraphError(
                    f"the kernel is {reach} {what} and does not fit",
                    expected=f"at least {reach}",
                    found=f"{x.shape[1 + axis]} plus a padding of {before + after}",
                    hint="choose a larger input size",
                )
            extents.append(room // self.stride[axis] + 1)
        return extents[0], extents[1]

    def _check_padded(self, x: TensorType) -> None:
        top, bottom, left, right = self.pad
        _, rows, columns, channels = x.shape
        padded = (1, rows + top + bottom, columns + left + right, channels)
        try:
            TensorType(x.dtype, padded)
        except GraphError as error:
            raise GraphError(
                f"the image of {rows} x {columns} pixels is padded too much: {error}"
            ) from error

    def taps(self, x: Array, border: float) -> Array:
        """All windows of x (1, H, W, C) as (OH, OW, R, S, C); outside the image stands `border`."""
        top, bottom, left, right = self.pad
        wide = np.pad(x[0], ((top, bottom), (left, right), (0, 0)), constant_values=border)
        reach = [(k - 1) * d + 1 for k, d in zip(self.size, self.dilation, strict=True)]
        views = np.lib.stride_tricks.sliding_window_view(wide, reach, axis=(0, 1))
        views = views[:: self.stride[0], :: self.stride[1]]
        return views[..., :: self.dilation[0], :: self.dilation[1]].transpose(0, 1, 3, 4, 2)


def check_rank(x: TensorType, rank: int, what: str) -> None:
    """Raise GraphError unless x has `rank` dimensions."""
    if len(x.shape) != rank:
        raise GraphError(f"{what} must have {rank} dimensions", found=str(x))


def check_shape(found: TensorType, expected: tuple[int, ...], what: str) -> None:
    """Raise GraphError unless a value has exactly this shape."""
    if found.shape != expected:
        raise GraphError(
            f"{what} has the wrong shape",
            expected=str(list(expected)),
            found=str(list(found.shape)),
        )


@dataclass(frozen=True)
class Sliding(Operator):
    """Base of the convolutions: where their kernel stands."""

    stride: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)
    pad: tuple[int, int, int, int] = field(default=(0, 0, 0, 0), metadata=ONE_FOR_ALL)
    dilation: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "stride", pair(self.stride, "stride"))
        object.__setattr__(self, "pad", four_sides(self.pad, "pad"))
        object.__setattr__(self, "dilation", pair(self.dilation, "dilation"))

    def window(self, w: tuple[int, ...]) -> Window:
        """The sliding window of weights of shape `w`."""
        return Window((w[1], w[2]), self.stride, self.pad, self.dilation)

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The rows of the window for x; for other operands the row that is written."""
        if letter == "x":
            return self.window(operands["w"].shape).row_reach()
        return super().image_reach(letter, operands, result)

    def reference_rows(
        self, operands: Sequence[Array], signature: Signature, first: int, end: int
    ) -> Array:
        """The reference of the rows of x that these need, with other padding above and below.

        What lies outside the image is padding of these rows, so far as it is not all of it.
        """
        x, w, *rest = operands
        window = self.window(w.shape)
        reach = window.row_reach()
        begin = first * reach.stride - reach.pad
        stop = (end - 1) * reach.stride - reach.pad + reach.size
        cut = x[:, max(begin, 0) : max(stop, 0)]
        top = min(max(-begin, 0), stop - begin)
        bottom = stop - begin - cut.shape[1] - top
        banded = replace(self, pad=(top, bottom, *window.pad[2:]))
        rest = [part[:, first:end] if part.ndim == 4 else part for part in rest]
        return banded.reference([cut, w, *rest], signature)

    def macs(self, operands: Sequence[TensorType], result: TensorType) -> int:
        """One per weight and pixel."""
        return result.shape[1] * result.shape[2] * operands[1].elements


def slides_by_channel(op: Operator) -> TypeGuard[Sliding]:
    """Whether an operator convolves every channel of x by itself."""
    return isinstance(op, Sliding) and op.keeps_channels("x")


def sliding_window(
    image: tuple[int, int],
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int],
    pad: PadSpec,
    dilation: int | tuple[int, int],
) -> Window:
    """The window that the arguments of a convolution's DSL function describe.

    `image` is (rows, columns) of the input.
    """
    size, step, spread = pair(kernel, "kernel"), pair(stride, "stride"), pair(dilation, "dilation")
    reach = ((size[0] - 1) * spread[0] + 1, (size[1] - 1) * spread[1] + 1)
    sides = resolve_pad(pad, image, reach, step)
    return Window(size, step, four_sides(sides, "pad"), spread)
