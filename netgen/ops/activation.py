"""Activations: as operators, and as an attribute of others (`act=relu6` on a convolution, say)."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netgen.errors import GraphError
from netgen.ir.magnitude import ANY_NUMBER, Range
from netgen.ir.operator import Signature
from netgen.ir.registry import REGISTRY
from netgen.ir.tensor_type import Array, TensorType
from netgen.ops.rescaled import BOTH_ROUNDINGS, Rescaled, dequantised, quantised

_OF_CODES = frozenset(field.name for field in dataclasses.fields(Rescaled))


@dataclass(frozen=True)
class ElementwiseActivation(Rescaled):
    """Base of the operators y = f(x), element by element: a file says all there is to know of one.

    `squares` give the mean square of f(x) for a centred normal x, as a constant and a slope over
    the mean square of x. `limits` are the least and the greatest f(x), and elements `unchanged`
    are returned as they are. The C stands in
    `templates/functions/NAME.c.j2`, with attributes as further arguments in their order.

    One that takes codes of 8 bits says in `codes` what becomes of each; its C is a table of them.
    With the `rounding` `even` that is ONNX's: the codes of what `activate` makes of real numbers.
    """

    squares: ClassVar[tuple[float, float]]
    limits: ClassVar[Range] = ANY_NUMBER
    roundings: ClassVar[tuple[str, ...]] = BOTH_ROUNDINGS
    unchanged: ClassVar[Range | None] = None
    # Elements for which there is a result; of others it is NaN.
    domain: ClassVar[Range] = ANY_NUMBER
    fate: ClassVar[str] = "activations, computed where a layer writes its result"
    same_place: ClassVar[frozenset[str]] = frozenset({"x"})

    @abstractmethod
    def activate(self, x: Array) -> Array:
        """NumPy meaning, in float64; NaN stays NaN."""

    def codes(self, x: Array, kind: TensorType, result: TensorType) -> Array:
        """The codes of f(x) before they saturate, for codes x of a `kind`.

        Raises GraphError where scales are too far apart.
        """
        del x, kind, result
        raise GraphError(f"{self.operator_name} takes no codes")

    @classmethod
    def _own_attributes(cls) -> list[str]:
        """Names of its attributes but for those that say what codes stand for."""
        return [field.name for field in dataclasses.fields(cls) if field.name not in _OF_CODES]

    @classmethod
    def has_attributes(cls) -> bool:
        """Whether its name alone does not say what it computes; such a one is never an `act`."""
        return bool(cls._own_attributes())

    def arguments(self) -> tuple[float, ...]:
        """The arguments of its C function beside x: its attributes, as numbers."""
        return tuple(float(getattr(self, name)) for name in self._own_attributes())

    def leaves_alone(self, values: Range) -> bool:
        """Whether every element between these numbers is returned as it is."""
        kept = self.unchanged
        return kept is not None and kept[0] <= values[0] and values[1] <= kept[1]

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """The type of x, codes with the scale of the result."""
        (x,) = operands
        result = self.result_of(x, x.shape)
        if not x.element.is_float and self.rounding == "fixed":
            self.codes(np.array([x.zero]), x, result)
        return result

    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """Elementwise; NaN stays NaN, codes saturate."""
        (kind,), result = signature.operands, signature.result
        if kind.element.is_float:
            return self.activate(operands[0])
        if self.rounding == "even":
            return quantised(self.activate(dequantised(operands[0], kind)), result)
        codes = self.codes(operands[0], kind, result)
        saturated: Array = np.clip(codes, result.element.low, result.element.high)
        return saturated

    def value_range(self, operands: Sequence[Range]) -> Range:
        """The range of x if nothing in it changes, else `limits`."""
        return operands[0] if self.leaves_alone(operands[0]) else self.limits

    def second_moment(self, operands: Sequence[float]) -> float:
        """The mean square of f(x), for a centred normal x."""
        constant, slope = self.squares
        return constant + slope * operands[0]


def finite(name: str, value: float) -> None:
    """Raise GraphError unless an attribute is a finite float32."""
    if not abs(value) <= float(np.finfo(np.float32).max):
        raise GraphError(f"{name} must be a finite float32", found=str(value))


def find_activation(act: str) -> ElementwiseActivation | None:
    """The operator that an attribute `act` names, None for `none`; raises GraphError for others."""
    if act == "none":
        return None
    for operator in _nameable():
        if operator.operator_name == act:
            return operator()
    raise GraphError(f"unknown activation '{act}'", expected="one of " + ", ".join(activations()))


def activations() -> tuple[str, ...]:
    """The texts that an attribute `act` may have."""
    return ("none", *(operator.operator_name for operator in _nameable()))


def _nameable() -> list[type[ElementwiseActivation]]:
    return [
        operator
        for operator in REGISTRY
        if issubclass(operator, ElementwiseActivation) and not operator.has_attributes()
    ]


def activate(act: str, x: Array) -> Array:
    """NumPy meaning of an attribute `act`; NaN stays NaN."""
    operator = find_activation(act)
    return x if operator is None else operator.activate(x)


def activated_moment(act: str, moment: float) -> float:
    """Mean square after the activation of a centred normal value with mean square `moment`."""
    operator = find_activation(act)
    return moment if operator is None else operator.second_moment([moment])
