"""The graph under construction, of tensors whose channels come last, as netgen's own do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_tensor_view import TensorView, row_major
from netgen.frontends.onnx_window import Sides
from netgen.frontends.tflite.learned import Learned
from netgen.ir.graph import Node
from netgen.ir.operator import Const, Input, State
from netgen.ir.tensor_type import Array, Quantisation, TensorType

_CODES = {"int8": "i8", "uint8": "u8", "int16": "i16"}


@dataclass(frozen=True)
class Dealt:
    """An image whose pixels were dealt to a batch of `block` rows and columns, once padded."""

    image: str
    block: tuple[int, int]
    pad: Sides


class ChannelsLast(Builder):
    """A builder whose tensors are [1,H,W,C]; else as its base, which has [1,C,H,W]."""

    def __init__(self, reserved: Iterable[str], budget: Budget) -> None:
        super().__init__(reserved, budget)
        # Images within borders of the lowest number: what they are made of, and the borders.
        self.bordered: dict[str, tuple[str, Sides]] = {}
        # Batches of parts of an image.
        self.dealt: dict[str, Dealt] = {}

    def declare(self, name: str, kind: TensorType) -> TensorView:
        """Declare an input."""
        fresh = self.fresh(name)
        self.nodes[fresh] = Node(fresh, Input(), (), kind)
        return row_major(fresh, kind.shape)

    def learned(self, given: Learned) -> str:
        """Add learned numbers: of codes with their scales, along the first axis if several.

        Raises WeightsError where they are not finite, GraphError where the budget is spent.
        """
        if given.is_float:
            return self.constant(given.name, given.array)
        self._budget.take(given.array.size)
        fresh = self.fresh(given.name)
        content = np.ascontiguousarray(given.array)
        dtype = {"int8": "i8", "uint8": "u8"}[content.dtype.name]
        quantisation = Quantisation(given.scales[0], given.zero)
        if len(given.scales) > 1:
            quantisation = Quantisation(f"{fresh}.scale", given.zero, 0)
            self.constants[f"{fresh}.scale"] = np.array(given.scales, np.float32)
        kind = TensorType(dtype, content.shape, quantisation)
        self.nodes[fresh] = Node(fresh, Const(fresh), (), kind)
        self.constants[fresh] = content
        return fresh

    def sums(self, name: str, array: npt.NDArray[np.int32]) -> str:
        """Add a bias of codes: numbers in units of the products of scales."""
        self._budget.take(array.size)
        fresh = self.fresh(name)
        self.nodes[fresh] = Node(fresh, Const(fresh), (), TensorType("i32", array.shape))
        self.constants[fresh] = np.ascontiguousarray(array)
        return fresh

    def declare_state(self, name: str, kind: TensorType, array: Array | None) -> TensorView:
        """Declare a state that begins with an array as it is stored, or with zeros."""
        fresh, data = self.fresh(name), ""
        if array is not None:
            data = f"{fresh}.initial"
            self._budget.take(array.size)
            if not np.isfinite(array).all():
                raise WeightsError(f"what the variable {name} begins with is not finite")
            self.constants[data] = np.ascontiguousarray(array.reshape(kind.shape))
        self.nodes[fresh] = Node(fresh, State(data), (), kind)
        return row_major(fresh, kind.shape)

    def kind(self, view: TensorView) -> TensorType:
        """Element type, and what codes stand for, of what a view shows; the shape is stored."""
        return self.nodes[view.value].type

    def dealt_to(self, view: TensorView) -> Dealt | None:
        """The image of which a tensor is a batch of parts, None where it is something else."""
        return self.dealt.get(view.value) if view.order == view.storage else None

    def image(self, view: TensorView) -> str:
        """Give a value f32[1,H,W,C]; raises GraphError for other tensors."""
        if len(view.shape) != 4 or view.shape[0] != 1:
            raise GraphError(
                "a batch of more than one" if len(view.shape) == 4 else "the tensor is no image",
                expected="[1,H,W,C]",
                found=f"{list(view.shape)}",
                hint="convert the model for one image" if len(view.shape) == 4 else None,
            )
        return self.as_in_file(view)

    def natural(self, view: TensorView) -> str:
        """Give the value in the order of the file, which is netgen's."""
        return self.as_in_file(view)

    def view(self, value: str, shape: Sequence[int]) -> TensorView:
        """View a value as `natural` gives it."""
        return row_major(value, shape)

    def codes(self, name: str, array: npt.NDArray[np.integer[Any]], meaning: Quantisation) -> str:
        """Add a constant of codes of one scale; raises GraphError where the budget is spent."""
        self._budget.take(array.size)
        fresh, content = self.fresh(name), np.ascontiguousarray(array)
        kind = TensorType(_CODES[content.dtype.name], content.shape, meaning)
        self.nodes[fresh] = Node(fresh, Const(fresh), (), kind)
        self.constants[fresh] = content
        return fresh
