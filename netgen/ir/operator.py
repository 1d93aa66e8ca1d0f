"""Operators: attributes, a type rule, a NumPy meaning, a cost.

An operator is a frozen dataclass whose fields are its attributes. Each has a file in `netgen/ops/`.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from netgen.errors import ElementError, GraphError
from netgen.ir.attributes import (
    REFERENCE,
    AttributeValue,
    attribute_of,
    attribute_types,
    ill_typed,
)
from netgen.ir.magnitude import Magnitude
from netgen.ir.rows import Reach, is_image, rows_of
from netgen.ir.tensor_type import ELEMENTS, Array, TensorType

_FLOATS = frozenset({"f32"})
ANY_ELEMENT = frozenset(ELEMENTS)


@dataclass(frozen=True)
class Signature:
    """The types of one application of an operator, of whole values where only rows are computed.

    `scales` holds scales along an axis, as float64, by the name that a type gives them.
    """

    operands: tuple[TensorType, ...]
    result: TensorType
    scales: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Operator(Magnitude, ABC):
    """Base of all operators.

    `operator_name` is the one noun used in IR, files, templates and tests. `operand_names` are the
    letters of the formula in operand order; the last `optional_operands` of them may be left out.
    A `variadic` operator has one letter and takes any number of operands, at least one: x0, x1, ...
    """

    operator_name: ClassVar[str]
    operand_names: ClassVar[tuple[str, ...]] = ("x",)
    optional_operands: ClassVar[int] = 0
    variadic: ClassVar[bool] = False
    # Element types of the operands.
    element_types: ClassVar[frozenset[str]] = _FLOATS
    # What a result shows, which need not be computed where its operands stand so already: all
    # elements in their order, or channels of every pixel, as `channel_sources` says.
    view_of: ClassVar[Literal["nothing", "elements", "channels"]] = "nothing"
    # Operands that training measures rather than learns; papers do not count them as parameters.
    statistics: ClassVar[frozenset[str]] = frozenset()
    # Operands of which an element is read only for the element of the result at the same place.
    same_place: ClassVar[frozenset[str]] = frozenset()
    # Whether it adds the rows of x up: bands of it go through those, and gather in one result, or
    # in sums of another type, `sum_type`.
    sums_rows: ClassVar[bool] = False
    # What became of it, for readers, where a pass has left none of it.
    fate: ClassVar[str] = "other operators that were replaced"
    # What the axes of result and operands are, of those that have as many: N, H, W, C.
    axis_letters: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Bring every attribute into its type; raises GraphError where a value has none of it.

        Operators that ask more of their attributes call this before.
        """
        for attribute, kind in attribute_types(type(self)).items():
            given: object = getattr(self, attribute)
            if type(given) is kind:
                continue
            value = attribute_of(given, kind)
            if value is None:
                raise ill_typed(self.operator_name, attribute, kind, given)
            object.__setattr__(self, attribute, value)

    @abstractmethod
    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Type of the result; raises GraphError where the operands do not fit."""

    @abstractmethod
    def reference(self, operands: Sequence[Array], signature: Signature, /) -> Array:
        """NumPy meaning; shapes as in `infer`.

        Floats come and go as float64 and are accumulated so; codes come and go as int64, within
        the bounds of the result's type.
        """

    def result_type(self, operands: Sequence[TensorType]) -> TensorType:
        """The type of the result; raises GraphError where number, kinds or shapes do not fit."""
        self.check_count(operands)
        self._check_elements(operands)
        return self.infer(operands)

    def _check_elements(self, operands: Sequence[TensorType]) -> None:
        first = operands[0] if operands else None
        for letter, kind in zip(self.letters(len(operands)), operands, strict=False):
            if kind.dtype not in self.element_types:
                raise ElementError(
                    f"{self.operator_name} takes no {letter} of {kind.dtype}",
                    expected=" or ".join(e for e in ELEMENTS if e in self.element_types),
                    found=str(kind),
                )
            if self.moves_only and kind.quantisation and kind.quantisation.axis is not None:
                raise GraphError(
                    f"{self.operator_name} cannot move elements with scales along an axis",
                    expected="one scale",
                    found=str(kind),
                )
            if self.moves_only and first is not None and not kind.alike(first):
                raise GraphError(
                    f"{self.operator_name} moves elements of one type",
                    expected=f"{letter} to hold elements as {first}",
                    found=str(kind),
                    hint="requantise one of them before",
                )

    def rows(self, operands: Mapping[str, TensorType], result: TensorType) -> int:
        """The number of rows that it goes through: of its result, or those that it adds up."""
        return rows_of((operands["x"] if self.sums_rows else result).shape)

    def row_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The rows of an operand that a row of the result needs; None if it needs all rows."""
        image = is_image(operands[letter].shape)
        return self.image_reach(letter, operands, result) if image else None

    def image_reach(
        self, letter: str, operands: Mapping[str, TensorType], result: TensorType
    ) -> Reach | None:
        """The `row_reach` of an image: the same row, if it is as high and wide as the result."""
        return Reach() if operands[letter].shape[:3] == result.shape[:3] else None

    def reference_rows(
        self, operands: Sequence[Array], signature: Signature, first: int, end: int
    ) -> Array:
        """Rows `first` to `end` of the reference; of a result without rows all.

        Rows of the operands that these do not need may hold anything.
        """
        whole = self.reference(operands, signature)
        return whole[:, first:end] if is_image(signature.result.shape) else whole

    def reference_sum(
        self, before: Array, x: Array, signature: Signature, first: int, end: int
    ) -> Array:
        """The sums after rows `first` to `end` of x are added to those `before`; the result last.

        Raises GraphError unless it `sums_rows`.
        """
        del before, x, signature, first, end
        raise GraphError(f"{self.operator_name} adds no rows up")

    def sum_type(self, result: TensorType) -> TensorType:
        """The type of sums of rows; they wait in the result where that is of this type."""
        return result

    @property
    def is_weighted(self) -> bool:
        """Whether it multiplies by weights w, of which each output has some, and adds a bias b."""
        return "w" in self.operand_names

    @property
    def activation(self) -> str | None:
        """The value of its attribute `act`, or None if it has no such attribute."""
        found: str | None = getattr(self, "act", None)
        return found

    def takes_activation(self, result: TensorType) -> bool:
        """Whether it can have an `act` for a result of this type, and has none yet."""
        del result
        return self.activation == "none"

    def with_activation(self, act: str) -> Operator:
        """The same with this `act`, which it has."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return type(self)(**values | {"act": act})

    def is_identity(self, operands: Sequence[TensorType], result: TensorType) -> bool:
        """Whether the result is the first operand, whatever that is."""
        del operands, result
        return False

    def channel_sources(self, channels: Sequence[int]) -> tuple[Array, Array]:
        """Two arrays: each result channel's operand, or -1 for zeros, and its channel there.

        `channels` are the operands' numbers of channels. Raises GraphError for other operators.
        """
        del channels
        raise GraphError(f"{self.operator_name} computes more than which channel goes where")

    def keeps_channels(self, letter: str) -> bool:
        """Whether each channel of an operand goes into channels of the result of its own, in order.

        Their layouts may then be the same; with weights a kernel may go channel by channel.
        """
        del letter
        return self.view_of != "channels"

    def macs(self, operands: Sequence[TensorType], result: TensorType) -> int:
        """Multiply-accumulates of one inference, as papers count them (taps outside included)."""
        del operands, result
        return 0

    def attributes(self) -> dict[str, AttributeValue]:
        """Attributes that differ from their defaults, in field order, as the text form has them."""
        shown: dict[str, AttributeValue] = {}
        for attribute in dataclasses.fields(self):
            value = getattr(self, attribute.name)
            if value != attribute.default:
                shown[attribute.name] = value
        return shown

    def axis_sources(self, x: Sequence[int], y: Sequence[int]) -> tuple[int | None, ...]:
        """Axes of an operand of shape `x`, one for each axis of a result of shape `y`.

        An axis that the operand does not have is None.
        """
        return tuple(range(len(y))) if len(x) == len(y) else (None,) * len(y)

    def letters(self, count: int) -> tuple[str, ...]:
        """Letters of the operands, optional ones included; `count` is how many there are."""
        if not self.variadic:
            return self.operand_names
        (letter,) = self.operand_names
        return tuple(f"{letter}{position}" for position in range(count))

    def check_count(self, operands: Sequence[object]) -> None:
        """Raise GraphError unless the number of operands fits."""
        if self.variadic:
            if not operands:
                letters = ", ".join((*self.letters(2), "..."))
                raise GraphError(
                    f"{self.operator_name} takes the operands {letters}",
                    expected="at least 1",
                    found="0",
                )
            return
        most = len(self.operand_names)
        least = most - self.optional_operands
        if not least <= len(operands) <= most:
            letters = f"the operands {', '.join(self.operand_names)}" if most else "no operands"
            raise GraphError(
                f"{self.operator_name} takes {letters}",
                expected=str(most) if least == most else f"{least} to {most}",
                found=str(len(operands)),
            )


@dataclass(frozen=True)
class Input(Operator):
    """A value that the caller hands in; its type is declared."""

    operator_name: ClassVar[str] = "input"
    operand_names: ClassVar[tuple[str, ...]] = ()

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Raise GraphError: the type is declared."""
        del operands
        raise GraphError("the type of an input is declared, not inferred")

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Raise GraphError: the caller has the value."""
        del operands
        raise GraphError("an input has no value of its own")


@dataclass(frozen=True)
class State(Operator):
    """A value that lives between runs: in one run it is what the run before it left.

    Before the first run it is the array that `data` names among the graph's constants; without one
    it is zero, of codes the zero point. Its type is declared. `Graph.next_values` says what it
    becomes.
    """

    operator_name: ClassVar[str] = "state"
    operand_names: ClassVar[tuple[str, ...]] = ()
    data: str = field(default="", metadata=REFERENCE)

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Raise GraphError: the type is declared."""
        del operands
        raise GraphError("the type of a state is declared, not inferred")

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Raise GraphError: the run before has the value."""
        del operands
        raise GraphError("a state has the value that the run before left")


@dataclass(frozen=True)
class Const(Operator):
    """A constant: `data` names an array among the graph's constants; its type is declared."""

    operator_name: ClassVar[str] = "const"
    operand_names: ClassVar[tuple[str, ...]] = ()
    data: str = field(default="", metadata=REFERENCE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.data:
            raise GraphError("a constant must name its array", expected="{data=@NAME}")

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        """Raise GraphError: the type is declared."""
        del operands
        raise GraphError("the type of a constant is declared, not inferred")

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        """Raise GraphError: the graph has the value."""
        del operands
        raise GraphError("the value of a constant is among the graph's constants")
