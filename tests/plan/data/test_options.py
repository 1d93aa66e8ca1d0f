"""PlanOptions: what it refuses, and that nothing but it lists the options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

import netgen
from netgen.errors import UsageError
from netgen.plan.data.options import PLAN_OPTIONS, PlanKeywords, PlanOptions
from netgen.plan.data.tuning import Tuning

WRONG: list[tuple[str, list[Any], str]] = [
    (
        "ram",
        [
            "60K",
            61440.0,
            True,
            -1,
            (),
            (1024,),
            (1, 2, 3),
            (1024, "2K"),
            (1, -1),
            (True, 2),
            [1, 2],
        ],
        r"ram is no number of bytes, expected an int, 'least', or a pair of ints \(fast, slow\)",
    ),
    (
        "input",
        ["foo", "", None, ["rows"], 0],
        "input is no place of an image, expected one of caller, arena, rows, found",
    ),
    ("accept_gap", [0, 1, None, "no"], "accept_gap is no truth value, expected True or False"),
    ("winograd", [0, 1, None, "4x4"], "winograd is no truth value, expected True or False"),
    ("tuning", [1, {}, True, "tuning.json"], "tuning is no tuning, expected the path of a file"),
    (
        "threads",
        [0, 65, -1, True, 2.0, "2", None],
        "threads is no number of threads, expected 1 to 64, found",
    ),
    ("copies", [0, 1, None, "all"], "copies is no truth value, expected True or False"),
    ("small", [0, 1, None, "s"], "small is no truth value, expected True or False"),
    (
        "weights_dtype",
        ["f16", "", None, 16],
        "weights_dtype is no type of weights, expected one of float32, float16, int8, found",
    ),
    (
        "input_type",
        ["i8", "", None, 8],
        "input_type is no type of an image's elements, expected one of declared, u8, found",
    ),
    (
        "mean",
        [0.5, (), [0.5], ("0.5",), (float("nan"),)],
        "mean is no mean of pixels, expected a tuple of numbers, one for each channel, found",
    ),
    ("std", [0.5, (), (float("inf"),)], "std is no deviation of pixels, expected a tuple of"),
]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param(name, value, message, id=f"{name}={value!r}")
        for name, values, message in WRONG
        for value in values
    ],
)
def test_values_that_an_option_cannot_have(name: str, value: object, message: str) -> None:
    wrong: dict[str, Any] = {name: value}
    with pytest.raises(UsageError, match=message) as caught:
        PlanOptions(**wrong)
    assert f"found {value!r}" in str(caught.value)


def test_every_option_refuses_something() -> None:
    assert [name for name, _, _ in WRONG] == [field.name for field in fields(PlanOptions)]


def test_mean_and_std_go_together_and_with_bytes() -> None:
    with pytest.raises(UsageError, match="mean and std go together; give both, or neither"):
        PlanOptions(input_type="u8", mean=(0.5,))
    with pytest.raises(UsageError, match="mean and std are of an image of bytes; add input_type"):
        PlanOptions(mean=(0.5,), std=(1.0,))


def test_no_proof_is_asked_for_in_two_regions() -> None:
    with pytest.raises(UsageError, match="accept_gap does not go together with two regions"):
        PlanOptions(ram=(1024, 2048), accept_gap=True)
    assert PlanOptions(ram=1024, accept_gap=True).accept_gap


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (PlanOptions(), ""),
        (PlanOptions(ram=0), "--ram 0"),
        (PlanOptions(ram=(1024, 0)), "--ram fast=1024,slow=0"),
        (PlanOptions(input="rows", threads=2), "--input rows --threads 2"),
        (PlanOptions(accept_gap=True, winograd=False), "--accept-gap --no-winograd"),
        (PlanOptions(small=True), "--small"),
        (
            PlanOptions(tuning=Tuning("generic", {}, "a/b.json"), copies=True),
            "--tuning b.json --copies",
        ),
    ],
)
def test_words_of_a_command_line(given: PlanOptions, words: str) -> None:
    assert " ".join(given.words()) == words


def test_keywords_give_the_same_options() -> None:
    given = PlanOptions(ram=(1024, 2048), input="rows", winograd=False, threads=3)
    again: dict[str, Any] = {**given.keywords()}
    assert PlanOptions(**again) == given


def test_keywords_are_the_fields() -> None:
    """Types are compared as they are written; a tuning may also be the path of its file."""
    types = {name: kind.__forward_arg__ for name, kind in PlanKeywords.__annotations__.items()}
    assert types.pop("tuning") == "Tuning | str | PathLike[str] | None"
    assert types == {f.name: f.type for f in fields(PlanOptions) if f.name != "tuning"}
    assert list(PLAN_OPTIONS) == [field.name for field in fields(PlanOptions)]


@pytest.mark.parametrize("function", [netgen.emit, netgen.compile])
def test_help_lists_all_options(function: Callable[..., object]) -> None:
    """The signature has each with its default, the docstring says what it is."""
    found = inspect.signature(function).parameters
    text = inspect.getdoc(function) or ""
    for field in fields(PlanOptions):
        assert found[field.name].default == field.default
        assert found[field.name].kind is inspect.Parameter.KEYWORD_ONLY
        assert f"`{field.name}" in text
    assert not [p for p in found.values() if p.kind is inspect.Parameter.VAR_KEYWORD]
