"""The parts that max_pool2d and avg_pool2d share: windows on the image, and `ceil_mode`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from netgen.dsl.tensor import Tensor
from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL
from netgen.ir.operator import Operator
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.rescaled import clamped_codes
from netgen.ops.window import PadSpec, Window, check_rank, four_sides, pair, resolve_pad

Sides = tuple[int, int, int, int]


@dataclass(frozen=True)
class Pooling(Operator):
    """Base of the operators that reduce each window of x f32[1,H,W,C], channel by channel.

    Codes of the result are as those of x, clamped by `act`. Floats have activations behind them.
    """

    element_types: ClassVar[frozenset[str]] = frozenset({"f32", "i8", "u8", "i16"})
    axis_letters: ClassVar[str] = "NHWC"
    keeps_range: ClassVar[bool] = True
    kernel: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)
    stride: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)
    pad: tuple[int, int, int, int] = field(default=(0, 0, 0, 0), metadata=ONE_FOR_ALL)
    act: str = field(default="none", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "kernel", pair(self.kernel, "kernel"))
        object.__setattr__(self, "stride", pair(self.stride, "stride"))
        object.__setattr__(self, "pad", four_sides(self.pad, "pad"))

    def window(self) -> Window:
        """Give the sliding window."""
        return Window(self.kernel, self.stride, self.pad)

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The rows of the window."""
        del letter, operands, result
        return self.window().row_reach()

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1,OH,OW,C]; raises GraphError for floats with an activation."""
        result = _pooled_type(self.window(), operands[0])
        if not result.element.is_float:
            clamped_codes(self.act, result)
        elif self.act != "none":
            raise GraphError(f"{self.operator_name} of floats has no activation", found=self.act)
        return result

    def takes_activation(self, result: TensorType) -> bool:
        """Whether the result are codes that are not clamped yet."""
        return not result.element.is_float and super().takes_activation(result)


def _pooled_type(window: Window, x: TensorType) -> TensorType:
    """f32[1,OH,OW,C]; raises GraphError where a window would lie in the padding alone."""
    check_rank(x, 4, "x")
    rows, columns = window.output_size(x)
    for axis, outputs in ((0, rows), (1, columns)):
        before, last = window.pad[2 * axis], (outputs - 1) * window.stride[axis]
        if before >= window.size[axis] or last - before >= x.shape[1 + axis]:
            raise GraphError(
                "a window lies in the padding alone",
                expected=f"padding of less than {window.size[axis]}",
                found=f"{before} before and {window.pad[2 * axis + 1]} behind the image",
            )
    return x.with_shape((1, rows, columns, x.shape[3]))


def inside(window: Window, axis: int, extent: int, counted: tuple[int, int]) -> list[range]:
    """The places of each window along one axis of `extent` pixels: 0 for rows, 1 for columns.

    Places that lie outside the image are left out, but for those in the part `counted` of the
    padding before and behind it.
    """
    size, stride, first = window.size[axis], window.stride[axis], -counted[0]
    before, behind = window.pad[2 * axis], window.pad[2 * axis + 1]
    starts = range(-before, extent + behind - size + 1, stride)
    end = extent + counted[1]
    return [range(max(start, first), min(start + size, end)) for start in starts]


def pooled(window: Window, x: Array, by: Literal["max", "sum"]) -> Array:
    """The largest value, or the sum, of each window of x (1, H, W, C), by rows and then by columns.

    No padding is made: a window may be far larger than the image.
    """
    for axis in (0, 1):
        places = inside(window, axis, x.shape[1 + axis], (0, 0))
        cuts = (np.take(x, each, axis=1 + axis) for each in places)
        reduced = [cut.max(1 + axis) if by == "max" else cut.sum(1 + axis) for cut in cuts]
        x = np.stack(reduced, axis=1 + axis)
    return x


def pooling_window(
    x: Tensor,
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int] | None,
    pad: PadSpec,
    ceil_mode: bool,
) -> tuple[Window, Sides]:
    """Window of the DSL's arguments, and the padding without what `ceil_mode` adds.

    The stride is the kernel's size unless given. Raises GraphError.
    """
    image = (x.height, x.width)
    size = pair(kernel, "kernel")
    step = size if stride is None else pair(stride, "stride")
    sides = four_sides(resolve_pad(pad, image, size, step), "pad")
    window = Window(size, step, sides)
    if not ceil_mode:
        return window, sides
    bottom = _ceiling(window, 0, image[0])
    right = _ceiling(window, 1, image[1])
    extended = (sides[0], sides[1] + bottom, sides[2], sides[3] + right)
    return Window(size, step, extended), sides


def _ceiling(window: Window, axis: int, extent: int) -> int:
    """Padding to add so that a last, incomplete window counts, if it starts before the image ends.

    Source: torch.nn.MaxPool2d, "sliding windows are allowed to go off-bounds if they start within
    the left padding or the input"; ONNX MaxPool and AveragePool say the same since opset 19.
    """
    padded = window.pad[2 * axis] + extent + window.pad[2 * axis + 1]
    stride = window.stride[axis]
    outputs = -(-(padded - window.size[axis]) // stride) + 1
    if (outputs - 1) * stride >= extent + window.pad[2 * axis]:
        outputs -= 1
    return max((outputs - 1) * stride + window.size[axis] - padded, 0)
