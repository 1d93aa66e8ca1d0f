"""The kinds of options: which values one takes, and how it is written on the command line."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeGuard

from netgen.errors import UsageError

if TYPE_CHECKING:  # all kernels come with it, and running a compiled model needs none
    from netgen.plan.data.tuning import Tuning


class OptionKind(ABC):
    """Base of the kinds of options.

    `noun` names a value in messages, `expected` describes a right one, `hint` says how to write it.
    """

    def __init__(self, noun: str, expected: str, hint: str | None = None) -> None:
        self.noun, self.expected, self.hint = noun, expected, hint

    @abstractmethod
    def takes(self, value: object) -> bool:
        """Whether a value is of this kind."""

    def words(self, flag: str, value: object) -> list[str]:
        """The words of the command line that give an option this value; `flag` is without `--`."""
        return [f"--{flag}", self.spelled(value)]

    def spelled(self, value: object) -> str:
        """The word for a value."""
        return str(value)

    def require(self, name: str, value: object) -> None:
        """Raise UsageError unless a value is of this kind."""
        if not self.takes(value):
            raise UsageError(
                f"{name} is no {self.noun}",
                expected=self.expected,
                found=repr(value),
                hint=self.hint,
            )


class Switch(OptionKind):
    """On or off."""

    def __init__(self) -> None:
        super().__init__("truth value", "True or False")

    def takes(self, value: object) -> bool:
        """True and False themselves, nothing that merely counts as one of them."""
        return isinstance(value, bool)

    def words(self, flag: str, value: object) -> list[str]:
        """The flag, or its opposite."""
        return [f"--{flag}" if value else f"--no-{flag}"]


class OneOf(OptionKind):
    """One of some words."""

    def __init__(self, noun: str, choices: tuple[str, ...]) -> None:
        super().__init__(noun, f"one of {', '.join(choices)}")
        self.choices = choices

    def takes(self, value: object) -> bool:
        """One of the words, letter by letter."""
        return isinstance(value, str) and value in self.choices


class Count(OptionKind):
    """A whole number from 1 to `most`."""

    def __init__(self, noun: str, most: int) -> None:
        super().__init__(noun, f"1 to {most}")
        self.most = most

    def takes(self, value: object) -> bool:
        """A number within the bounds; True, which is an int to Python, is none."""
        return _is_int(value) and 1 <= value <= self.most


class Numbers(OptionKind):
    """Real numbers, one for each channel; or none."""

    def __init__(self, noun: str) -> None:
        super().__init__(noun, "a tuple of numbers, one for each channel")

    def takes(self, value: object) -> bool:
        """None, or some finite numbers."""
        return value is None or (
            isinstance(value, tuple)
            and value != ()
            and all(isinstance(number, int | float) and math.isfinite(number) for number in value)
        )

    def spelled(self, value: object) -> str:
        """All of them with commas between."""
        assert isinstance(value, tuple)
        return ",".join(repr(number) for number in value)


class RamBytes(OptionKind):
    """Bytes of RAM: none are given, a number of them, the least, or one for each of two regions."""

    def __init__(self) -> None:
        super().__init__(
            "number of bytes",
            "an int, 'least', or a pair of ints (fast, slow), none of them negative",
            "write 60K as ram=60 * 1024, two regions as ram=(128 * 1024, 512 * 1024)",
        )

    def takes(self, value: object) -> bool:
        """None, the least, a size, or two of them."""
        sizes, count = (value, 2) if isinstance(value, tuple) else ((value,), 1)
        return value in (None, "least") or (
            len(sizes) == count and all(_is_int(size) and size >= 0 for size in sizes)
        )

    def spelled(self, value: object) -> str:
        """A number in digits; regions by their names."""
        return "fast={},slow={}".format(*value) if isinstance(value, tuple) else str(value)


class TuningFile(OptionKind):
    """A tuning, as a file that `netgen tune` wrote or as its content; or none."""

    def __init__(self) -> None:
        super().__init__("tuning", "the path of a file that netgen tune wrote, or a Tuning")

    def takes(self, value: object) -> bool:
        """None, or what was read from a file."""
        return value is None or _is_tuning(value)

    def spelled(self, value: object) -> str:
        """The name of the file; its folder must not get into what is generated."""
        assert _is_tuning(value)
        return value.name


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_tuning(value: object) -> TypeGuard[Tuning]:
    from netgen.plan.data.tuning import Tuning

    return isinstance(value, Tuning)
