"""Strict reading of JSON documents: every fault is one line with the path of the faulty part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from netgen.errors import PlanError
from netgen.kernels.layer import Json
from netgen.plan.data.plan import MOST_BYTES

# What 64 bits hold: so are multiply-adds counted, which may be more than an `int` holds.
MOST_COUNT = 2**63 - 1
# Levels of objects and lists; parameters of kernels have 7.
_MOST_DEPTH = 40
_MOST_SHOWN = 60


def shown(value: object) -> str:
    """A value of a document in a message: its beginning if it is long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


@dataclass(frozen=True)
class Reader:
    """A part of a document and its path, such as `$.steps[3].reads`.

    Every method gives the part in one Python type and raises PlanError where it is of another.
    """

    path: str
    value: object

    def _fault(self, expected: str) -> PlanError:
        kinds = {dict: "an object", list: "a list", type(None): "null"}
        found = kinds.get(type(self.value)) or shown(self.value)
        return PlanError(
            "this part of the plan is malformed", where=self.path, expected=expected, found=found
        )

    def members(self) -> dict[str, Reader]:
        """The members of an object, in order."""
        if not isinstance(self.value, dict):
            raise self._fault("an object")
        members = {}
        for key, value in self.value.items():
            if not isinstance(key, str) or not key.isprintable():
                raise self._fault("an object whose keys are text in one line")
            members[key] = Reader(f"{self.path}.{key}", value)
        return members

    def keys(self, *names: str) -> None:
        """Check that an object has exactly these members."""
        members = self.members()
        for name in names:
            if name not in members:
                raise PlanError("the plan lacks this key", where=f"{self.path}.{name}")
        for name in members:
            if name not in names:
                raise PlanError(
                    "the plan has an unknown key",
                    where=f"{self.path}.{name}",
                    expected="one of " + ", ".join(names),
                )

    def member(self, name: str) -> Reader:
        """One member of an object."""
        members = self.members()
        if name not in members:
            raise PlanError("the plan lacks this key", where=f"{self.path}.{name}")
        return members[name]

    def items(self) -> list[Reader]:
        """The items of a list."""
        if not isinstance(self.value, list):
            raise self._fault("a list")
        return [Reader(f"{self.path}[{i}]", value) for i, value in enumerate(self.value)]

    def integer(self, least: int = 0, most: int = MOST_BYTES) -> int:
        """A whole number that C's types hold: of bytes, of elements, an index."""
        if type(self.value) is not int or not least <= self.value <= most:
            raise self._fault(f"a whole number from {least} to {most}")
        return self.value

    def signed(self) -> int:
        """A whole number that C's `int` holds."""
        return self.integer(-MOST_BYTES)

    def index(self, count: int) -> int:
        """The place of one of `count` things."""
        return self.integer(most=count - 1)

    def number(self) -> float:
        """Any finite number."""
        if type(self.value) is int and abs(self.value) <= MOST_COUNT:
            return float(self.value)
        if type(self.value) is float and math.isfinite(self.value):
            return self.value
        raise self._fault("a finite number")

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self._fault("true or false")
        return self.value

    def text(self) -> str:
        """A string of one line that can be printed."""
        if not isinstance(self.value, str) or not self.value.isprintable():
            raise self._fault("text in one line")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(item.text() for item in self.items())

    def free(self, depth: int = _MOST_DEPTH) -> Json:
        """Anything that JSON can hold, of at most `depth` levels."""
        if depth == 0:
            raise self._fault(f"at most {_MOST_DEPTH} levels of objects and lists")
        if isinstance(self.value, Mapping):
            return self.free_object(depth)
        if isinstance(self.value, list):
            return [item.free(depth - 1) for item in self.items()]
        if isinstance(self.value, str):
            return self.text()
        if type(self.value) is int:
            return self.integer(-MOST_COUNT, MOST_COUNT)
        if type(self.value) is float:
            return self.number()
        if self.value is None or isinstance(self.value, bool):
            return self.value
        raise self._fault("something that JSON can hold")

    def free_object(self, depth: int = _MOST_DEPTH) -> dict[str, Json]:
        """An object of anything that JSON can hold."""
        return {key: item.free(depth - 1) for key, item in self.members().items()}
