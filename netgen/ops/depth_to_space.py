"""depth_to_space and space_to_depth: channels of a pixel as a block of pixels, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.rows import Reach
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.window import check_rank


@dataclass(frozen=True)
class Blocks(Operator):
    """Base of both: `block` rows by `block` columns of pixels, by rows, are the channels of one.

    Channel (r * block + s) * C + c is channel c of the pixel in row r, column s of its block: what
    ONNX calls DCR, and TensorFlow has alone.
    """

    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    block: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.block < 1:
            raise GraphError("a block must have pixels", expected="1", found=str(self.block))

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether a block is one pixel."""
        del operands, result
        return self.block == 1

    def keeps_channels(self, letter: str) -> bool:
        """No: they become pixels, or pixels become channels."""
        del letter
        return False


@dataclass(frozen=True)
class DepthToSpace(Blocks):
    """The channels of each pixel of x [1,H,W,b*b*C] as a block of pixels: [1,H*b,W*b,C]."""

    operator_name: ClassVar[str] = "depth_to_space"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """[1,H*b,W*b,C]; raises GraphError where channels are no blocks."""
        x = operands[0]
        check_rank(x, 4, "x")
        _, rows, columns, channels = x.shape
        pixels = self.block * self.block
        if channels % pixels:
            raise GraphError(
                "the channels are no blocks",
                expected=f"a multiple of {pixels}",
                found=str(channels),
            )
        return x.with_shape((1, rows * self.block, columns * self.block, channels // pixels))

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The row of the block."""
        del letter, operands, result
        return Reach(step=self.block)

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Split the channels by blocks, and put both parts behind rows and columns."""
        x, b = operands[0], self.block
        _, rows, columns, channels = x.shape
        parts = x.reshape(rows, columns, b, b, channels // (b * b))
        return parts.transpose(0, 2, 1, 3, 4).reshape(1, rows * b, columns * b, -1)


@dataclass(frozen=True)
class SpaceToDepth(Blocks):
    """Each block of pixels of x [1,H*b,W*b,C] as the channels of one: [1,H,W,b*b*C]."""

    operator_name: ClassVar[str] = "space_to_depth"

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """[1,H,W,b*b*C]; raises GraphError where the image is no blocks."""
        x = operands[0]
        check_rank(x, 4, "x")
        _, rows, columns, channels = x.shape
        if rows % self.block or columns % self.block:
            raise GraphError(
                "the image is no blocks",
                expected=f"multiples of {self.block}",
                found=f"{rows} x {columns} pixels",
            )
        pixels = self.block * self.block
        return x.with_shape((1, rows // self.block, columns // self.block, pixels * channels))

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The rows of the block."""
        del letter, operands, result
        return Reach(self.block, self.block)

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Split rows and columns by blocks, and put their parts before the channels."""
        x, b = operands[0], self.block
        _, rows, columns, channels = x.shape
        parts = x.reshape(rows // b, b, columns // b, b, channels)
        return parts.transpose(0, 2, 1, 3, 4).reshape(1, rows // b, columns // b, -1)


def depth_to_space(x: Tensor, block: int, *, name: str | None = None) -> Tensor:
    """The channels of each pixel as `block` by `block` pixels, row by row."""
    with located():
        op = DepthToSpace(block)
    return apply(op, x, name=name)


def space_to_depth(x: Tensor, block: int, *, name: str | None = None) -> Tensor:
    """Each `block` by `block` pixels, row by row, as the channels of one pixel."""
    with located():
        op = SpaceToDepth(block)
    return apply(op, x, name=name)
