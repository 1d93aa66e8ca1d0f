"""Strict reading of JSON documents: every fault is one line with the path of the faulty part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netgen.errors import PlanError
from netgen.kernels.layer import Json


@dataclass(frozen=True)
class Reader:
    """A part of a document and its path, such as `$.steps[3].reads`.

    Every method gives the part in one Python type and raises PlanError where it is of another.
    """

    path: str
    value: object

    def _fault(self, expected: str) -> PlanError:
        found = {dict: "an object", list: "a list", type(None): "null"}.get(
            type(self.value), repr(self.value)
        )
        return PlanError(
            "this part of the plan is malformed", where=self.path, expected=expected, found=found
        )

    def members(self) -> dict[str, Reader]:
        """The members of an object, in order."""
        if not isinstance(self.value, dict):
            raise self._fault("an object")
        members = {}
        for key, value in self.value.items():
            if not isinstance(key, str):
                raise self._fault("an object whose keys are text")
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

    def integer(self) -> int:
        """A whole number of at least 0."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            raise self._fault("a whole number of at least 0")
        return self.value

    def signed(self) -> int:
        """A whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self._fault("a whole number")
        return self.value

    def number(self) -> float:
        """Any number."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self._fault("a number")
        return float(self.value)

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self._fault("true or false")
        return self.value

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            raise self._fault("text")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(item.text() for item in self.items())

    def free(self) -> Json:
        """Anything that JSON can hold."""
        if isinstance(self.value, Mapping):
            return self.free_object()
        if isinstance(self.value, list):
            return [item.free() for item in self.items()]
        if self.value is None or isinstance(self.value, bool | int | float | str):
            return self.value
        raise self._fault("something that JSON can hold")

    def free_object(self) -> dict[str, Json]:
        """An object of anything that JSON can hold."""
        return {key: item.free() for key, item in self.members().items()}
