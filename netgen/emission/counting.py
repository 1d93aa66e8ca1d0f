"""Loops and variables of C, printed where there is something to repeat or to name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netgen.kernels.terms import NamedInt, Term, sum_of


@dataclass(frozen=True)
class Counted:
    """A body that is repeated: its loop's `head`, and `at`, the loop's variable in the body.

    A body that runs once has no head, and a number in place of the variable.
    """

    head: str
    at: Term


def over(
    variable: str,
    first: Term,
    end: Term,
    step: Term = 1,
    part: tuple[str, str] | None = None,
    condition: str = "",
) -> Counted:
    """The loop over first, first + step, ... below `end`, or over a `part` of it.

    It ends early where a `condition` no longer holds. Numbers say that a body runs once.
    """
    if part is not None:
        first, end = part
    if isinstance(first, int) and isinstance(end, int) and isinstance(step, int):
        assert first < end, f"no iteration of {variable}"
        if first + step >= end and not condition:
            return Counted("", first)
    while_ = f"{variable} < {end}" + (f" && {condition}" if condition else "")
    return Counted(
        f"for (int {variable} = {first}; {while_}; {step_on(variable, step)}) ", variable
    )


def bound(number: int, *constants: NamedInt) -> int:
    """The constant that is this number, or the number."""
    return next((constant for constant in constants if constant == number), number)


def step_on(name: str, by: Term) -> str:
    """Expression that moves a variable on."""
    if by in {1, -1}:
        return f"++{name}" if by == 1 else f"--{name}"
    return f"{name} -= {-by}" if isinstance(by, int) and by < 0 else f"{name} += {by}"


def part_of(split: Mapping[str, Any] | None, by: str, number: int = 0) -> tuple[str, str] | None:
    """A part of a call in the loop of this number, if calls are divided `by` its iterations."""
    if split is None or split["by"] != by:
        return None
    bounds = f"bounds[{number}]" if len(split["bounds"]) > 1 else "bounds"
    return f"{bounds}[part]", f"{bounds}[part + 1]"


@dataclass(frozen=True)
class Local:
    """The declaration of a whole number, and what stands for it; a number stands for itself."""

    declaration: str
    at: Term


def local(name: str, *terms: Term, kind: str = "int") -> Local:
    """A variable of this name for a sum, unless that is a plain number."""
    value = sum_of(*terms)
    if isinstance(value, int) and value >= 0:
        return Local("", value)
    return Local(f"const {kind} {name} = {value};", name)
