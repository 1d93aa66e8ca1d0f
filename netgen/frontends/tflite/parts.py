"""The parts of a `.tflite` file in plain Python, as `read.py` makes them of the bytes.

Indices point into the tensors of their subgraph; sizes and names are bounded. Nothing else is
promised: shapes, types and data may still contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.tflite.sparse import Sparsity, expanded
from netgen.ir.tensor_type import Quantisation, TensorType, is_scale

Option: TypeAlias = "int | float | bytes | tuple[int, ...]"

# Element types by their names in the schema: as NumPy and as netgen have them.
_ARRAYS = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "FLOAT64": "<f8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "u1",
    "BOOL": "?",
}
_ELEMENTS = {"FLOAT32": "f32", "INT8": "i8", "INT16": "i16", "INT32": "i32", "UINT8": "u8"}


@dataclass(frozen=True)
class Scales:
    """The meaning of a tensor's codes: one scale, or one for each place along `axis`."""

    scales: tuple[float, ...]
    zeros: tuple[int, ...]
    axis: int


@dataclass(frozen=True)
class FileTensor:
    """A tensor; `name` is legal in netgen and unique, `shown` is what the file calls it.

    `open_axes` are those whose extent the file leaves open and gives as 1. `data` are the bytes of
    a constant, None of what is computed.
    """

    name: str
    shown: str
    element: str
    shape: tuple[int, ...]
    open_axes: tuple[int, ...]
    data: npt.NDArray[np.uint8] | None
    scales: Scales | None
    sparsity: Sparsity | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the file holds the elements: that there are none, it need not say."""
        return self.data is not None or 0 in self.shape

    def array(self, budget: Budget) -> npt.NDArray[Any]:
        """Elements of a constant; those that are stored without zeros are taken from the budget.

        Raises WeightsError where they are packed in a way that netgen does not read, and where
        there are more or fewer of them than the shape says.
        """
        if self.element == "INT4" and self.data is not None:
            return self._halves(self.data)
        if self.element not in _ARRAYS:
            raise WeightsError(
                f"the constant {self.shown} has an element type that netgen does not read",
                expected="one of " + ", ".join(_ARRAYS),
                found=self.element,
            )
        data = np.zeros(0, np.uint8) if self.data is None else self.data
        kind = np.dtype(_ARRAYS[self.element])
        if self.sparsity is not None and not data.size % kind.itemsize:
            return expanded(data.view(kind), self.shape, self.sparsity, budget)
        wanted = int(np.prod([int(extent) for extent in self.shape], dtype=object)) * kind.itemsize
        if min(self.shape, default=1) < 0 or data.size != wanted:
            raise WeightsError(
                f"the weights {self.shown} are damaged or incomplete",
                expected=f"{wanted} bytes for the shape {list(self.shape)}",
                found=f"{data.size}",
            )
        return data.view(kind).reshape(self.shape)

    def _halves(self, data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
        """Codes of four bits, two in a byte, the lower one first."""
        both = np.stack([data << 4, data & 0xF0], axis=-1).reshape(-1).view(np.int8) >> 4
        count = prod(self.shape)
        if min(self.shape, default=1) < 0 or 2 * data.size not in {count, count + 1}:
            raise WeightsError(
                f"the weights {self.shown} are damaged or incomplete",
                expected=f"half a byte for each of {list(self.shape)}",
                found=f"{data.size}",
            )
        return np.asarray(both[:count].reshape(self.shape))

    def type(self) -> TensorType:
        """Type of a tensor that is computed, or given by the caller.

        Codes have their scale; scales along an axis are the array `NAME.scale`. Bytes without any
        stand for themselves. Raises GraphError for what netgen has no type for.
        """
        if self.element not in _ELEMENTS:
            raise GraphError(
                f"{self.shown} has an element type that netgen does not compute with",
                expected="one of " + ", ".join(_ELEMENTS),
                found=self.element,
            )
        kind = TensorType(_ELEMENTS[self.element], self.shape)
        if kind.element.is_float or (self.scales is None and kind.dtype == "i32"):
            return kind
        if self.scales is None:
            return TensorType(kind.dtype, kind.shape, Quantisation(1.0, 0))
        return TensorType(kind.dtype, kind.shape, self._quantisation(self.scales))

    def _quantisation(self, given: Scales) -> Quantisation:
        if len(given.zeros) not in {0, 1, len(given.scales)}:
            raise GraphError(
                f"{self.shown} has another number of zero points than of scales",
                expected=str(len(given.scales)),
                found=str(len(given.zeros)),
            )
        zeros = set(given.zeros) or {0}
        if len(zeros) > 1:
            raise GraphError(f"{self.shown} has several zero points", expected="one")
        (zero,) = zeros
        if not all(is_scale(scale) for scale in given.scales):
            raise GraphError(f"{self.shown} has a scale that is no positive number")
        if len(given.scales) == 1:
            return Quantisation(given.scales[0], zero)
        if not 0 <= given.axis < len(self.shape) or self.shape[given.axis] != len(given.scales):
            raise GraphError(
                f"{self.shown} has scales for another shape",
                expected=f"as many as axis {given.axis} of {list(self.shape)} is long",
                found=str(len(given.scales)),
            )
        return Quantisation(f"{self.name}.scale", zero, given.axis)


@dataclass(frozen=True)
class FileOperator:
    """An operator of the file: indices of tensors, -1 for an input that is left out.

    `options` are None where the file has none, or those of another operator.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Option] | None


@dataclass(frozen=True)
class FileGraph:
    """A subgraph; operators are in the order in which they run."""

    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class ModelFile(FileGraph):
    """The main subgraph of a file, and those by their numbers that it runs once, before all."""

    once: Mapping[int, FileGraph] = field(default_factory=dict)
