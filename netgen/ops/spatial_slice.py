"""spatial_slice: y[i, j] = x[first + i*u, first + j*v], pixels of a rectangle, strided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_rank, pair


@dataclass(frozen=True)
class SpatialSlice(Operator):
    """`size` rows and columns of x f32[1,H,W,C], from `first` on, every `stride`-th."""

    operator_name: ClassVar[str] = "spatial_slice"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    axis_letters: ClassVar[str] = "NHWC"
    first: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "first", pair(self.first, "first", 0))
        object.__setattr__(self, "size", pair(self.size, "size"))
        object.__setattr__(self, "stride", pair(self.stride, "stride"))

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """f32[1, *size, C]; raises GraphError where x has fewer rows or columns."""
        x = operands[0]
        check_rank(x, 4, "x")
        for axis, what in ((0, "row"), (1, "column")):
            end = self.first[axis] + (self.size[axis] - 1) * self.stride[axis] + 1
            if end > x.shape[1 + axis]:
                raise GraphError(
                    f"the slice ends behind the last {what}",
                    expected=f"at least {end} {what}s",
                    found=str(x.shape[1 + axis]),
                )
        return x.with_shape((1, *self.size, x.shape[3]))

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """One row, from the first on."""
        del letter, operands, result
        return Reach(stride=self.stride[0], pad=-self.first[0])

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Index with two slices of NumPy."""
        rows, columns = (
            slice(first, first + size * stride, stride)
            for first, size, stride in zip(self.first, self.size, self.stride, strict=True)
        )
        return operands[0][:, rows, columns]


def spatial_slice(
    x: Tensor,
    *,
    start: int | tuple[int, int] = 0,
    stop: int | tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    name: str | None = None,
) -> Tensor:
    """Rows and columns from `start` up to, not including, `stop` (the end), every `stride`-th.

    One number is for both axes, a pair is (rows, columns).
    """
    image = (x.height, x.width)
    with located():
        first, step = pair(start, "start", 0), pair(stride, "stride")
        end = image if stop is None else pair(stop, "stop")
        if end[0] <= first[0] or end[1] <= first[1]:
            raise GraphError(
                "the slice is empty", expected="start before stop", found=f"{first} to {end}"
            )
        size = tuple(-(-(e - f) // s) for f, e, s in zip(first, end, step, strict=True))
        if end[0] > image[0] or end[1] > image[1]:
            raise GraphError(
                "the slice ends outside the image", expected=f"at most {image}", found=str(end)
            )
        op = SpatialSlice(first, (size[0], size[1]), step)
    return apply(op, x, name=name)
