"""One node of an ONNX file as a mapping sees it, and the checks that mappings share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_view import View

Known: TypeAlias = "npt.NDArray[Any]"
Value: TypeAlias = "View | Known"
Attribute: TypeAlias = "int | float | str | tuple[int, ...] | tuple[float, ...] | Known"
Result: TypeAlias = "Value | Sequence[Value]"
_Scalar = TypeVar("_Scalar", int, float, str)
ValueMapping: TypeAlias = "Callable[[Call], Result]"


@dataclass(frozen=True)
class Call:
    """An operator with its inputs: tensors of activations, or arrays that are known already.

    `names` are the ONNX names of the inputs, `results` those of the outputs, empty where nothing
    reads one. An input that is left out is None.
    """

    builder: Builder
    operator: str
    opset: int
    names: tuple[str, ...]
    results: tuple[str, ...]
    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Attribute]

    @property
    def name(self) -> str:
        """ONNX name of the first output."""
        return self.results[0]

    def given(self, index: int) -> Value | None:
        """Input of that position, None where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def tensor(self, index: int = 0) -> View:
        """An input that must be activations; raises GraphError where it is a constant."""
        value = self.given(index)
        if not isinstance(value, View):
            raise GraphError(
                f"input {index + 1} must be activations",
                found="nothing" if value is None else "a constant",
            )
        return value

    def known(self, index: int, what: str) -> Known | None:
        """An input that must be known now, if it is there; raises GraphError where it is computed.

        `what` is its name in the specification of the operator.
        """
        value = self.given(index)
        if isinstance(value, View):
            raise GraphError(f"{what} must be a constant", found="a computed tensor")
        return value

    def weights(self, index: int, what: str) -> npt.NDArray[np.float32]:
        """An input of learned numbers; raises WeightsError unless they are float32."""
        array = self.known(index, what)
        if array is None:
            raise GraphError(f"{what} is missing")
        if array.dtype != np.float32:
            raise WeightsError(
                f"{what} has an element type that netgen does not read",
                expected="float32",
                found=str(array.dtype),
                hint="export the model in float32",
            )
        return np.asarray(array, np.float32)

    def integers(self, name: str, index: int | None = None) -> tuple[int, ...] | None:
        """A list of integers: an attribute, or in newer opsets the input of that position."""
        if name in self.attributes:
            value = self.attributes[name]
            if not isinstance(value, tuple):
                raise GraphError(f"the attribute {name} is no list of integers")
            return tuple(int(v) for v in value)
        array = self.known(index, name) if index is not None else None
        return None if array is None else tuple(int(v) for v in array.reshape(-1))

    def integer(self, name: str, default: int) -> int:
        """An integer attribute."""
        return self._scalar(name, default, int)

    def floating(self, name: str, default: float) -> float:
        """A float attribute."""
        return self._scalar(name, default, float)

    def string(self, name: str, default: str) -> str:
        """A string attribute."""
        return self._scalar(name, default, str)

    def _scalar(self, name: str, default: _Scalar, kind: type[_Scalar]) -> _Scalar:
        value = self.attributes.get(name, default)
        if not isinstance(value, kind):
            raise GraphError(
                f"the attribute {name} is ill-typed",
                expected=kind.__name__,
                found=type(value).__name__,
            )
        return value

    def only_output(self) -> None:
        """Raise GraphError where something reads a second output."""
        if any(self.results[1:]):
            raise GraphError("only the first output can be used", found=", ".join(self.results))


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from the front; raises GraphError outside the rank."""
    if not -rank <= axis < rank:
        raise GraphError("there is no such axis", expected=f"one of {rank}", found=str(axis))
    return axis % rank


def one_number(array: Known | None, default: float, what: str) -> float:
    """The number of an array of one element; raises GraphError for others."""
    if array is None:
        return default
    if array.size != 1:
        raise GraphError(f"{what} must be one number", found=f"{list(array.shape)}")
    return float(array.reshape(-1)[0])
