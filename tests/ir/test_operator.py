"""The registry, attributes and the two operators that the IR itself has."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from netgen.errors import GraphError
from netgen.ir.attributes import ONE_FOR_ALL, TEXT
from netgen.ir.operator import Const, Input, Operator, Signature
from netgen.ir.registry import REGISTRY, Registry
from netgen.ir.tensor_type import Array, TensorType
from netgen.ir.text import print_attributes
from netgen.ops.conv2d import Conv2d


@dataclass(frozen=True)
class Scale(Operator):
    operator_name: ClassVar[str] = "scale"
    factor: float = 1.0
    axes: tuple[int, ...] = ()
    steps: tuple[int, int] = field(default=(1, 1), metadata=ONE_FOR_ALL)
    mode: str = field(default="plain", metadata=TEXT)
    times: int = 1

    def infer(self, operands: Sequence[TensorType]) -> TensorType:
        return operands[0]

    def reference(self, operands: Sequence[Array], _signature: Signature, /) -> Array:
        return operands[0] * self.factor


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.add(Scale)
    return registry


def test_defaults_are_not_shown() -> None:
    assert Scale().attributes() == {}
    assert Scale(2.0, (1, 2)).attributes() == {"factor": 2.0, "axes": (1, 2)}


def test_a_field_says_how_its_attribute_prints() -> None:
    op = Scale(2.0, (1, 1), (3, 3), "wide", 5)
    assert print_attributes(op) == ' {factor=0x1p+1, axes=(1,1), steps=3, mode="wide", times=5}'


def test_an_operator_is_made_from_its_attributes(registry: Registry) -> None:
    made = registry.make("scale", {"factor": 0.5, "axes": (3,), "mode": "wide", "times": 2})
    assert made == Scale(0.5, (3,), mode="wide", times=2)
    assert list(registry) == [Scale]


def test_one_name_one_operator(registry: Registry) -> None:
    with pytest.raises(GraphError, match="two operators are named 'scale'"):
        registry.add(Scale)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("factor", 1), ("factor", "x"), ("axes", 1), ("axes", 1.0), ("steps", "one"),
        ("mode", 1), ("times", 1.0), ("times", "x"), ("times", (1,)), ("mode", (1,)),
    ],
)  # fmt: skip
def test_ill_typed_attributes(
    registry: Registry, attribute: str, value: float | str | tuple[int, ...]
) -> None:
    with pytest.raises(GraphError, match=f"the attribute '{attribute}' of scale is ill-typed"):
        registry.make("scale", {attribute: value})


@pytest.mark.parametrize(
    "operator", [operator for operator in REGISTRY if dataclasses.fields(operator)]
)
def test_every_attribute_of_every_operator_is_checked(operator: type[Operator]) -> None:
    for attribute in dataclasses.fields(operator):
        for value in (None, True, 1j, [0.5], np.array([0.5]), np.True_):
            with pytest.raises(GraphError, match=f"'{attribute.name}' of .* is ill-typed"):
                operator(**{attribute.name: value})


def test_numbers_of_numpy_become_those_of_python() -> None:
    numbers: dict[str, Any] = {"factor": np.float32(0.5), "axes": np.array([1, 2])}
    numbers |= {"steps": [3, np.int8(4)], "mode": np.str_("a"), "times": np.int64(2)}
    made = Scale(**numbers)
    plain = Scale(0.5, (1, 2), (3, 4), "a", 2)
    assert (made, repr(made)) == (plain, repr(plain))
    assert type(made.factor) is float
    assert repr(Scale(2)) == repr(Scale(2.0))


def test_one_number_for_a_tuple_of_known_length(registry: Registry) -> None:
    registry.make("scale", {"steps": 1})
    assert REGISTRY.make("conv2d", {"stride": 2}) == Conv2d(stride=(2, 2))


def test_unknown_names(registry: Registry) -> None:
    with pytest.raises(GraphError, match="unknown operator 'shrink', expected one of scale"):
        registry.make("shrink", {})
    with pytest.raises(GraphError, match="scale has no attribute 'by', expected one of factor, ax"):
        registry.make("scale", {"by": 1})


@pytest.mark.parametrize("op", [Input(), Const("w")])
def test_leaves_have_neither_inferred_type_nor_own_value(op: Operator) -> None:
    with pytest.raises(GraphError, match="declared, not inferred"):
        op.infer([])
    with pytest.raises(GraphError):
        op.reference([], Signature((), TensorType("f32", ())))
    with pytest.raises(GraphError, match="takes no operands, expected 0, found 1"):
        op.check_count(["x"])


def test_every_operator_is_registered_under_its_own_name() -> None:
    names = [operator.operator_name for operator in REGISTRY]
    assert len(names) == len(set(names))
    assert {"input", "const", "conv2d", "add"} <= set(names)
    for operator in REGISTRY:
        if operator is not Const:
            assert REGISTRY.make(operator.operator_name, {}) == operator()
