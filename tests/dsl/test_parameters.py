"""Parameters of networks: conversion, ill-typed values, choices."""

from __future__ import annotations

import math
from typing import Literal

import pytest

from netgen.dsl.network import Network, network
from netgen.dsl.tensor import Tensor, image, scope
from netgen.errors import UsageError
from netgen.ops import conv2d


@network
def sample(
    alpha: float = 1.0,
    size: int = 8,
    padding: Literal["torch", "tensorflow"] = "torch",
    bias: bool = True,
    label: str = "x",
) -> Tensor:
    """One convolution.

    More words.
    """
    with scope(f"{padding}.{label}"):
        return conv2d(image(size, size), int(8 * alpha), bias=bias)


def settle(**given: object) -> dict[str, object]:
    return dict(sample.settle(given))


def test_the_network_knows_its_parameters() -> None:
    assert isinstance(sample, Network)
    assert sample.name == "sample"
    assert sample.summary == "One convolution."
    kinds = {parameter.name: parameter.kind for parameter in sample.parameters}
    assert kinds == {
        "alpha": float, "size": int, "padding": str, "bias": bool, "label": str,
    }  # fmt: skip
    assert sample.parameters[2].choices == ("torch", "tensorflow")


def test_defaults() -> None:
    assert settle() == {
        "alpha": 1.0, "size": 8, "padding": "torch", "bias": True, "label": "x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given", "settled"),
    [
        ("alpha", "0.35", 0.35),
        ("alpha", 1, 1.0),
        ("alpha", "inf", math.inf),
        ("size", "96", 96),
        ("size", 96.0, 96),
        ("size", "-1", -1),
        ("padding", "tensorflow", "tensorflow"),
        ("bias", "no", False),
        ("bias", "True", True),
        ("bias", 0, False),
        ("bias", False, False),
        ("label", "7", "7"),
    ],
)
def test_values_are_converted(name: str, given: object, settled: object) -> None:
    value = settle(**{name: given})[name]
    assert value == settled
    assert type(value) is type(settled)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("alpha", "wide", "float"),
        ("alpha", True, "float"),
        ("alpha", None, "float"),
        ("alpha", [1.0], "float"),
        ("alpha", 10**400, "float"),
        ("size", "9.5", "int"),
        ("size", 9.5, "int"),
        ("size", math.nan, "int"),
        ("size", math.inf, "int"),
        ("size", "", "int"),
        ("size", True, "int"),
        ("size", "9" * 5000, "int"),
        ("bias", "maybe", "bool"),
        ("bias", 2, "bool"),
        ("label", 7, "str"),
        ("padding", None, "str"),
    ],
)
def test_ill_typed_values(name: str, given: object, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        sample.build(**{name: given})
    message = str(caught.value)
    assert message.startswith(f"the parameter '{name}' is ill-typed, expected {expected}, found ")
    assert f"for example -p {name}=" in message
    assert "\n" not in message


def test_a_choice_that_is_none() -> None:
    with pytest.raises(
        UsageError, match="no such choice, expected one of torch, tensorflow, found"
    ):
        settle(padding="same")


def test_an_unknown_parameter_lists_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match="sample has no parameter 'width', expected one of alpha, s"
    ):
        settle(width=1)


def test_a_network_without_parameters() -> None:
    @network
    def plain() -> Tensor:
        return image(2, 2)

    assert plain.summary == ""
    with pytest.raises(UsageError, match="plain has no parameter 'alpha', expected none"):
        plain.build(alpha=1.0)


def test_parameters_reach_the_function() -> None:
    graph = sample(alpha="0.5", size=4, bias="false")
    assert graph.name == "sample"
    assert graph["torch.x.conv2d"].type.shape == (1, 4, 4, 4)
    assert len(graph["torch.x.conv2d"].operands) == 2


def test_parameters_that_cannot_be_set_from_outside() -> None:
    def missing_default(size: int) -> Tensor:
        return image(size, size)

    def wrong_kind(sizes: tuple[int, int] = (1, 2)) -> Tensor:
        return image(*sizes)

    def wrong_choices(size: Literal[1, 2] = 1) -> Tensor:
        return image(size, size)

    def open_ended(**sizes: int) -> Tensor:
        return image(sizes["height"], sizes["width"])

    for function in (missing_default, wrong_kind, wrong_choices, open_ended):
        line = function.__code__.co_firstlineno
        where = (
            rf"^test_parameters\.py:{line}: the parameter 'sizes?' of {function.__name__} cannot"
        )
        with pytest.raises(UsageError, match=where):
            network(function)


def test_without_an_annotation_the_default_decides() -> None:
    def bare(depth: int = 2, alpha: float = 0.5) -> Tensor:
        return image(depth, int(8 * alpha))

    bare.__annotations__.clear()
    assert network(bare).build(alpha="1.0")["image"].type.shape == (1, 2, 8, 3)


def test_both_spellings_of_the_decorator() -> None:
    @network()
    def first() -> Tensor:
        return image(2, 2)

    @network
    def second() -> Tensor:
        return image(2, 2)

    assert first.build().nodes == second.build().nodes
