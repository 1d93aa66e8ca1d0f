"""reshape: the same elements in the same order under another shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from netgen.dsl.tensor import Tensor, apply, located
from netgen.errors import GraphError
from netgen.ir.operator import ANY_ELEMENT, Operator, Signature
from netgen.ir.tensor_type import Array, TensorType


@dataclass(frozen=True)
class Reshape(Operator):
    """x under `shape`, in row-major order of NHWC."""

    operator_name: ClassVar[str] = "reshape"
    element_types: ClassVar[frozenset[str]] = ANY_ELEMENT
    moves_only: ClassVar[bool] = True
    view_of: ClassVar[Literal["nothing", "elements", "channels"]] = "elements"
    shape: tuple[int, ...] = ()

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Take the shape asked for, if it holds as many elements."""
        x = operands[0]
        if prod(self.shape) != x.elements:
            raise GraphError(
                f"{x} cannot be reshaped to {list(self.shape)}",
                expected=f"{x.elements} elements",
                found=str(prod(self.shape)),
            )
        return x.with_shape(self.shape)

    def axis_sources(self, x: Sequence[int], y: Sequence[int]) -> tuple[int | None, ...]:
        """An axis of more than one is kept where as many elements lie before it and behind it."""
        kept = {(prod(x[:axis]), extent): axis for axis, extent in enumerate(x) if extent > 1}
        return tuple(kept.get((prod(y[:axis]), extent)) for axis, extent in enumerate(y))

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether x has the shape already."""
        return operands[0] == result

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """numpy.reshape."""
        return operands[0].reshape(self.shape)


def reshape(x: Tensor, shape: tuple[int, ...], *, name: str | None = None) -> Tensor:
    """Keep the elements under another shape, batch dimension included."""
    with located():
        op = Reshape(shape)
    return apply(op, x, name=name)


def flatten(x: Tensor, *, name: str | None = None) -> Tensor:
    """f32[1,n] of all n elements, in NHWC order."""
    return reshape(x, (1, x.type.elements), name=name)
