"""One node of an ONNX file as a mapping sees it, and the checks that mappings share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from netgen.errors import GraphError, WeightsError
from netgen.frontends.onnx_budget import Budget
from netgen.frontends.onnx_builder import Builder
from netgen.frontends.onnx_tensor_view import TensorView

Known: TypeAlias = "npt.NDArray[Any]"
Value: TypeAlias = "TensorView | Known"
Attribute: TypeAlias = "int | float | str | tuple[int, ...] | tuple[float, ...] | Known"
Result: TypeAlias = "Value | Sequence[Value]"
_Scalar = TypeVar("_Scalar", int, float, str)
ValueMapping: TypeAlias = "Callable[[Call], Result]"

# Sizes and places fit an `int` of the generated C; what says how far to cut may be any number.
_MOST = 2**31 - 1
_ANY = 2**63
# NumPy before 2.0 has no more.
_MOST_AXES = 32


class ReadsInputs:
    """Base of the operators of a file: they look at inputs, as tensors or as known arrays."""

    inputs: tuple[Value | None, ...]
    # The number of the first input in messages.
    counted_from: ClassVar[int] = 0

    def given(self, index: int) -> Value | None:
        """Input of that position, None where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def tensor(self, index: int = 0) -> TensorView:
        """An input that must be activations; raises GraphError where it is a constant."""
        value = self.given(index)
        if not isinstance(value, TensorView):
            raise GraphError(
                f"input {index + self.counted_from} must be activations",
                found="nothing" if value is None else "a constant",
            )
        return value


@dataclass(frozen=True)
class Call(ReadsInputs):
    """An operator with its inputs: tensors of activations, or arrays that are known already.

    `names` are the ONNX names of the inputs, `results` those of the outputs, empty where nothing
    reads one. `outputs` is how many the node lists, read or not. An input that is left out is None.
    """

    builder: Builder
    budget: Budget
    operator: str
    opset: int
    names: tuple[str, ...]
    results: tuple[str, ...]
    outputs: int
    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Attribute]
    counted_from: ClassVar[int] = 1

    @property
    def name(self) -> str:
        """ONNX name of the first output."""
        return self.results[0]

    def known(self, index: int, what: str) -> Known | None:
        """An input that must be known now, if it is there; raises GraphError where it is computed.

        `what` is its name in the specification of the operator. Neither is a text or a complex
        number anything that netgen computes with.
        """
        value = self.given(index)
        if isinstance(value, TensorView):
            raise GraphError(f"{what} must be a constant", found="a computed tensor")
        if value is not None and value.dtype.kind in "OSUc":
            raise GraphError(
                f"{what} has an element type that netgen does not read", found=str(value.dtype)
            )
        return value

    def weights(self, index: int, what: str) -> npt.NDArray[np.float32]:
        """An input of learned numbers; raises WeightsError unless they are floats, of any size."""
        array = self.known(index, what)
        if array is None:
            raise GraphError(f"{what} is missing")
        if array.dtype.kind != "f":
            raise WeightsError(
                f"{what} has an element type that netgen does not read",
                expected="float32",
                found=str(array.dtype),
                hint="export the model in float32",
            )
        self.budget.take(array.size)
        return np.asarray(array, np.float32)

    def integers(self, name: str, index: int | None = None) -> tuple[int, ...] | None:
        """A list of integers: an attribute, or in newer opsets the input of that position.

        Raises GraphError for numbers that no tensor of netgen can have as a size or place.
        """
        return self._integers(name, index, _MOST)

    def limits(self, name: str, index: int) -> tuple[int, ...] | None:
        """A list of integers, as large as they may be: ONNX cuts them down to the tensor's size."""
        return self._integers(name, index, _ANY)

    def _integers(self, name: str, index: int | None, most: int) -> tuple[int, ...] | None:
        value: object = self.attributes.get(name)
        if value is None and index is not None and (array := self.known(index, name)) is not None:
            if array.dtype.kind not in "iu" or array.ndim > 1:
                raise GraphError(
                    f"{name} is no list of integers", found=f"{array.dtype}{list(array.shape)}"
                )
            self.budget.take(array.size)
            value = tuple(array.reshape(-1).tolist())
        if value is None:
            return None
        if not isinstance(value, tuple) or not all(isinstance(v, int) for v in value):
            raise GraphError(f"the attribute {name} is no list of integers")
        if any(abs(v) > most for v in value):
            raise GraphError(
                f"{name} has a number that is too large",
                expected=f"at most {most}",
                found=str(max(value, key=abs)),
            )
        return value

    def axes(self, rank: int, index: int) -> tuple[int, ...] | None:
        """The axes of a tensor that `axes` names, from the front; None where they are left out.

        Raises GraphError for axes that are not there or stand twice.
        """
        given = self.integers("axes", index)
        if given is None:
            return None
        axes = tuple(axis_of(axis, rank) for axis in given)
        if len(set(axes)) != len(axes):
            raise GraphError("an axis stands twice", found=f"{list(given)}")
        return axes

    def integer(self, name: str, default: int | None = None) -> int:
        """An integer attribute; raises GraphError where it is left out and has no default."""
        if default is None and name not in self.attributes:
            raise GraphError(f"the attribute {name} is missing")
        value = self._scalar(name, default or 0, int)
        if abs(value) > _MOST:
            raise GraphError(f"{name} is too large", expected=f"at most {_MOST}", found=str(value))
        return value

    def flag(self, name: str, default: int = 0) -> bool:
        """An attribute of 0 or 1."""
        value = self.integer(name, default)
        if value not in (0, 1):
            raise GraphError(f"{name} is no flag", expected="0 or 1", found=str(value))
        return bool(value)

    def floating(self, name: str, default: float) -> float:
        """A float attribute; raises GraphError where it is not finite."""
        value = self._scalar(name, default, float)
        if not isfinite(value):
            raise GraphError(f"the attribute {name} is not finite", found=str(value))
        return value

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


def check_rank(rank: int) -> None:
    """Raise GraphError where a tensor has more axes than NumPy can count."""
    if rank > _MOST_AXES:
        raise GraphError(
            "a tensor of too many axes", expected=f"at most {_MOST_AXES}", found=str(rank)
        )


def one_number(array: Known | None, default: float, what: str) -> float:
    """The number of an array of one element; raises GraphError for others."""
    if array is None:
        return default
    if array.size != 1 or array.dtype.kind not in "biuf":
        raise GraphError(f"{what} must be one number", found=f"{array.dtype}{list(array.shape)}")
    return float(array.reshape(-1)[0])
